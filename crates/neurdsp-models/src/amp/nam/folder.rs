//! The older form of a model: a folder with `config.json` and `weights.npy`.

use std::path::Path;

use super::bounds::{MAX_DENSE_WEIGHTS, at_most};
use super::file::NamFile;
use crate::container::json::one_line;
use crate::container::text::{in_text, plain_text};
use crate::error::{Error, Result};

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "weights.npy";
/// The largest `config.json`, in bytes.
const MAX_CONFIG_FILE_BYTES: u64 = 4 << 20;
/// The longest header of `weights.npy`, in bytes.
const MAX_NPY_HEADER: usize = 4096;

impl NamFile {
    /// Whether a folder holds a model in the older form.
    pub(crate) fn is_folder(path: &Path) -> bool {
        path.is_dir() && path.join(CONFIG).is_file()
    }

    /// Reads a folder with `config.json`, which is a `.nam` file without weights, and `weights.npy`, its flat list.
    ///
    /// # Errors
    /// As [`from_bytes`](Self::from_bytes), and for an array that is not one row of float32 or float64.
    pub fn read_folder(path: impl AsRef<Path>) -> Result<NamFile> {
        let path = path.as_ref();
        let read = |name: &str, limit: u64| {
            let path = path.join(name);
            crate::container::open::read_bytes(&path, limit).map_err(|error| error.in_file(&path))
        };
        let config = read(CONFIG, MAX_CONFIG_FILE_BYTES)?;
        let weights = read(WEIGHTS, (8 * MAX_DENSE_WEIGHTS + MAX_NPY_HEADER) as u64)?;
        NamFile::from_folder_bytes(&config, &weights).map_err(|error| error.in_file(path))
    }

    /// As [`read_folder`](Self::read_folder), from the bytes of the two files.
    ///
    /// # Errors
    /// As [`read_folder`](Self::read_folder).
    pub fn from_folder_bytes(config: &[u8], weights: &[u8]) -> Result<NamFile> {
        let read = || NamFile::from_parts(plain_text(CONFIG, config)?, &read_npy(weights)?);
        read().map_err(|error: Error| in_text(error, config))
    }
}

/// The values of a one-dimensional array in numpy's format 1 to 3.
fn read_npy(bytes: &[u8]) -> Result<Vec<f32>> {
    let malformed = |reason: &str| Error::malformed(WEIGHTS, reason);
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or_else(|| malformed("it is not an array of numpy"))?;
    let (header_length, rest) = match rest {
        [1, _, a, b, rest @ ..] => (usize::from(u16::from_le_bytes([*a, *b])), rest),
        [2 | 3, _, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, rest),
        _ => return Err(malformed("its version is not 1 to 3")),
    };
    at_most("the header of weights.npy in bytes", header_length, MAX_NPY_HEADER)?;
    let Some((header, data)) = rest.split_at_checked(header_length) else {
        return Err(malformed("it ends within its header"));
    };
    let header: String = String::from_utf8_lossy(header).split_whitespace().collect();
    let value_bytes = if header.contains("'descr':'<f4'") {
        4
    } else if header.contains("'descr':'<f8'") {
        8
    } else {
        return Err(malformed(&format!(
            "its values are not little-endian float32 or float64: {}",
            one_line(&header)
        )));
    };
    let count = header
        .split_once("'shape':(")
        .and_then(|(_, shape)| shape.split_once(",)"))
        .and_then(|(count, _)| count.parse::<usize>().ok());
    if count.and_then(|count| count.checked_mul(value_bytes)) != Some(data.len()) {
        let reason =
            format!("its shape is not that of one row in {} bytes: {}", data.len(), one_line(&header));
        return Err(malformed(&reason));
    }
    Ok(match value_bytes {
        4 => data.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
        _ => data.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes) as f32).collect(),
    })
}
