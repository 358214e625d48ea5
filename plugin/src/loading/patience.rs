//! Waiting for the worker, which only an offline render may.

use std::time::{Duration, Instant};

use super::Requests;

/// The longest wait. A request takes some milliseconds; a machine may be busy.
const LIMIT: Duration = Duration::from_secs(30);
/// How often it checks.
const POLL: Duration = Duration::from_micros(100);

/// Waits for requests to be met, at most once for those that are not.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    /// Whether the last wait was in vain: then there are no more until a request is met.
    gave_up: bool,
}

impl Patience {
    /// Waits until every request is met.
    pub(crate) fn wait(&mut self, requests: &Requests) {
        let start = Instant::now();
        while !requests.are_met() {
            if self.gave_up || start.elapsed() > LIMIT {
                self.gave_up = true;
                return;
            }
            std::thread::sleep(POLL);
        }
        self.gave_up = false;
    }
}
