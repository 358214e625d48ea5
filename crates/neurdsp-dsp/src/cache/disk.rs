//! The part of a cache that lives in a folder, which any number of threads and processes may use at once.
//!
//! A file appears under its name only when it is complete (a temporary name, then a rename), and its hash is checked
//! when it is read, so a reader finds intact features or none. A file's modification time is that of its last use; the
//! oldest go first.

use super::features::Features;
use super::key::Key;
use crate::error::{Error, Result};
use std::fs::{self, File, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// Locked by whoever makes room.
const LOCK: &str = "lock";
const SUFFIX: &str = "mel";
const TEMPORARY: &str = "tmp";

/// No write takes this long: the writer was killed.
const ABANDONED: Duration = Duration::from_secs(3600);

/// The result of a lookup.
pub(super) enum Found {
    Features(Features),
    Nothing,
    /// There was a damaged file; it has been removed.
    Damaged,
}

/// Features in the files of a folder.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    max_bytes: u64,
    /// Bytes of all files when they were last counted, and bytes written by this process since.
    counted: AtomicU64,
    written: AtomicU64,
    serial: AtomicU64,
    /// Distinguishes the temporary names of this process from those of others, on other machines too.
    process: u64,
}

impl Disk {
    /// Opens a folder, and creates it if needed.
    pub(super) fn open(folder: &Path, max_bytes: u64) -> Result<Self> {
        let refuse = |error: io::Error| Error::Folder {
            path: folder.display().to_string(),
            reason: error.to_string(),
        };
        fs::create_dir_all(folder).map_err(refuse)?;
        // The lock is the first file that must be written.
        File::options().create(true).append(true).open(folder.join(LOCK)).map_err(refuse)?;
        let disk = Self {
            folder: folder.to_path_buf(),
            max_bytes,
            counted: AtomicU64::new(0),
            written: AtomicU64::new(0),
            serial: AtomicU64::new(0),
            process: RandomState::new().hash_one(std::process::id()),
        };
        disk.make_room();
        Ok(disk)
    }

    pub(super) fn get(&self, key: &Key) -> Found {
        let path = self.path(key);
        let Ok(mut file) = File::open(&path) else { return Found::Nothing };
        match Features::read(key, &mut file, self.max_bytes) {
            Ok(Some(features)) => {
                // In a read-only folder the order of use is lost, and nothing else.
                let _ = file.set_modified(SystemTime::now());
                Found::Features(features)
            }
            _ => {
                // If another process has just replaced the file, its features are lost and computed again.
                let _ = fs::remove_file(&path);
                Found::Damaged
            }
        }
    }

    /// Writes a file, unless it alone is too large; returns how many others were removed for it.
    pub(super) fn insert(&self, key: &Key, features: &Features) -> io::Result<usize> {
        let length = features.file_len();
        if length > self.max_bytes {
            return Ok(0);
        }
        let path = self.path(key);
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let temporary = path.with_file_name(format!(".{:016x}-{serial}.{TEMPORARY}", self.process));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let written = File::create_new(&temporary)
            .and_then(|mut file| features.write(key, &mut file))
            .and_then(|()| fs::rename(&temporary, &path));
        if let Err(error) = written {
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        let written = self.written.fetch_add(length, Ordering::Relaxed) + length;
        // Others write too: whoever has added a sixteenth counts again.
        let full = self.counted.load(Ordering::Relaxed).saturating_add(written) > self.max_bytes;
        Ok(if full || written > self.max_bytes / 16 { self.make_room() } else { 0 })
    }

    /// Counts the files; if they exceed the limit, removes the oldest until a sixteenth of it is free.
    ///
    /// Only one thread of all processes does this at a time; the others carry on.
    fn make_room(&self) -> usize {
        let Ok(lock) = File::options().append(true).open(self.folder.join(LOCK)) else { return 0 };
        // On a file system without locks, two that make room at once remove more than needed, which does no harm.
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            return 0;
        }
        let mut files = Vec::new();
        let mut total = 0_u64;
        for file in self.files() {
            total += file.length;
            files.push(file);
        }
        let mut removed = 0;
        if total > self.max_bytes {
            files.sort_unstable_by_key(|file| file.used);
            let wanted = self.max_bytes - self.max_bytes / 16;
            for file in &files {
                if total <= wanted {
                    break;
                }
                if fs::remove_file(&file.path).is_ok() {
                    removed += 1;
                }
                total -= file.length;
            }
        }
        self.counted.store(total, Ordering::Relaxed);
        self.written.store(0, Ordering::Relaxed);
        removed
    }

    pub(super) fn clear(&self) {
        for file in self.files() {
            let _ = fs::remove_file(file.path);
        }
        self.counted.store(0, Ordering::Relaxed);
        self.written.store(0, Ordering::Relaxed);
    }

    /// Bytes of all files, as far as this process knows.
    pub(super) fn n_bytes(&self) -> u64 {
        self.counted.load(Ordering::Relaxed).saturating_add(self.written.load(Ordering::Relaxed))
    }

    /// All files of features. Leftovers of killed writers are removed on the way; other files are ignored.
    fn files(&self) -> impl Iterator<Item = Stored> {
        let now = SystemTime::now();
        let folders = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let inside = folders.filter_map(|folder| fs::read_dir(folder.path()).ok()).flatten().flatten();
        inside.filter_map(move |entry| {
            let (path, name) = (entry.path(), entry.file_name());
            let kind = kind(name.to_str()?)?;
            let data = entry.metadata().ok()?;
            let used = data.modified().ok()?;
            if kind == SUFFIX {
                return Some(Stored { used, length: data.len(), path });
            }
            if now.duration_since(used).is_ok_and(|age| age > ABANDONED) {
                let _ = fs::remove_file(path);
            }
            None
        })
    }

    /// `folder/ab/abcd....mel`: 256 folders, so that none holds too many files.
    fn path(&self, key: &Key) -> PathBuf {
        let name = key.to_string();
        self.folder.join(&name[..2]).join(format!("{name}.{SUFFIX}"))
    }
}

/// Which of the cache's two kinds of file has this name, if any.
fn kind(name: &str) -> Option<&'static str> {
    let (stem, suffix) = name.rsplit_once('.')?;
    let digits = |part: &str, n: usize| part.len() == n && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (first, last) = stem.split_once('-')?;
    if suffix == SUFFIX && digits(first, 64) && digits(last, 32) {
        return Some(SUFFIX);
    }
    let first = first.strip_prefix('.')?;
    (suffix == TEMPORARY && digits(first, 16)).then_some(TEMPORARY)
}

struct Stored {
    path: PathBuf,
    used: SystemTime,
    length: u64,
}
