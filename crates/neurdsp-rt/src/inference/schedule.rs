//! Answers kept until the musical step at which they are applied.

use super::job::Fallback;
use std::collections::VecDeque;

/// Answers by the step at which they are due, so that what is heard does not depend on when they came.
///
/// Neither side of it allocates after construction. Requests are numbered one after the other and due in their order.
///
/// # Example
///
/// ```
/// use neurdsp_rt::inference::{Fallback, Schedule};
///
/// let mut schedule = Schedule::new(8);
/// schedule.expect(0, 16);
/// schedule.expect(1, 17);
/// schedule.settle(0, Ok("C major"));
/// assert_eq!(schedule.due(15), None);
/// assert_eq!(schedule.due(16), Some((0, Ok("C major"))));
/// assert_eq!(schedule.due(17), Some((1, Err(Fallback::Late))));
/// ```
#[derive(Debug)]
pub struct Schedule<A> {
    entries: VecDeque<Entry<A>>,
    capacity: usize,
}

#[derive(Debug)]
struct Entry<A> {
    sequence: u64,
    step: i64,
    outcome: Option<Result<A, Fallback>>,
}

impl<A: Copy> Schedule<A> {
    /// A schedule of so many requests.
    #[must_use]
    pub fn new(capacity: usize) -> Schedule<A> {
        Schedule { entries: VecDeque::with_capacity(capacity), capacity }
    }

    /// Whether as many requests are expected as may.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.entries.len() >= self.capacity
    }

    /// Expects the answer to a request at a step; tells whether there was room. Numbers rise from call to call.
    pub fn expect(&mut self, sequence: u64, step: i64) -> bool {
        let has_room = !self.is_full();
        if has_room {
            self.entries.push_back(Entry { sequence, step, outcome: None });
        }
        has_room
    }

    /// Keeps what came of a request; one that is expected no more is forgotten.
    pub fn settle(&mut self, sequence: u64, outcome: Result<A, Fallback>) {
        let index = self.entries.partition_point(|entry| entry.sequence < sequence);
        if let Some(entry) = self.entries.get_mut(index)
            && entry.sequence == sequence
        {
            entry.outcome = Some(outcome);
        }
    }

    /// Takes the next request that is due at this step or before, with what came of it. Call it until there is none.
    pub fn due(&mut self, step: i64) -> Option<(u64, Result<A, Fallback>)> {
        self.entries.front().filter(|entry| entry.step <= step)?;
        let entry = self.entries.pop_front()?;
        Some((entry.sequence, entry.outcome.unwrap_or(Err(Fallback::Late))))
    }

    /// Whether the next request that is due at this step or before has no answer yet.
    #[must_use]
    pub fn is_late(&self, step: i64) -> bool {
        self.entries.front().is_some_and(|entry| entry.step <= step && entry.outcome.is_none())
    }

    /// Expects nothing any more.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}
