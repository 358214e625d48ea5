//! What a project keeps beside the parameters: the model and the cabinet, whole where they are small enough.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// Version of [`Session`]. A newer one is refused with a message, an older one is read.
pub const VERSION: u32 = 1;
/// Largest file that is kept in the project whole; of a larger one only the path and the hash.
pub const MAX_EMBEDDED_BYTES: usize = 8 << 20;

/// What is loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// The version that wrote it.
    pub version: u32,
    /// The model's file.
    pub model: Option<Resource>,
    /// The cabinet's file.
    pub cabinet: Option<Resource>,
}

impl Default for Session {
    fn default() -> Session {
        Session { version: VERSION, model: None, cabinet: None }
    }
}

/// A file that a project needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// Where it was loaded from.
    pub path: PathBuf,
    /// BLAKE3 of its bytes, as hexadecimal digits.
    pub hash: String,
    /// Its bytes in base64, if it is small enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

impl Resource {
    /// Describes the file at `path` with these bytes.
    pub fn new(path: &Path, bytes: &[u8]) -> Resource {
        Resource {
            path: path.to_owned(),
            hash: blake3::hash(bytes).to_hex().to_string(),
            content: (bytes.len() <= MAX_EMBEDDED_BYTES).then(|| STANDARD.encode(bytes)),
        }
    }

    /// The name to show.
    pub fn name(&self) -> String {
        self.path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// The bytes: from the project, or from where they were loaded, if they are still the same there.
    ///
    /// # Errors
    ///
    /// A sentence for the player: the content is damaged, or the file is missing or another one by now.
    pub fn bytes(&self, max_bytes: u64) -> Result<Vec<u8>, String> {
        let name = self.name();
        let bytes = match &self.content {
            Some(content) => STANDARD
                .decode(content)
                .map_err(|_| format!("'{name}' in the project is damaged; load the file again"))?,
            None => read(&self.path, max_bytes)?,
        };
        if blake3::hash(&bytes).to_hex().as_str() == self.hash {
            Ok(bytes)
        } else if self.content.is_some() {
            Err(format!("'{name}' in the project is damaged; load the file again"))
        } else {
            Err(format!(
                "{} is not the file that the project was made with; load the right one",
                self.path.display()
            ))
        }
    }
}

/// Reads a file of at most `max_bytes`.
///
/// # Errors
///
/// A sentence for the player.
pub fn read(path: &Path, max_bytes: u64) -> Result<Vec<u8>, String> {
    let length = std::fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?.len();
    if length > max_bytes {
        return Err(format!(
            "{} has {length} bytes; at most {max_bytes} can be loaded",
            path.display()
        ));
    }
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}
