//! The processing times of the audio thread, recorded by itself and read by others without a lock.

use crate::times::Times;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

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
    dropped: AtomicU64,
    times: Times,
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
            dropped: AtomicU64::new(0),
            times: Times::new(),
        }
    }

    /// Records one block, which took `elapsed` of its duration `budget`. Neither locks nor allocates.
    pub fn record(&self, elapsed: Duration, budget: Duration) {
        self.times.record(elapsed);
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
        let times = self.times.snapshot();
        PerformanceReport {
            blocks: self.blocks.load(Relaxed),
            missed_deadlines: self.missed.load(Relaxed),
            last_us: times.last_us,
            median_us: times.quantile_us(0.5),
            p99_us: times.quantile_us(0.99),
            worst_us: times.worst_us,
        }
    }

    /// Clears all counters. A block that is recorded meanwhile may count in part.
    pub fn reset(&self) {
        for value in [&self.blocks, &self.missed, &self.dropped] {
            value.store(0, Relaxed);
        }
        self.times.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
