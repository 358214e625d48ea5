//! Makes the golden files anew from their references and compares them with the committed ones.

use safetensors::{Dtype, SafeTensors};
use std::error::Error;
use std::path::Path;
use std::process::Command;

/// Runs `scripts/make_goldens.py` into a temporary folder and compares each tensor with the committed one.
///
/// # Errors
///
/// Where the script cannot run, a file or tensor is missing on either side, or a tensor differs by more than the
/// tolerance that its file states.
pub(crate) fn compare(root: &Path) -> Result<(), Box<dyn Error>> {
    let fresh = tempfile::tempdir()?;
    let python = root.join(".venv/bin/python");
    let status = Command::new(&python)
        .arg(root.join("scripts/make_goldens.py"))
        .arg(fresh.path())
        .status()
        .map_err(|error| format!("{}: {error}; run `make develop` first", python.display()))?;
    if !status.success() {
        return Err(format!("make_goldens.py ended with {status}").into());
    }
    for entry in std::fs::read_dir(fresh.path())? {
        let name = entry?.file_name();
        let committed = std::fs::read(root.join("tests/goldens").join(&name))?;
        let made = std::fs::read(fresh.path().join(&name))?;
        let worst_db = worst_difference_db(&committed, &made)?;
        let tolerance_db = tolerance_db(&committed)?;
        println!("{}: {worst_db:.1} dB, tolerance {tolerance_db:.0} dB", name.to_string_lossy());
        if worst_db > tolerance_db {
            return Err(format!("{} changed: see why before replacing it", name.to_string_lossy()).into());
        }
    }
    Ok(())
}

fn tolerance_db(file: &[u8]) -> Result<f64, Box<dyn Error>> {
    let (_, header) = SafeTensors::read_metadata(file)?;
    let text = header.metadata().as_ref().and_then(|all| all.get("tolerance_db")).ok_or("no tolerance_db")?;
    Ok(text.parse()?)
}

/// The energy of the difference under the energy of the committed tensor, in decibels, of the worst tensor.
fn worst_difference_db(committed: &[u8], made: &[u8]) -> Result<f64, Box<dyn Error>> {
    let committed = SafeTensors::deserialize(committed)?;
    let made = SafeTensors::deserialize(made)?;
    if committed.names().len() != made.names().len() {
        return Err("the references give other tensors than the committed file holds".into());
    }
    let mut worst_db = f64::NEG_INFINITY;
    for name in committed.names() {
        let expected = values(&committed, name)?;
        let got = values(&made, name)?;
        if expected.len() != got.len() {
            return Err(format!("{name}: {} values before, {} now", expected.len(), got.len()).into());
        }
        let energy: f64 = expected.iter().map(|value| value * value).sum();
        let error: f64 = expected.iter().zip(&got).map(|(a, b)| (a - b) * (a - b)).sum();
        worst_db = worst_db.max(10.0 * (error / energy).log10());
    }
    Ok(worst_db)
}

fn values(file: &SafeTensors<'_>, name: &str) -> Result<Vec<f64>, Box<dyn Error>> {
    let tensor = file.tensor(name)?;
    match tensor.dtype() {
        Dtype::F32 => {
            let (chunks, _) = tensor.data().as_chunks::<4>();
            Ok(chunks.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect())
        }
        Dtype::F64 => {
            let (chunks, _) = tensor.data().as_chunks::<8>();
            Ok(chunks.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
        }
        other => Err(format!("{name}: {other:?}, but goldens are F32 or F64").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::tensor::TensorView;

    fn file(values: &[f32]) -> Vec<u8> {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let view = TensorView::new(Dtype::F32, vec![values.len()], &bytes).unwrap();
        safetensors::serialize([("output", view)], None).unwrap()
    }

    #[test]
    fn a_difference_of_a_thousandth_is_minus_sixty_db() {
        let db = worst_difference_db(&file(&[1.0, -1.0]), &file(&[1.001, -1.001])).unwrap();
        assert!((db + 60.0).abs() < 0.01, "{db}");
    }

    #[test]
    fn another_length_is_an_error() {
        assert!(worst_difference_db(&file(&[1.0]), &file(&[1.0, 2.0])).is_err());
    }
}
