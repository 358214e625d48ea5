//! Opening regular files, and no folders, devices or pipes.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::container::bounds::at_most;
use crate::error::{Error, Result};

/// Enough to tell the formats of files apart.
const SNIFFED_BYTES: u64 = 64;

/// Opens a regular file and gives its length in bytes.
pub(crate) fn open(path: &Path) -> Result<(File, u64)> {
    let io = |source| Error::Io { action: "open the file", source };
    // Asked of the path and not of the open file, because opening a pipe would wait for a writer.
    let metadata = std::fs::metadata(path).map_err(io)?;
    if !metadata.is_file() {
        let kind = if metadata.is_dir() { "a folder" } else { "a device or pipe" };
        return Err(Error::malformed("the path", format!("it is {kind}, not a model file")));
    }
    Ok((File::open(path).map_err(io)?, metadata.len()))
}

/// Tells a model file from files of other formats by its first bytes.
///
/// # Errors
/// [`Error::InFile`] with the path: it cannot be read, or is no regular file.
pub fn is_model_file(path: impl AsRef<Path>) -> Result<bool> {
    let path = path.as_ref();
    Ok(has_header(&first_bytes(path).map_err(|error| error.in_file(path))?))
}

/// The first bytes of a regular file, enough to tell its format.
pub(crate) fn first_bytes(path: &Path) -> Result<Vec<u8>> {
    let (file, _) = open(path)?;
    let mut start = Vec::new();
    file.take(SNIFFED_BYTES)
        .read_to_end(&mut start)
        .map_err(|source| Error::Io { action: "read the file", source })?;
    Ok(start)
}

/// True if a file that starts so has the header of a model file.
pub(crate) fn has_header(start: &[u8]) -> bool {
    // The length of a header under 4 GiB has zeros here, which no JSON text has.
    start.len() > 8 && start[4..8] == [0; 4] && start[8] == b'{'
}

/// Reads a regular file of at most `limit` bytes into memory.
pub(crate) fn read_bytes(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let (file, length) = open(path)?;
    at_most("the size of the file in bytes", length, limit)?;
    let mut bytes = Vec::with_capacity(length as usize);
    // The file may have grown since its length was asked for.
    file.take(limit)
        .read_to_end(&mut bytes)
        .map_err(|source| Error::Io { action: "read the file", source })?;
    Ok(bytes)
}
