//! What a project keeps beside the parameters: the model and the cabinet, whole where they are small enough.

use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nice_plug::params::persist::PersistentField;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Version of [`Session`]. A newer one is refused with a message, an older one is read: up to version 1 projects had no
/// knobs of models, which stood at the models' defaults.
pub(crate) const VERSION: u32 = 2;
/// The first version with knobs.
pub(crate) const WITH_KNOBS: u32 = 2;
/// Largest file that is kept in the project whole; of a larger one only the path and the hash.
pub(crate) const MAX_EMBEDDED_BYTES: usize = 8 << 20;

/// What is loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The version that wrote it.
    pub(crate) version: u32,
    /// The model's file.
    pub(crate) model: Option<Resource>,
    /// The cabinet's file.
    pub(crate) cabinet: Option<Resource>,
}

impl Session {
    /// Whether this version of the plugin understands it.
    ///
    /// # Errors
    ///
    /// A sentence for the player.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.version <= VERSION {
            return Ok(());
        }
        Err("the project was saved by a newer neurdsp; update this one to load its model".to_owned())
    }
}

impl Default for Session {
    fn default() -> Session {
        Session { version: VERSION, model: None, cabinet: None }
    }
}

/// The session of an instance, which tells when the host has restored one.
#[derive(Default)]
pub(crate) struct Kept {
    session: Mutex<Session>,
    restored: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Kept {
    /// Lets `act` be called whenever the host has restored a session, after the parameters. Only the first call counts.
    pub(crate) fn on_restore(&self, act: impl Fn() + Send + Sync + 'static) {
        // There is one loader to an instance.
        let _ = self.restored.set(Box::new(act));
    }

    /// The session as it is.
    pub(crate) fn get(&self) -> Session {
        self.session.lock().clone()
    }

    /// Reads a part of it.
    pub(crate) fn read<T>(&self, part: impl FnOnce(&Session) -> T) -> T {
        part(&self.session.lock())
    }

    /// Changes it.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Session)) {
        change(&mut self.session.lock());
    }
}

impl PersistentField<'_, Session> for Kept {
    fn set(&self, session: Session) {
        *self.session.lock() = session;
        if let Some(act) = self.restored.get() {
            act();
        }
    }

    fn map<F: Fn(&Session) -> R, R>(&self, read: F) -> R {
        read(&self.session.lock())
    }
}

/// A file that a project needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Resource {
    /// Where it was loaded from.
    pub(crate) path: PathBuf,
    /// SHA-256 of its bytes, as hexadecimal digits.
    pub(crate) hash: String,
    /// Its bytes in base64, if it is small enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<String>,
}

impl Resource {
    /// Describes the file at `path` with these bytes.
    pub(crate) fn new(path: &Path, bytes: &[u8]) -> Resource {
        Resource {
            path: path.to_owned(),
            hash: digest(bytes),
            content: (bytes.len() <= MAX_EMBEDDED_BYTES).then(|| STANDARD.encode(bytes)),
        }
    }

    /// The name to show.
    pub(crate) fn name(&self) -> String {
        self.path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// Whether it is the same file with the same contents.
    pub(crate) fn is(&self, other: &Resource) -> bool {
        self.path == other.path && self.hash == other.hash
    }

    /// The bytes: from the project, or from where they were loaded, if they are still the same there.
    ///
    /// # Errors
    ///
    /// A sentence for the player: the content is damaged, or the file is missing or another one by now.
    pub(crate) fn bytes(&self, max_bytes: u64) -> Result<Vec<u8>, String> {
        let name = self.name();
        let bytes = match &self.content {
            Some(content) => STANDARD
                .decode(content)
                .map_err(|_| format!("'{name}' in the project is damaged; load the file again"))?,
            None => read(&self.path, max_bytes).map_err(|error| {
                format!("{error}; the project keeps only the path of this file: put it back, or load another")
            })?,
        };
        if digest(&bytes) == self.hash {
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

/// SHA-256 as hexadecimal digits.
fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads a file of at most `max_bytes`.
///
/// # Errors
///
/// A sentence for the player.
pub(crate) fn read(path: &Path, max_bytes: u64) -> Result<Vec<u8>, String> {
    let unreadable = |error: std::io::Error| format!("{}: {error}", path.display());
    // What is no file could be read for ever, and its path may come from a project of someone else.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(format!("{} is not a file", path.display()));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(max_bytes + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > max_bytes {
        return Err(format!(
            "{} is larger than {max_bytes} bytes, the most that can be loaded",
            path.display()
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{MAX_EMBEDDED_BYTES, Resource, Session, VERSION, read};

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
        let missing = large.bytes(u64::MAX - 1).unwrap_err();
        assert!(missing.contains("amp.nam") && missing.contains("put it back"), "{missing}");
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(large.bytes(u64::MAX - 1).unwrap(), bytes);
        std::fs::write(&path, b"another").unwrap();
        assert!(large.bytes(100).unwrap_err().contains("not the file that the project was made with"));
    }

    #[test]
    fn a_damaged_project_is_refused_in_words() {
        let mut resource = Resource::new("amp.nam".as_ref(), b"abc");
        for content in ["AAAA", "not base64"] {
            resource.content = Some(content.to_owned());
            assert_eq!(
                resource.bytes(9).unwrap_err(),
                "'amp' in the project is damaged; load the file again"
            );
        }
    }

    #[test]
    fn only_files_are_read_and_only_up_to_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path(), 9).unwrap_err().ends_with("is not a file"));
        let path = folder.path().join("file");
        std::fs::write(&path, b"0123456789").unwrap();
        assert!(read(&path, 9).unwrap_err().contains("larger than 9 bytes"));
        assert_eq!(read(&path, 10).unwrap(), b"0123456789");
    }

    #[test]
    fn sessions_of_later_versions_can_be_told() {
        let later = r#"{"version": 3, "model": null, "cabinet": null, "second_model": null}"#;
        let session: Session = serde_json::from_str(later).unwrap();
        assert!(session.version > VERSION && session.check().is_err());
        assert!(Session::default().check().is_ok());
    }
}
