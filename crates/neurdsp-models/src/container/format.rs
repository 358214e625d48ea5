//! Tells the formats of files apart by their first bytes, not by their names.

use std::io::Read;
use std::path::Path;

use crate::container::open::open;
use crate::container::text::without_mark;
use crate::error::{Error, Result};

/// Enough to tell the formats apart.
const SNIFFED_BYTES: u64 = 1024;

/// Tells a model file from a file of another known format by its first bytes.
///
/// # Errors
/// [`Error::InFile`] with the path: it cannot be read, is no regular file, or is of no format that is known here.
pub fn is_model_file(path: impl AsRef<Path>) -> Result<bool> {
    let path = path.as_ref();
    let format = Format::of_file(path).map_err(|error| error.in_file(path))?;
    Ok(format == Format::Safetensors)
}

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// A model file.
    Safetensors,
    /// An object in JSON.
    Json,
}

impl Format {
    /// The format of the file at `path`.
    ///
    /// # Errors
    /// A file that cannot be read, or is of neither format.
    pub(crate) fn of_file(path: &Path) -> Result<Format> {
        let (file, _) = open(path)?;
        let mut start = Vec::new();
        file.take(SNIFFED_BYTES)
            .read_to_end(&mut start)
            .map_err(|source| Error::Io { action: "read the file", source })?;
        Format::of_bytes(&start)
    }

    /// The format of a file with these bytes, or that begins with them.
    ///
    /// # Errors
    /// Bytes of neither format.
    pub(crate) fn of_bytes(start: &[u8]) -> Result<Format> {
        // A header shorter than 4 GiB has zeros here, which no JSON text has.
        if start.len() > 8 && start[4..8] == [0; 4] && start[8] == b'{' {
            return Ok(Format::Safetensors);
        }
        if start.starts_with(b"\xFF\xFE") || start.starts_with(b"\xFE\xFF") {
            let reason = "it is text in UTF-16; save it as UTF-8, or get the file again".to_owned();
            return Err(Error::UnknownFormat { reason });
        }
        match without_mark(start).iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => Ok(Format::Json),
            _ => Err(Error::UnknownFormat {
                reason: "neither a safetensors model file, a .nam file nor the JSON of an amp model; \
                         get the file again, or export or convert it again"
                    .to_owned(),
            }),
        }
    }
}
