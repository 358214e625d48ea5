//! The part of a cache that is in memory: readers share its lock, and the least recently used entries go first.

use super::features::Features;
use super::key::Key;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// What an entry costs besides its values, so that many tiny entries are bounded too.
const OVERHEAD: usize = 256;

/// Features by their keys, within a number of bytes.
#[derive(Debug)]
pub(super) struct Memory {
    max_bytes: usize,
    /// Counts uses, to order them.
    clock: AtomicU64,
    shelf: RwLock<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    slots: HashMap<Key, Slot>,
    /// Keys by the time of their last known use: readers only leave the time in the slot.
    order: BTreeMap<u64, Key>,
    n_bytes: usize,
}

#[derive(Debug)]
struct Slot {
    features: Arc<Features>,
    used: AtomicU64,
}

impl Memory {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { max_bytes, clock: AtomicU64::new(0), shelf: RwLock::default() }
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<Features>> {
        let shelf = self.read();
        let slot = shelf.slots.get(key)?;
        slot.used.store(self.now(), Ordering::Relaxed);
        Some(Arc::clone(&slot.features))
    }

    /// Keeps features, unless they alone are too large; returns how many others were removed for them.
    pub(super) fn insert(&self, key: Key, features: &Arc<Features>) -> usize {
        let size = cost(features);
        if size > self.max_bytes {
            return 0;
        }
        let mut shelf = self.write();
        let shelf = &mut *shelf;
        let now = self.now();
        let slot = Slot { features: Arc::clone(features), used: AtomicU64::new(now) };
        if let Some(old) = shelf.slots.insert(key, slot) {
            // Another thread was faster, with the same values. Its place in the order refers to the new slot.
            shelf.n_bytes -= cost(&old.features);
        } else {
            shelf.order.insert(now, key);
        }
        shelf.n_bytes += size;
        let mut evicted = 0;
        while shelf.n_bytes > self.max_bytes {
            let Some((known, key)) = shelf.order.pop_first() else { break };
            let Some(slot) = shelf.slots.get(&key) else { continue };
            let used = slot.used.load(Ordering::Relaxed);
            if used > known {
                // Used since: it moves to its new place. The first entry whose time is up to date is the oldest.
                shelf.order.insert(used, key);
            } else if let Some(slot) = shelf.slots.remove(&key) {
                shelf.n_bytes -= cost(&slot.features);
                evicted += 1;
            }
        }
        evicted
    }

    pub(super) fn clear(&self) {
        *self.write() = Shelf::default();
    }

    /// Entries, and their bytes.
    pub(super) fn size(&self) -> (usize, usize) {
        let shelf = self.read();
        (shelf.slots.len(), shelf.n_bytes)
    }

    fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed) + 1
    }

    // Nothing can panic halfway through a change, so a poisoned lock guards a consistent shelf.
    fn read(&self) -> RwLockReadGuard<'_, Shelf> {
        self.shelf.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Shelf> {
        self.shelf.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cost(features: &Features) -> usize {
    features.n_bytes() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(number: u8) -> Key {
        Key::from_bytes(&[number; Key::LEN])
    }

    fn features(n_values: usize) -> Arc<Features> {
        Arc::new(Features::new(1, n_values, vec![0.0_f32; n_values]).unwrap())
    }

    proptest! {
        /// Against the simplest list that does the same: the latest used at its end.
        #[test]
        fn it_is_a_list_in_the_order_of_use(
            steps in prop::collection::vec((any::<bool>(), 0_u8..12, 0_usize..300), 1..200),
            room in 0_usize..4000,
        ) {
            let memory = Memory::new(room);
            let mut list: Vec<(Key, usize)> = Vec::new();
            for (reads, number, n_values) in steps {
                let key = key(number);
                let place = list.iter().position(|(other, _)| *other == key);
                if reads {
                    prop_assert_eq!(memory.get(&key).is_some(), place.is_some());
                    if let Some(place) = place {
                        let used = list.remove(place);
                        list.push(used);
                    }
                } else {
                    let features = features(n_values);
                    memory.insert(key, &features);
                    if cost(&features) <= room {
                        if let Some(place) = place {
                            list.remove(place);
                        }
                        list.push((key, cost(&features)));
                    }
                    while list.iter().map(|(_, size)| size).sum::<usize>() > room {
                        list.remove(0);
                    }
                }
                prop_assert_eq!(memory.size(), (list.len(), list.iter().map(|(_, size)| size).sum()));
            }
        }
    }

    #[test]
    fn features_outlive_their_eviction() {
        let memory = Memory::new(4 * 100 + OVERHEAD);
        memory.insert(key(1), &features(100));
        let held = memory.get(&key(1)).unwrap();
        assert_eq!(memory.insert(key(2), &features(50)), 1);
        assert!(memory.get(&key(1)).is_none());
        assert_eq!(held.n_frames(), 100);
    }
}
