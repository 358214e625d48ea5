//! How far the engine and NAM Core's own rendering lie from double precision, on real models.
//!
//! ```sh
//! NEURDSP_AMP_REFERENCE=FOLDER cargo test -p neurdsp-rt --test double_precision -- --nocapture
//! ```
//!
//! The folder has `models/*.nam`, `input.wav` and `expected/*.wav`, rendered by NAM Core; see `tests/amp/test_nam.py`, which
//! holds the engine against those. Without the variable nothing is tested.
// Helpers outside of a test function may unwrap as well; the figures are what the test is run for.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

#[path = "../../neurdsp-models/tests/amp/nam_engine/reference.rs"]
mod reference;

use neurdsp_models::amp::nam::{Conventions, NamFile, Network};
use neurdsp_models::{LoadedModel, NamOptions};
use std::path::Path;

fn samples(path: &Path) -> Vec<f32> {
    hound::WavReader::open(path).unwrap().samples::<f32>().map(Result::unwrap).collect()
}

/// The largest and the effective difference, in dB of the largest expected value.
fn errors_db(got: &[f32], expected: &[f64]) -> [f64; 2] {
    let peak = expected.iter().fold(0.0f64, |a, y| a.max(y.abs()));
    let errors = || got.iter().zip(expected).map(|(y, e)| (f64::from(*y) - e).abs());
    let rms = (errors().map(|e| e * e).sum::<f64>() / got.len() as f64).sqrt();
    [errors().fold(0.0, f64::max), rms].map(|error| 20.0 * (error / peak).log10())
}

#[test]
fn the_engine_is_as_near_to_double_precision_as_nam_core() {
    let Some(folder) = std::env::var_os("NEURDSP_AMP_REFERENCE") else { return };
    let folder = Path::new(&folder);
    let input = samples(&folder.join("input.wav"));
    let exact = vec![input.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>()];
    let mut paths: Vec<_> =
        std::fs::read_dir(folder.join("models")).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let file = NamFile::from_bytes(&std::fs::read(&path).unwrap()).unwrap();
        let network = match file.at_size(None).unwrap().1.into_owned() {
            Network::Wavenet(network) => network,
            _ => continue,
        };
        let model = LoadedModel::from_nam(file, &NamOptions::default()).unwrap();
        let mut got = vec![0.0; input.len()];
        model.build_stream().unwrap().process(&input, &mut got);
        let expected = &reference::render(&network, &exact, Conventions::Core)[0];
        let [engine, engine_rms] = errors_db(&got, expected);
        let [core, core_rms] = errors_db(&samples(&folder.join(format!("expected/{name}.wav"))), expected);
        eprintln!(
            "{name:>24}: engine {engine:7.1} dB at most, {engine_rms:7.1} rms; NAM Core {core:7.1} at most, {core_rms:7.1} rms"
        );
        assert!(engine < (core + 3.0).max(-110.0) && engine_rms < -110.0, "{name}");
    }
}
