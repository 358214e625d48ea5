//! Opening regular files, and no folders, devices or pipes.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::container::bounds::at_most;
use crate::error::{Error, Result};

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
