//! The cache itself: in memory, and in a folder if one is given.

use super::disk::{Disk, Found};
use super::features::{Features, Values};
use super::key::Key;
use super::memory::Memory;
use crate::error::Result;
use crate::sample::Sample;
use crate::spectrum::Spectrogram;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A cache of features: in memory under a lock that readers share, and in a folder if one is given.
///
/// Any number of threads may use one cache, and any number of processes one folder. Cached features are bit for bit
/// what computing them again would give. When the cache is full, the least recently used features go first. A damaged file
/// is removed and computed again; if a folder fails, caching stops and nothing else (see [`CacheStats`]).
///
/// ```
/// use neurdsp_dsp::{Magnitude, MelCache, Projection, Spectrogram, StftConfig};
///
/// let plan = Spectrogram::<f32>::new(StftConfig::new(512), Magnitude::Power, Projection::Bins(257), None)?;
/// let cache = MelCache::in_memory(1 << 24);
/// let audio = vec![0.5; 16_000];
/// let first = cache.get_or_compute(&plan, &audio)?;
/// let again = cache.get_or_compute(&plan, &audio)?;
/// assert_eq!(first.as_f32(), Some(&plan.process(&audio)?[..]));
/// assert!(std::sync::Arc::ptr_eq(&first, &again));
/// assert_eq!((cache.stats().misses, cache.stats().memory_hits), (1, 1));
/// # Ok::<(), neurdsp_dsp::Error>(())
/// ```
#[derive(Debug)]
pub struct MelCache {
    memory: Memory,
    disk: Option<Disk>,
    memory_hits: AtomicU64,
    disk_hits: AtomicU64,
    misses: AtomicU64,
    evictions: AtomicU64,
    damaged: AtomicU64,
    failed_writes: AtomicU64,
}

/// What a cache has done, and how large it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Found in memory.
    pub memory_hits: u64,
    /// Found in the folder.
    pub disk_hits: u64,
    /// Not found.
    pub misses: u64,
    /// Removed to make room, from memory or from the folder.
    pub evictions: u64,
    /// Damaged files.
    pub damaged: u64,
    /// Files that could not be written, because the disk is full for instance.
    pub failed_writes: u64,
    /// Entries in memory.
    pub entries: usize,
    /// Bytes in memory.
    pub memory_bytes: usize,
    /// Bytes in the folder, not counting recent writes by others.
    pub disk_bytes: u64,
}

impl MelCache {
    /// A cache of up to `max_bytes` in memory, and nothing on disk.
    #[must_use]
    pub fn in_memory(max_bytes: usize) -> Self {
        Self {
            memory: Memory::new(max_bytes),
            disk: None,
            memory_hits: AtomicU64::new(0),
            disk_hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            evictions: AtomicU64::new(0),
            damaged: AtomicU64::new(0),
            failed_writes: AtomicU64::new(0),
        }
    }

    /// A cache of up to `max_bytes` in memory and `max_disk_bytes` in a folder, which is created if it does not exist.
    ///
    /// Processes that write at the same time may each exceed the limit of the folder by a sixteenth.
    ///
    /// # Errors
    ///
    /// [`Error::Folder`](crate::Error::Folder) if the folder cannot be created or written to.
    pub fn open(folder: impl AsRef<Path>, max_bytes: usize, max_disk_bytes: u64) -> Result<Self> {
        let disk = Some(Disk::open(folder.as_ref(), max_disk_bytes)?);
        Ok(Self { disk, ..Self::in_memory(max_bytes) })
    }

    /// The spectrogram of the samples, from the cache or computed on this thread and kept.
    ///
    /// Two threads that miss the same key at once both compute it.
    ///
    /// # Errors
    ///
    /// As [`Spectrogram::process`]; nothing is kept then.
    pub fn get_or_compute<T: Sample>(&self, plan: &Spectrogram<T>, samples: &[T]) -> Result<Arc<Features>>
    where
        Values: From<Vec<T>>,
    {
        let key = Key::new(plan, samples, "");
        if let Some(features) = self.get(&key) {
            return Ok(features);
        }
        let values = plan.process(samples)?;
        Ok(self.insert(key, Features::new(plan.n_rows(), values.len() / plan.n_rows(), values)?))
    }

    /// Looks features up, in memory and then in the folder.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Arc<Features>> {
        if let Some(features) = self.memory.get(key) {
            count(&self.memory_hits, 1);
            return Some(features);
        }
        match self.disk.as_ref().map_or(Found::Nothing, |disk| disk.get(key)) {
            Found::Features(features) => {
                count(&self.disk_hits, 1);
                let features = Arc::new(features);
                count(&self.evictions, self.memory.insert(*key, &features));
                return Some(features);
            }
            Found::Damaged => count(&self.damaged, 1),
            Found::Nothing => {}
        }
        count(&self.misses, 1);
        None
    }

    /// Keeps features under `key`.
    pub fn insert(&self, key: Key, features: Features) -> Arc<Features> {
        let features = Arc::new(features);
        count(&self.evictions, self.memory.insert(key, &features));
        match self.disk.as_ref().map_or(Ok(0), |disk| disk.insert(&key, &features)) {
            Ok(evicted) => count(&self.evictions, evicted),
            Err(_) => count(&self.failed_writes, 1),
        }
        features
    }

    /// Drops everything, in memory and in the folder.
    pub fn clear(&self) {
        self.memory.clear();
        if let Some(disk) = &self.disk {
            disk.clear();
        }
    }

    /// What the cache has done since it was made, and how large it is.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        let (entries, memory_bytes) = self.memory.size();
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CacheStats {
            memory_hits: read(&self.memory_hits),
            disk_hits: read(&self.disk_hits),
            misses: read(&self.misses),
            evictions: read(&self.evictions),
            damaged: read(&self.damaged),
            failed_writes: read(&self.failed_writes),
            entries,
            memory_bytes,
            disk_bytes: self.disk.as_ref().map_or(0, Disk::n_bytes),
        }
    }
}

fn count(counter: &AtomicU64, number: usize) {
    counter.fetch_add(number as u64, Ordering::Relaxed);
}
