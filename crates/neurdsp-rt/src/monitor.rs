//! The processing times of the audio thread, recorded by itself and read by others without a lock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Parts of an octave of time, so that a quantile is known to 1/16.
const PARTS: usize = 16;
/// Times of 2⁴⁰ ns (18 minutes) and more share the last part.
const OCTAVES: usize = 37;
const BUCKETS: usize = PARTS * (OCTAVES + 1);

/// Times of the blocks that were played, in a histogram of fixed size.
///
/// The audio thread calls [`record`](Self::record) while any thread may call [`report`](Self::report). All counters are
/// relaxed atomics: a report may miss the block that is being recorded, and nothing waits.
///
/// # Example
///
/// ```
/// use neurdsp_rt::Monitor;
/// use std::time::Duration;
///
/// let monitor = Monitor::new();
/// for us in 1..=100 {
///     monitor.record(Duration::from_micros(us), Duration::from_micros(95));
/// }
/// let report = monitor.report();
/// assert_eq!((report.blocks, report.missed_deadlines), (100, 5));
/// assert!((50.0..54.0).contains(&report.median_us));
/// ```
#[derive(Debug)]
pub struct Monitor {
    blocks: AtomicU64,
    missed: AtomicU64,
    last_ns: AtomicU64,
    worst_ns: AtomicU64,
    dropped: AtomicU64,
    histogram: [AtomicU64; BUCKETS],
}

/// What a [`Monitor`] has recorded. Times are microseconds of wall clock per block; zero without a block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PerformanceReport {
    /// Blocks that were played.
    pub blocks: u64,
    /// Blocks that took longer than their duration.
    pub missed_deadlines: u64,
    /// The latest block.
    pub last_us: f64,
    /// Half of the blocks took at most this long; up to 1/16 too high.
    pub median_us: f64,
    /// 99 % of the blocks took at most this long; up to 1/16 too high.
    pub p99_us: f64,
    /// The slowest block, exactly.
    pub worst_us: f64,
}

impl Default for Monitor {
    fn default() -> Self {
        Monitor::new()
    }
}

impl Monitor {
    /// An empty monitor.
    #[must_use]
    pub fn new() -> Monitor {
        Monitor {
            blocks: AtomicU64::new(0),
            missed: AtomicU64::new(0),
            last_ns: AtomicU64::new(0),
            worst_ns: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            histogram: [const { AtomicU64::new(0) }; BUCKETS],
        }
    }

    /// Records one block, which took `elapsed` of its duration `budget`. Neither locks nor allocates.
    pub fn record(&self, elapsed: Duration, budget: Duration) {
        let ns = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.last_ns.store(ns, Relaxed);
        self.worst_ns.fetch_max(ns, Relaxed);
        self.histogram[bucket(ns)].fetch_add(1, Relaxed);
        if elapsed > budget {
            self.missed.fetch_add(1, Relaxed);
        }
        self.blocks.fetch_add(1, Relaxed);
    }

    /// Counts samples that were not valid and were played as zero. Neither locks nor allocates.
    pub(crate) fn drop_samples(&self, count: usize) {
        if count > 0 {
            self.dropped.fetch_add(count as u64, Relaxed);
        }
    }

    /// How many samples of a model or a cabinet were not finite, or over 120 dB of full scale, and were played as zero; since
    /// the start or the last [`reset`](Self::reset).
    #[must_use]
    pub fn dropped_samples(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// The times since the start or the last [`reset`](Self::reset).
    #[must_use]
    pub fn report(&self) -> PerformanceReport {
        let counts: Vec<u64> = self.histogram.iter().map(|count| count.load(Relaxed)).collect();
        let worst_us = self.worst_ns.load(Relaxed) as f64 * 1e-3;
        let quantile = |share: f64| {
            let wanted = (share * counts.iter().sum::<u64>() as f64).ceil().max(1.0) as u64;
            let mut seen = 0;
            let found = counts.iter().position(|count| {
                seen += count;
                seen >= wanted
            });
            found.map_or(0.0, |index| (upper_edge(index) as f64 * 1e-3).min(worst_us))
        };
        PerformanceReport {
            blocks: self.blocks.load(Relaxed),
            missed_deadlines: self.missed.load(Relaxed),
            last_us: self.last_ns.load(Relaxed) as f64 * 1e-3,
            median_us: quantile(0.5),
            p99_us: quantile(0.99),
            worst_us,
        }
    }

    /// Clears all counters. A block that is recorded meanwhile may count in part.
    pub fn reset(&self) {
        for value in [&self.blocks, &self.missed, &self.last_ns, &self.worst_ns, &self.dropped] {
            value.store(0, Relaxed);
        }
        self.histogram.iter().for_each(|count| count.store(0, Relaxed));
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

    #[test]
    fn quantiles_are_those_of_the_blocks() {
        let monitor = Monitor::new();
        assert_eq!(monitor.report(), PerformanceReport::default());
        for us in (1..=1000).rev() {
            monitor.record(Duration::from_micros(us), Duration::from_micros(990));
        }
        let report = monitor.report();
        assert_eq!((report.blocks, report.missed_deadlines), (1000, 10));
        assert_eq!((report.last_us, report.worst_us), (1.0, 1000.0));
        assert!((500.0..=532.0).contains(&report.median_us), "{report:?}");
        assert!((990.0..=1000.0).contains(&report.p99_us), "{report:?}");
        monitor.reset();
        assert_eq!(monitor.report(), PerformanceReport::default());
    }
}
