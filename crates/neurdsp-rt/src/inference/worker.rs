//! The thread that answers requests.

use super::job::{Fallback, Job, Reply, Request};
use super::monitor::InferenceMonitor;
use super::priority;
use super::settings::{DropPolicy, InferenceSettings};
use rtrb::{Consumer, Producer, PushError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

pub(super) struct Worker<J: Job> {
    pub(super) job: Option<Box<J>>,
    pub(super) jobs: Consumer<Option<Box<J>>>,
    pub(super) requests: Consumer<Request<J::Request>>,
    pub(super) replies: Producer<Reply<J::Answer>>,
    pub(super) monitor: Arc<InferenceMonitor>,
    pub(super) settings: InferenceSettings,
    pub(super) stops: Arc<AtomicBool>,
    /// The job is to begin anew, whichever request comes to it next.
    pub(super) is_first: bool,
}

impl<J: Job> Worker<J> {
    /// Answers requests until it is stopped.
    pub(super) fn run(mut self) {
        if self.settings.wants_priority {
            self.monitor.set_priority(priority::raise());
        }
        while !self.stops.load(Relaxed) {
            self.change_job();
            let Ok(request) = self.requests.pop() else {
                std::thread::sleep(self.settings.poll);
                continue;
            };
            self.monitor.leave();
            let mut reply = Reply { sequence: request.sequence, outcome: self.answer(&request) };
            while let Err(PushError::Full(full)) = self.replies.push(reply) {
                if self.stops.load(Relaxed) || self.replies.is_abandoned() {
                    break;
                }
                reply = full;
                std::thread::sleep(self.settings.poll);
            }
        }
    }

    fn change_job(&mut self) {
        while let Ok(job) = self.jobs.pop() {
            self.job = job;
            self.is_first = false;
        }
    }

    fn answer(&mut self, request: &Request<J::Request>) -> Result<J::Answer, Fallback> {
        self.is_first |= request.is_first;
        if !request.is_offline {
            if self.settings.policy == DropPolicy::Latest && self.requests.slots() > 0 {
                return Err(Fallback::Skipped);
            }
            if request.submitted.elapsed() > self.settings.deadline {
                self.monitor.miss();
                return Err(Fallback::Expired);
            }
        }
        if self.job.is_none() {
            self.change_job(); // it may have been sent before the request
        }
        let Some(job) = &mut self.job else { return Err(Fallback::NoModel) };
        let begin = Instant::now();
        let is_first = std::mem::take(&mut self.is_first);
        let answer = catch_unwind(AssertUnwindSafe(|| {
            if is_first {
                job.reset();
            }
            job.run(&request.payload)
        }));
        let Ok(answer) = answer else {
            self.job = None;
            self.monitor.set_model(None);
            return Err(Fallback::Failed);
        };
        self.monitor.ran(begin.elapsed(), request.submitted.elapsed(), self.settings.deadline);
        Ok(answer)
    }
}
