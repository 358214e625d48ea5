//! Hashes of files that are in memory.

use blake2b_simd::Params;
use blake2b_simd::many::{HashManyJob, hash_many};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The BLAKE2b-128 of each content in hexadecimal digits. Several are hashed at a time, in the lanes of one register.
#[pyfunction]
pub(crate) fn blake2b_128(py: Python<'_>, contents: Vec<Bound<'_, PyBytes>>) -> Vec<String> {
    let contents: Vec<&[u8]> = contents.iter().map(|content| content.as_bytes()).collect();
    py.detach(|| {
        let mut params = Params::new();
        params.hash_length(16);
        let mut jobs: Vec<_> = contents.iter().map(|content| HashManyJob::new(&params, content)).collect();
        hash_many(&mut jobs);
        jobs.iter().map(|job| job.to_hash().to_hex().to_string()).collect()
    })
}
