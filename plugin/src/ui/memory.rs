//! What a window remembers from one project to the next: the folder of its browser, the favourites, the pitch of its tuner.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::state::files::{self, folder_from};

/// Largest file that is read; a list of favourites is far smaller.
const MAX_BYTES: u64 = 4 << 20;

/// Kept in a file of the user's configuration, as a convenience: what cannot be read or written is forgotten.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    pub(super) folder: Option<PathBuf>,
    pub(super) favourites: BTreeSet<PathBuf>,
    /// The pitch of A4 in Hz that the tuner takes.
    pub(super) reference_hz: Option<f32>,
}

impl Memory {
    /// What any instance has remembered last in the file called `name`.
    pub(super) fn load(name: &str) -> Memory {
        file(name).map(|path| Memory::read(&path)).unwrap_or_default()
    }

    /// Applies a change to what the file called `name` holds now, which another instance may have written.
    pub(super) fn change(&mut self, name: &str, change: impl FnOnce(&mut Memory)) {
        if let Some(path) = file(name) {
            if path.exists() {
                *self = Memory::read(&path);
            }
            change(self);
            // It is forgotten if the disk is full or the folder read-only.
            let _ = self.write(&path);
        } else {
            change(self);
        }
    }

    fn read(path: &Path) -> Memory {
        let bytes = files::read(path, MAX_BYTES).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        files::replace(path, &serde_json::to_vec_pretty(self)?)
    }
}

/// The file called `name`, where the platform keeps configuration.
fn file(name: &str) -> Option<PathBuf> {
    let folder = if cfg!(target_os = "windows") {
        folder_from("APPDATA")
    } else if cfg!(target_os = "macos") {
        folder_from("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        folder_from("XDG_CONFIG_HOME").or_else(|| folder_from("HOME").map(|home| home.join(".config")))
    };
    Some(folder?.join("neurdsp").join(name))
}

#[cfg(test)]
mod tests {
    use super::Memory;

    #[test]
    fn it_comes_back_and_a_damaged_file_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("neurdsp/plugin.json");
        let mut memory = Memory {
            folder: Some("amps".into()),
            favourites: ["a.nam".into()].into(),
            reference_hz: Some(442.0),
        };
        memory.write(&path).unwrap();
        assert_eq!(Memory::read(&path), memory);
        // One of an earlier version knew no tuner.
        std::fs::write(&path, r#"{"folder": "amps", "favourites": ["a.nam"]}"#).unwrap();
        memory.reference_hz = None;
        assert_eq!(Memory::read(&path), memory);
        std::fs::write(&path, "{\"favourites\": 3").unwrap();
        assert_eq!(Memory::read(&path), Memory::default());
        assert_eq!(Memory::read(&folder.path().join("missing")), Memory::default());
    }
}
