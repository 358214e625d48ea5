//! What a worker does, recorded by the threads that do it and read by others without a lock.

use super::job::Fallback;
use crate::times::Times;
use std::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::time::Duration;

/// The priority of a worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Priority {
    /// That of any thread: real-time priority was not asked for, or there is no worker.
    #[default]
    Normal = 0,
    /// Above normal threads and below audio threads (`SCHED_FIFO` on Unix, the highest class of a normal process on Windows).
    RealTime = 1,
    /// Real-time priority was asked for, and the system refused it: the worker competes with all other threads. On Linux,
    /// `ulimit -r` or a membership in the group `audio` or `realtime` grants it.
    Refused = 2,
}

/// Counters and times of a worker. Any thread may call [`report`](Self::report); nothing waits.
#[derive(Debug)]
pub struct InferenceMonitor {
    run: Times,
    turnaround: Times,
    load_ns: AtomicU64,
    pub(super) submissions: AtomicU64,
    answers: AtomicU64,
    /// By `Fallback`.
    dropped: [AtomicU64; 6],
    missed: AtomicU64,
    waiting: AtomicU64,
    deepest: AtomicU64,
    audio_waits: AtomicU64,
    queue_bytes: u64,
    job_bytes: AtomicU64,
    has_model: AtomicBool,
    priority: AtomicU8,
}

/// What an [`InferenceMonitor`] has recorded.
///
/// Once all requests are answered, `answers + dropped() == submissions`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct InferenceReport {
    /// Whether a model is loaded.
    pub has_model: bool,
    /// How long loading it took, in milliseconds.
    pub load_ms: f64,
    /// Requests that were submitted.
    pub submissions: u64,
    /// Answers that came back, late ones too.
    pub answers: u64,
    /// Requests that were dropped because no model is loaded.
    pub without_model: u64,
    /// Requests that were dropped because as many waited as may.
    pub refused: u64,
    /// Requests that were dropped for a newer one.
    pub skipped: u64,
    /// Requests that were dropped because their deadline passed before the worker came to them.
    pub expired: u64,
    /// Requests at which the model failed.
    pub failed: u64,
    /// Requests that expired, or were answered after their deadline.
    pub missed_deadlines: u64,
    /// Answers that were not there at their step. They count as answers when they come.
    pub late: u64,
    /// Requests that wait.
    pub queue_depth: u64,
    /// The most that waited at once.
    pub max_queue_depth: u64,
    /// How often the audio thread waited for an answer: 0 but in offline renders, where it may.
    pub audio_waits: u64,
    /// The time of the model for one request, in microseconds: the latest.
    pub last_us: f64,
    /// Half of the requests took at most this long; up to 1/16 too high.
    pub median_us: f64,
    /// 99 % of them.
    pub p99_us: f64,
    /// 99.9 % of them.
    pub p999_us: f64,
    /// The slowest, exactly.
    pub worst_us: f64,
    /// From submission until the answer could be fetched: half of the requests took at most this long.
    pub turnaround_median_us: f64,
    /// 99.9 % of them.
    pub turnaround_p999_us: f64,
    /// The memory of the model and the queues.
    pub memory_bytes: u64,
    /// The priority of the worker.
    pub priority: Priority,
}

impl InferenceReport {
    /// Requests without an answer, for whatever reason.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.without_model + self.refused + self.skipped + self.expired + self.failed
    }
}

impl InferenceMonitor {
    pub(super) fn new(queue_bytes: usize) -> InferenceMonitor {
        InferenceMonitor {
            run: Times::new(),
            turnaround: Times::new(),
            load_ns: AtomicU64::new(0),
            submissions: AtomicU64::new(0),
            answers: AtomicU64::new(0),
            dropped: [const { AtomicU64::new(0) }; 6],
            missed: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
            deepest: AtomicU64::new(0),
            audio_waits: AtomicU64::new(0),
            queue_bytes: queue_bytes as u64,
            job_bytes: AtomicU64::new(0),
            has_model: AtomicBool::new(false),
            priority: AtomicU8::new(Priority::Normal as u8),
        }
    }

