//! The folder of a plugin's presets, and their names.

use std::path::{Path, PathBuf};

use super::Owner;
use crate::state::files::{folder_from, has_ending, stem};

/// The ending of their names.
pub(crate) const ENDING: &str = "vstpreset";
/// Most presets that are listed.
const MAX_LISTED: usize = 2000;
/// Longest name, in characters.
const MAX_NAME: usize = 60;

/// Where VST3 hosts keep a user's presets of this plugin; none where there is no home.
pub(crate) fn of(owner: &Owner) -> Option<PathBuf> {
    // VST 3 documentation, "Preset Locations".
    let presets = if cfg!(target_os = "windows") {
        folder_from("USERPROFILE")?.join("Documents").join("VST3 Presets")
    } else if cfg!(target_os = "macos") {
        folder_from("HOME")?.join("Library/Audio/Presets")
    } else {
        folder_from("HOME")?.join(".vst3/presets")
    };
    Some(presets.join(owner.vendor).join(owner.name))
}

/// The presets in `folder`, by name.
pub(crate) fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().take(MAX_LISTED);
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| is_preset(path)).collect();
    paths.sort_by_key(|path| stem(path).to_lowercase());
    paths
}

/// Whether the file's name ends as that of a preset does.
pub(crate) fn is_preset(path: &Path) -> bool {
    has_ending(path, &[ENDING])
}

/// The file of the preset called `name`.
///
/// # Errors
///
/// A sentence for the user: the name is empty, too long, or not possible for a file.
pub(crate) fn file(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let name = name.trim();
    let forbidden = |letter: &char| letter.is_control() || r#"/\:*?"<>|"#.contains(*letter);
    if name.is_empty() {
        return Err("type a name for the preset first".to_owned());
    }
    if name.chars().count() > MAX_NAME {
        return Err(format!("the name of a preset has at most {MAX_NAME} letters"));
    }
    if name.starts_with('.') || name.ends_with('.') {
        return Err("the name of a preset neither begins nor ends with a dot".to_owned());
    }
    match name.chars().find(forbidden) {
        Some(letter) => Err(format!("{letter:?} cannot be in the name of a preset; use another letter")),
        None => Ok(folder.join(format!("{name}.{ENDING}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::{file, list};
    use crate::state::files::stem;

    #[test]
    fn presets_are_listed_by_name_and_other_files_are_not() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["lead", "Crunch"] {
            std::fs::write(file(folder.path(), name).unwrap(), "").unwrap();
        }
        std::fs::write(folder.path().join("notes.txt"), "").unwrap();
        let names: Vec<String> = list(folder.path()).iter().map(|path| stem(path)).collect();
        assert_eq!(names, ["Crunch", "lead"]);
    }

    #[test]
    fn names_that_no_file_can_have_are_refused_in_words() {
        let refusal = |name: &str| file("presets".as_ref(), name).unwrap_err();
        assert!(refusal("  ").contains("type a name"));
        assert!(refusal("AC/DC").contains("'/' cannot be"));
        assert!(refusal("..").contains("dot"));
        assert!(refusal(&"x".repeat(61)).contains("at most 60"));
    }
}
