//! How a worker works.

use crate::error::{Error, Result};
use std::time::Duration;

/// Where requests are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InferenceMode {
    /// On a thread of its own.
    #[default]
    Worker,
    /// On the audio thread itself, within the call of [`submit`](super::Inference::submit): for models that take a small part of
    /// a block.
    Inline,
}

/// Which request is dropped when a worker falls behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DropPolicy {
    /// The new one, once [`capacity`](InferenceSettings::capacity) requests wait. For models with a state, which want every request.
    #[default]
    Newest,
    /// All but the latest that waits. For models without a state, whose older answers are of no use.
    Latest,
}

/// How a worker works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InferenceSettings {
    /// How many requests may wait, and how many answers be due: 1 to 65 536.
    pub capacity: usize,
    /// A request that the worker has not begun after so long is dropped; an answer that takes longer counts as a missed deadline.
    pub deadline: Duration,
    /// How long the worker sleeps when nothing waits; up to 100 ms. The audio thread never wakes it, since that is a system call.
    pub poll: Duration,
    /// Which request is dropped when the worker falls behind.
    pub policy: DropPolicy,
    /// Whether to ask the system for a real-time priority.
    pub wants_priority: bool,
}

impl Default for InferenceSettings {
    /// 64 requests, 20 ms, 250 µs, [`DropPolicy::Newest`], with priority.
    fn default() -> InferenceSettings {
        InferenceSettings {
            capacity: 64,
            deadline: Duration::from_millis(20),
            poll: Duration::from_micros(250),
            policy: DropPolicy::Newest,
            wants_priority: true,
        }
    }
}

impl InferenceSettings {
    pub(super) fn check(&self) -> Result<()> {
        if !(1..=1 << 16).contains(&self.capacity) {
            return Err(Error::parameter("capacity", self.capacity, "it must be 1 to 65536 requests"));
        }
        if self.poll > Duration::from_millis(100) {
            let poll = format!("{} ms", self.poll.as_millis());
            return Err(Error::parameter("poll", poll, "it must be at most 100 ms"));
        }
        Ok(())
    }
}
