//! The bounds of a model file. Outside files are hostile: each size is compared with its bound before anything of that
//! size is allocated.

use crate::error::{Error, Result};

/// The largest file, in bytes.
pub(crate) const MAX_FILE_BYTES: u64 = 2 << 30;
/// The largest header, in bytes.
pub(crate) const MAX_HEADER_BYTES: u64 = 4 << 20;
/// The most tensors.
pub(crate) const MAX_TENSORS: u64 = 16_384;
/// The most axes of a tensor.
pub(crate) const MAX_AXES: u64 = 8;

/// Refuses a quantity over its bound.
pub(crate) fn at_most(what: &str, got: u64, limit: u64) -> Result<()> {
    if got > limit {
        return Err(Error::TooLarge { what: what.to_owned(), limit, got });
    }
    Ok(())
}
