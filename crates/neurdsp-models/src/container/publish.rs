//! Groups of finished files, synced to the disk and given their names.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::PathBuf;

/// Syncs finished files, then renames them to where they belong.
///
/// Each item is a temporary and a final path in one folder; a final file that exists is replaced in one step. The results
/// tell what became of each; after an error its temporary file is removed.
///
/// Files are synced before they are renamed: after a power cut a file is the old one or the new one, never empty. One
/// commit of the file system's journal serves the whole group, which takes a fraction of the time of syncing them in turn.
pub fn publish(files: &[(PathBuf, PathBuf)]) -> Vec<io::Result<()>> {
    // Windows syncs only what is open for writing.
    let opened: Vec<io::Result<File>> =
        files.iter().map(|(temporary, _)| OpenOptions::new().write(true).open(temporary)).collect();
    if files.len() > 1 {
        opened.iter().flatten().for_each(start_writing);
    }
    // Pages are written in order: once those of the last file are on the disk, no other sync has to wait.
    let mut synced: Vec<io::Result<()>> =
        opened.into_iter().rev().map(|file| file.and_then(|file| file.sync_all())).collect();
    synced.reverse();
    let renamed = files.iter().zip(synced).map(|((from, to), synced)| {
        synced.and_then(|()| std::fs::rename(from, to)).inspect_err(|_| drop(std::fs::remove_file(from)))
    });
    renamed.collect()
}

/// Blocks of a file are allocated when its pages are written. Linux starts to do so on this advice: once all files of a
/// group have their blocks, the first sync commits them all. Elsewhere each sync does its own work.
fn start_writing(file: &File) {
    #[cfg(target_os = "linux")]
    // It is advice: nothing is lost if it is not taken.
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_of_a_group_gets_its_name_or_its_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("folder")).expect("a folder in the way");
        std::fs::write(path("old"), "old").expect("an old file");
        let files = ["a", "old", "folder", "absent"].map(|name| (path(&format!("{name}.tmp")), path(name)));
        for (temporary, _) in &files[..3] {
            std::fs::write(temporary, "new").expect("a temporary file");
        }
        let results = publish(&files);
        assert_eq!(results.iter().map(io::Result::is_ok).collect::<Vec<_>>(), [true, true, false, false]);
        assert_eq!(std::fs::read(path("a")).expect("the file"), b"new");
        assert_eq!(std::fs::read(path("old")).expect("the file"), b"new");
        assert_eq!(results[3].as_ref().expect_err("no file").kind(), io::ErrorKind::NotFound);
        assert!(files.iter().all(|(temporary, _)| !temporary.exists()));
    }
}
