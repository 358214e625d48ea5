//! Reads and replaces small files.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::Refusal;

/// Reads a file of at most `max_bytes`.
///
/// # Errors
///
/// In words for the user.
pub(crate) fn read(path: &Path, max_bytes: u64) -> Result<Vec<u8>, Refusal> {
    let unreadable = |error: std::io::Error| Refusal::system(path, &error);
    // A device could be read for ever, and the path may come from someone else's project.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(Refusal::of(path, "this is not a file"));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(max_bytes + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > max_bytes {
        return Err(Refusal::of(path, format!("larger than {max_bytes} bytes, the most that can be loaded")));
    }
    Ok(bytes)
}

/// Writes a file whole or not at all, over one that is there, and makes its folder.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    std::fs::write(&temporary, bytes)?;
    std::fs::rename(&temporary, path)
}

/// A file in `folder` that is not there yet: `<stem>_<number>.<ending>`.
pub(crate) fn unused(folder: &Path, stem: &str, ending: &str) -> PathBuf {
    let path = |number: u32| folder.join(format!("{stem}_{number:02}.{ending}"));
    (1..).map(path).find(|path| !path.exists()).unwrap_or_else(|| path(0))
}

/// A folder that an environment variable names; none if it is unset or empty.
pub(crate) fn folder_from(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The name of a file to show: without its folder and its ending.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Whether the file's name ends in one of these, which are in small letters.
pub(crate) fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| endings.contains(&ending.as_str()))
}

#[cfg(test)]
mod tests {
    use super::{read, replace};

    #[test]
    fn only_files_are_read_and_only_up_to_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path(), 9).unwrap_err().reason, "this is not a file");
        let path = folder.path().join("file");
        std::fs::write(&path, b"0123456789").unwrap();
        assert!(read(&path, 9).unwrap_err().reason.contains("larger than 9 bytes"));
        assert_eq!(read(&path, 10).unwrap(), b"0123456789");
    }

    #[test]
    fn a_replaced_file_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/file.json");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(read(&path, 9).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
