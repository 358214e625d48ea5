//! A file that a project needs.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Refusal, files};

/// Largest file that a project keeps whole; of a larger one it keeps the path and the hash.
const MAX_EMBEDDED_BYTES: usize = 8 << 20;

/// A file as a project keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Resource {
    /// Where it was loaded from.
    pub(crate) path: PathBuf,
    /// SHA-256 of its bytes, as hexadecimal digits.
    pub(crate) hash: String,
    /// Its bytes in base64, if it is small enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

impl Resource {
    /// The file at `path`, with these bytes.
    pub(crate) fn new(path: &Path, bytes: &[u8]) -> Resource {
        Resource {
            path: path.to_owned(),
            hash: digest(bytes),
            content: (bytes.len() <= MAX_EMBEDDED_BYTES).then(|| STANDARD.encode(bytes)),
        }
    }

    /// The same, of which a project keeps only the path and the hash, however small it is.
    pub(crate) fn by_name(path: &Path, bytes: &[u8]) -> Resource {
        Resource { path: path.to_owned(), hash: digest(bytes), content: None }
    }

    /// The name to show.
    pub(crate) fn name(&self) -> String {
        files::stem(&self.path)
    }

    /// Whether it is the same file with the same contents.
    pub(crate) fn is(&self, other: &Resource) -> bool {
        self.path == other.path && self.hash == other.hash
    }

    /// Whether both are the same file, or neither is there.
    pub(crate) fn are_same(one: Option<&Resource>, other: Option<&Resource>) -> bool {
        match (one, other) {
            (Some(one), Some(other)) => one.is(other),
            (None, None) => true,
            _ => false,
        }
    }

    /// The bytes: from the project, or from where the file was loaded, if it is still the same.
    ///
    /// # Errors
    ///
    /// In words for the user: the content is damaged, or the file is missing or has changed.
    pub(crate) fn bytes(&self, max_bytes: u64) -> Result<Vec<u8>, Refusal> {
        let refused = |reason: &str| Refusal::of(&self.path, reason);
        let damaged = || refused("its copy in the project is damaged; load the file again");
        let bytes = match &self.content {
            Some(content) => STANDARD.decode(content).map_err(|_| damaged())?,
            None => files::read(&self.path, max_bytes).map_err(|refusal| {
                let reason = refusal.reason;
                refused(&format!(
                    "{reason}; the project keeps only the path of this file: put it back, or load another"
                ))
            })?,
        };
        if digest(&bytes) == self.hash {
            Ok(bytes)
        } else if self.content.is_some() {
            Err(damaged())
        } else {
            Err(refused("not the file that the project was made with; load the right one"))
        }
    }
}

/// SHA-256 as hexadecimal digits.
fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{MAX_EMBEDDED_BYTES, Resource};

    #[test]
    fn a_small_file_is_kept_whole_and_a_large_one_by_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("amp.nam");
        let small = Resource::new(&path, b"abc");
        assert_eq!(small.hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(small.bytes(3).unwrap(), b"abc");

        let bytes = vec![7; MAX_EMBEDDED_BYTES + 1];
        let large = Resource::new(&path, &bytes);
        assert!(large.content.is_none());
        let missing = large.bytes(u64::MAX - 1).unwrap_err().to_string();
        assert!(missing.contains("amp.nam") && missing.contains("put it back"), "{missing}");
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(large.bytes(u64::MAX - 1).unwrap(), bytes);
        std::fs::write(&path, b"another").unwrap();
        assert!(large.bytes(100).unwrap_err().reason.contains("not the file that the project was made with"));
    }

    #[test]
    fn damaged_content_is_refused_in_words() {
        let mut resource = Resource::new("amp.nam".as_ref(), b"abc");
        for content in ["AAAA", "not base64"] {
            resource.content = Some(content.to_owned());
            assert_eq!(
                resource.bytes(9).unwrap_err().to_string(),
                "amp.nam: its copy in the project is damaged; load the file again"
            );
        }
    }
}
