//! Times in a histogram of fixed size, recorded by one thread and read by others without a lock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Parts of an octave of time, so that a quantile is known to 1/16.
const PARTS: usize = 16;
/// Times of 2⁴⁰ ns (18 minutes) and more share the last part.
const OCTAVES: usize = 37;
const BUCKETS: usize = PARTS * (OCTAVES + 1);

/// Times in a histogram of fixed size. All counters are relaxed atomics: nothing waits.
#[derive(Debug)]
pub(crate) struct Times {
    last_ns: AtomicU64,
    worst_ns: AtomicU64,
    histogram: [AtomicU64; BUCKETS],
}

/// The times at one moment.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) last_us: f64,
    pub(crate) worst_us: f64,
    counts: Vec<u64>,
}

impl Times {
    pub(crate) fn new() -> Times {
        Times {
            last_ns: AtomicU64::new(0),
            worst_ns: AtomicU64::new(0),
            histogram: [const { AtomicU64::new(0) }; BUCKETS],
        }
    }

    /// Records a time. Neither locks nor allocates.
    pub(crate) fn record(&self, time: Duration) {
        let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.last_ns.store(ns, Relaxed);
        self.worst_ns.fetch_max(ns, Relaxed);
        self.histogram[bucket(ns)].fetch_add(1, Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            last_us: self.last_ns.load(Relaxed) as f64 * 1e-3,
            worst_us: self.worst_ns.load(Relaxed) as f64 * 1e-3,
            counts: self.histogram.iter().map(|count| count.load(Relaxed)).collect(),
        }
    }

    /// Clears all counters. A time that is recorded meanwhile may count in part.
    pub(crate) fn reset(&self) {
        self.last_ns.store(0, Relaxed);
        self.worst_ns.store(0, Relaxed);
        self.histogram.iter().for_each(|count| count.store(0, Relaxed));
    }
}

impl Snapshot {
    /// This share of the times, 0 to 1, is at most so many microseconds; up to 1/16 too high.
    pub(crate) fn quantile_us(&self, share: f64) -> f64 {
        let wanted = (share * self.counts.iter().sum::<u64>() as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        let found = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        found.map_or(0.0, |index| (upper_edge(index) as f64 * 1e-3).min(self.worst_us))
    }
}

/// Octave and part of an octave; below 16 ns a part is a nanosecond.
fn bucket(ns: u64) -> usize {
    let Some(octave) = (ns / PARTS as u64).checked_ilog2() else { return ns as usize };
    let part = (ns >> octave) as usize - PARTS;
    (PARTS * (octave as usize + 1) + part).min(BUCKETS - 1)
}

/// The largest time that falls into a bucket, in nanoseconds.
fn upper_edge(index: usize) -> u64 {
    if index < PARTS {
        return index as u64;
    }
    let (octave, part) = (index / PARTS - 1, index % PARTS);
    ((PARTS + part + 1) as u64) << octave
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_lies_below_its_upper_edge_by_at_most_a_sixteenth() {
        for ns in (0..5000).chain((0..39).map(|k| (1u64 << k) + 12_345)) {
            let edge = upper_edge(bucket(ns));
            assert!(edge >= ns && edge as f64 <= ns as f64 * (1.0 + 1.0 / 16.0) + 1.0, "{ns} ns: {edge}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }
}
