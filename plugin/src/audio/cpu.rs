//! How much of its time an audio thread needs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use neurdsp_rt::Monitor;
use parking_lot::Mutex;

/// Block times as shares of the time that a block lasts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct CpuLoad {
    pub(crate) median: f32,
    /// 99 of 100 blocks took at most this.
    pub(crate) p99: f32,
    pub(crate) worst: f32,
    /// Blocks that took longer than they last.
    pub(crate) missed: u64,
}

/// Measures how long a block takes, on the audio thread.
#[derive(Debug)]
pub(crate) struct BlockTimer(Instant);

impl BlockTimer {
    /// Begins a block.
    pub(crate) fn start() -> BlockTimer {
        BlockTimer(Instant::now())
    }

    /// Ends it. Blocks without samples do not count.
    pub(crate) fn stop(self, monitor: &Monitor, n_samples: usize, sample_rate_hz: f64) {
        if n_samples > 0 {
            let duration = Duration::from_secs_f64(n_samples as f64 / sample_rate_hz);
            monitor.record(self.0.elapsed(), duration);
        }
    }
}

/// The monitor of whatever plays now, with the duration of its largest block in µs.
#[derive(Debug, Default)]
pub(crate) struct CpuMeter(Mutex<Option<(Arc<Monitor>, f64)>>);

impl CpuMeter {
    /// Reads from `monitor` from now on; blocks have at most `max_block` samples.
    pub(crate) fn watch(&self, monitor: Arc<Monitor>, sample_rate_hz: f64, max_block: usize) {
        *self.0.lock() = Some((monitor, 1e6 * max_block as f64 / sample_rate_hz));
    }

    /// Forgets the blocks so far.
    pub(crate) fn reset(&self) {
        if let Some((monitor, _)) = &*self.0.lock() {
            monitor.reset();
        }
    }

    /// The load so far; zero before the first monitor.
    pub(crate) fn load(&self) -> CpuLoad {
        let Some((monitor, budget_us)) = self.0.lock().clone() else { return CpuLoad::default() };
        let report = monitor.report();
        let share = |time_us: f64| (time_us / budget_us) as f32;
        CpuLoad {
            median: share(report.median_us),
            p99: share(report.p99_us),
            worst: share(report.worst_us),
            missed: report.missed_deadlines,
        }
    }
}
