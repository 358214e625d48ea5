//! Sends to an audio thread, which takes only so much at a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long to wait before something is offered again to an audio thread that has not taken what was sent before.
const RETRY: Duration = Duration::from_millis(100);

/// What waits until an audio thread takes it.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// Whether a thread waits.
    is_waiting: AtomicBool,
}

impl Outbox {
    /// Sends by `try_send`, once the audio thread has taken what was sent before: a host that is stopped takes nothing. Not on the
    /// host's threads, which must not wait.
    pub(crate) fn send(&self, try_send: impl Fn() -> neurdsp_rt::Result<()>) -> Result<(), String> {
        loop {
            match try_send() {
                Err(neurdsp_rt::Error::Busy { .. }) => {
                    // One thread waits, and then sends what is the latest.
                    if self.is_waiting.swap(true, Ordering::Relaxed) {
                        return Ok(());
                    }
                    std::thread::sleep(RETRY);
                    self.is_waiting.store(false, Ordering::Relaxed);
                }
                result => return result.map_err(|error| error.to_string()),
            }
        }
    }
}
