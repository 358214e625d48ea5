//! Files of a corpus: hashes of those in memory, and the publishing of results.

use crate::errors::ParameterError;
use blake2b_simd::Params;
use blake2b_simd::many::{HashManyJob, hash_many};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use std::path::PathBuf;

/// The BLAKE2b-128 of each content in hexadecimal digits. Several are hashed at a time, in the lanes of one register.
#[pyfunction]
pub(crate) fn blake2b_128(py: Python<'_>, contents: Vec<PyReadonlyArray1<'_, u8>>) -> PyResult<Vec<String>> {
    let contents: Vec<&[u8]> = contents
        .iter()
        .map(|content| content.as_slice())
        .collect::<Result<_, _>>()
        .map_err(|_| ParameterError::new_err("the contents must be contiguous arrays of bytes"))?;
    Ok(py.detach(|| {
        let mut params = Params::new();
        params.hash_length(16);
        let mut jobs: Vec<_> = contents.iter().map(|content| HashManyJob::new(&params, content)).collect();
        hash_many(&mut jobs);
        jobs.iter().map(|job| job.to_hash().to_hex().to_string()).collect()
    }))
}

/// Syncs finished files and renames them, from the first to the second path of each pair; gives the number of the operating
/// system's error for each that failed.
#[pyfunction]
pub(crate) fn publish_files(py: Python<'_>, files: Vec<(PathBuf, PathBuf)>) -> Vec<Option<i32>> {
    let number =
        |result: std::io::Result<()>| result.err().map(|error| error.raw_os_error().unwrap_or_default());
    py.detach(|| neurdsp_models::publish(&files).into_iter().map(number).collect())
}
