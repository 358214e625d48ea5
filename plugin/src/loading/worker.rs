//! Work that the audio thread requests, such as preparing a model for turned knobs.
//!
//! Each instance has a thread for it. The framework's background thread is shared by all instances, and ends for good when an
//! instance goes away that has work waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{JoinHandle, Thread};

use parking_lot::Mutex;

use super::Tasks;

/// Requests of the audio thread. It makes one by counting it, and then unparks the worker's thread.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    made: AtomicU32,
    /// The last of them that was met.
    met: AtomicU32,
    /// Whether another thread wants the work done once more.
    nudged: AtomicBool,
}

impl Requests {
    /// Makes a request. Neither allocates nor waits.
    pub(crate) fn make(&self) {
        self.made.fetch_add(1, Ordering::Release);
    }

    /// Has the worker do the work once more, though the audio thread has not requested it. The worker is to be woken after.
    pub(crate) fn nudge(&self) {
        self.nudged.store(true, Ordering::Release);
    }

    /// Whether the last request was met.
    pub(crate) fn are_met(&self) -> bool {
        self.met.load(Ordering::Acquire) == self.made.load(Ordering::Relaxed)
    }

    /// Counts all requests as met.
    #[cfg(test)]
    pub(crate) fn meet(&self) {
        self.met.store(self.made.load(Ordering::Relaxed), Ordering::Release);
    }
}

/// The thread that meets the requests. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts a thread that calls `work` once for all requests made since its last call began.
    ///
    /// # Errors
    ///
    /// The system cannot create a thread.
    pub(crate) fn start(
        requests: &Arc<Requests>,
        mut work: impl FnMut() + Send + 'static,
    ) -> std::io::Result<Worker> {
        let ends = Arc::new(AtomicBool::new(false));
        let (requested, ending) = (Arc::clone(requests), Arc::clone(&ends));
        let run = move || {
            while !ending.load(Ordering::Acquire) {
                let made = requested.made.load(Ordering::Acquire);
                let nudged = requested.nudged.swap(false, Ordering::AcqRel);
                if !nudged && made == requested.met.load(Ordering::Relaxed) {
                    std::thread::park();
                    continue;
                }
                work();
                requested.met.store(made, Ordering::Release);
            }
        };
        let thread = std::thread::Builder::new().name("neurdsp".to_owned()).spawn(run)?;
        Ok(Worker { ends, thread: Some(thread) })
    }

    /// The thread, to unpark after a request.
    pub(crate) fn thread(&self) -> Option<Thread> {
        self.thread.as_ref().map(|handle| handle.thread().clone())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It runs code of this library, which the host may unload next. A panic in it was reported already.
            let _ = thread.join();
        }
    }
}

/// The worker of an instance, while there is an audio thread.
#[derive(Debug, Default)]
pub(crate) struct WorkerSlot(Mutex<Option<Worker>>);

impl WorkerSlot {
    /// Starts a worker, and returns its thread. If the system cannot create it, `tasks` show so, with what does not work for `lack`
    /// of it.
    pub(crate) fn start(
        &self,
        requests: &Arc<Requests>,
        work: impl FnMut() + Send + 'static,
        tasks: &Tasks,
        lack: &str,
    ) -> Option<Thread> {
        match Worker::start(requests, work) {
            Ok(worker) => {
                let thread = worker.thread();
                *self.0.lock() = Some(worker);
                thread
            }
            Err(error) => {
                tasks.refuse(format!("{lack}: {error}; close some programs"));
                None
            }
        }
    }

    /// Ends the worker.
    pub(crate) fn stop(&self) {
        // Joined outside the lock.
        let worker = self.0.lock().take();
        drop(worker);
    }

    /// Has the worker do its work once more, though the audio thread has not requested it.
    pub(crate) fn nudge(&self, requests: &Requests) {
        requests.nudge();
        if let Some(thread) = self.0.lock().as_ref().and_then(Worker::thread) {
            thread.unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::{Duration, Instant};

    use super::{Requests, Worker};

    fn wait_for(what: impl Fn() -> bool) {
        let start = Instant::now();
        while !what() {
            assert!(start.elapsed() < Duration::from_secs(10), "the worker does nothing");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn requests_and_nudges_are_met_and_nothing_runs_after_the_end() {
        let (requests, runs) = (Arc::new(Requests::default()), Arc::new(AtomicU32::new(0)));
        let counted = Arc::clone(&runs);
        let worker = Worker::start(&requests, move || _ = counted.fetch_add(1, Ordering::Relaxed)).unwrap();
        assert!(requests.are_met());
        requests.make();
        assert!(!requests.are_met());
        worker.thread().unwrap().unpark();
        wait_for(|| requests.are_met());
        assert_eq!(runs.load(Ordering::Relaxed), 1);
        requests.nudge();
        worker.thread().unwrap().unpark();
        wait_for(|| runs.load(Ordering::Relaxed) == 2);
        drop(worker);
        requests.make();
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!((requests.are_met(), runs.load(Ordering::Relaxed)), (false, 2));
    }
}
