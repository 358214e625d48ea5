//! The side of a worker that loads models, off the audio thread.

use super::job::Job;
use super::monitor::InferenceMonitor;
use crate::error::{Error, Result};
use rtrb::{Consumer, Producer};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Instant;

/// The most models that may wait.
pub(super) const MAX_WAITING_JOBS: usize = 8;

/// The side of a worker that loads models, off the audio thread. Dropping it stops the worker; requests then fall back.
pub struct InferenceHandle<J: Job> {
    pub(super) jobs: Producer<Option<Box<J>>>,
    /// Models that the audio thread is done with.
    pub(super) back: Option<Consumer<Box<J>>>,
    pub(super) monitor: Arc<InferenceMonitor>,
    pub(super) stops: Arc<AtomicBool>,
    pub(super) thread: Option<JoinHandle<()>>,
}

impl<J: Job> InferenceHandle<J> {
    /// Builds a model, measures how long that takes, and sends it; requests from now on are answered by it.
    ///
    /// # Errors
    /// Those of `build`, after which the old model stays; [`Error::Busy`] if eight changes wait already, which happens only
    /// inline and without requests.
    pub fn load<E: From<Error>>(
        &mut self,
        build: impl FnOnce() -> std::result::Result<J, E>,
    ) -> std::result::Result<(), E> {
        let begin = Instant::now();
        let job = Box::new(build()?);
        let (time, bytes) = (begin.elapsed(), job.memory_bytes());
        self.send(Some(job))?;
        self.monitor.set_load(time);
        self.monitor.set_model(Some(bytes));
        Ok(())
    }

    /// Removes the model: requests fall back.
    ///
    /// # Errors
    /// [`Error::Busy`], as [`load`](Self::load).
    pub fn remove(&mut self) -> Result<()> {
        self.monitor.set_model(None);
        self.send(None)
    }

    fn send(&mut self, job: Option<Box<J>>) -> Result<()> {
        self.collect();
        self.jobs.push(job).map_err(|_| Error::Busy { waiting: MAX_WAITING_JOBS })
    }

    /// Frees the models that the audio thread is done with, and returns their number. Loading does it too.
    pub fn collect(&mut self) -> usize {
        let Some(back) = &mut self.back else { return 0 };
        std::iter::from_fn(|| back.pop().ok()).count()
    }

    /// What the worker does, which any thread may read.
    #[must_use]
    pub fn monitor(&self) -> &Arc<InferenceMonitor> {
        &self.monitor
    }
}

impl<J: Job> Drop for InferenceHandle<J> {
    fn drop(&mut self) {
        self.monitor.set_model(None);
        self.stops.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            // A worker never panics: a job that does is caught.
            let _ = thread.join();
        }
    }
}
