//! What the editor remembers from one project to the next: the folder that is browsed, and the favourites.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::state;

/// Largest file that is read; a list of favourites is far smaller.
const MAX_BYTES: u64 = 4 << 20;

/// Kept in a file of the player's configuration. It is a comfort: what cannot be read or written is forgotten.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    pub(super) folder: Option<PathBuf>,
    pub(super) favourites: BTreeSet<PathBuf>,
}

impl Memory {
    /// What was remembered last, by any instance.
    pub(super) fn load() -> Memory {
        file().map(|path| Memory::read(&path)).unwrap_or_default()
    }

    /// Changes what is remembered, by this instance or another one meanwhile, and keeps it.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Memory)) {
        if let Some(path) = file() {
            if path.exists() {
                *self = Memory::read(&path);
            }
            change(self);
            // Forgotten, if the disk is full or the folder read-only.
            let _ = self.write(&path);
        } else {
            change(self);
        }
    }

    fn read(path: &Path) -> Memory {
        let bytes = state::read(path, MAX_BYTES).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
        std::fs::write(&temporary, serde_json::to_vec_pretty(self)?)?;
        std::fs::rename(&temporary, path)
    }
}

/// The file, where the platform keeps such.
fn file() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = if cfg!(target_os = "windows") {
        variable("APPDATA")
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        variable("XDG_CONFIG_HOME").or_else(|| variable("HOME").map(|home| home.join(".config")))
    };
    Some(folder?.join("neurdsp").join("plugin.json"))
}

#[cfg(test)]
mod tests {
    use super::Memory;

    #[test]
    fn it_comes_back_and_a_damaged_file_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("neurdsp/plugin.json");
        let memory = Memory { folder: Some("amps".into()), favourites: ["a.nam".into()].into() };
        memory.write(&path).unwrap();
        assert_eq!(Memory::read(&path), memory);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        std::fs::write(&path, "{\"favourites\": 3").unwrap();
        assert_eq!(Memory::read(&path), Memory::default());
        assert_eq!(Memory::read(&folder.path().join("missing")), Memory::default());
    }
}