    /// What was recorded since the start or the last [`reset`](Self::reset).
    #[must_use]
    pub fn report(&self) -> InferenceReport {
        let (run, turnaround) = (self.run.snapshot(), self.turnaround.snapshot());
        let dropped = |fallback: Fallback| self.dropped[fallback as usize].load(Relaxed);
        InferenceReport {
            has_model: self.has_model(),
            load_ms: self.load_ns.load(Relaxed) as f64 * 1e-6,
            submissions: self.submissions.load(Relaxed),
            answers: self.answers.load(Relaxed),
            without_model: dropped(Fallback::NoModel),
            refused: dropped(Fallback::Refused),
            skipped: dropped(Fallback::Skipped),
            expired: dropped(Fallback::Expired),
            failed: dropped(Fallback::Failed),
            late: dropped(Fallback::Late),
            missed_deadlines: self.missed.load(Relaxed),
            queue_depth: self.waiting.load(Relaxed),
            max_queue_depth: self.deepest.load(Relaxed),
            audio_waits: self.audio_waits.load(Relaxed),
            last_us: run.last_us,
            median_us: run.quantile_us(0.5),
            p99_us: run.quantile_us(0.99),
            p999_us: run.quantile_us(0.999),
            worst_us: run.worst_us,
            turnaround_median_us: turnaround.quantile_us(0.5),
            turnaround_p999_us: turnaround.quantile_us(0.999),
            memory_bytes: self.queue_bytes + self.job_bytes.load(Relaxed),
            priority: match self.priority.load(Relaxed) {
                1 => Priority::RealTime,
                2 => Priority::Refused,
                _ => Priority::Normal,
            },
        }
    }

    /// Clears times and counters, but for the depth of the queue. What is recorded meanwhile may count in part.
    pub fn reset(&self) {
        let counters = [&self.submissions, &self.answers, &self.missed, &self.deepest, &self.audio_waits];
        counters.into_iter().chain(&self.dropped).for_each(|counter| counter.store(0, Relaxed));
        self.run.reset();
        self.turnaround.reset();
    }

    pub(super) fn has_model(&self) -> bool {
        // The model was sent before the flag: whoever sees the flag finds the model in the queue.
        self.has_model.load(Acquire)
    }

    pub(super) fn set_model(&self, bytes: Option<usize>) {
        self.job_bytes.store(bytes.unwrap_or(0) as u64, Relaxed);
        self.has_model.store(bytes.is_some(), Release);
    }

    pub(super) fn set_load(&self, time: Duration) {
        self.load_ns.store(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    pub(super) fn set_priority(&self, priority: Priority) {
        self.priority.store(priority as u8, Relaxed);
    }

    pub(super) fn answered(&self) {
        self.answers.fetch_add(1, Relaxed);
    }

    pub(super) fn drop_one(&self, why: Fallback) {
        self.dropped[why as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn miss(&self) {
        self.missed.fetch_add(1, Relaxed);
    }

    pub(super) fn wait(&self) {
        self.audio_waits.fetch_add(1, Relaxed);
    }

    /// Counts a request before it is sent, so that the worker never counts below zero.
    pub(super) fn enter(&self) {
        self.waiting.fetch_add(1, Relaxed);
    }

    /// Remembers how many wait, once a request is sent.
    pub(super) fn entered(&self) {
        self.deepest.fetch_max(self.waiting.load(Relaxed), Relaxed);
    }

    pub(super) fn leave(&self) {
        self.waiting.fetch_sub(1, Relaxed);
    }

    pub(super) fn ran(&self, run: Duration, turnaround: Duration, deadline: Duration) {
        self.run.record(run);
        self.turnaround.record(turnaround);
        if turnaround > deadline {
            self.miss();
        }
    }
}
