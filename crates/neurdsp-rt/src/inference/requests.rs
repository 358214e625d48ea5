//! The side of a worker on the audio thread: it asks, and applies answers at the step at which they are due.

use super::handle::{InferenceHandle, MAX_WAITING_JOBS};
use super::job::{Fallback, Job, Reply, Request};
use super::monitor::InferenceMonitor;
use super::schedule::Schedule;
use super::settings::{InferenceMode, InferenceSettings};
use super::worker::Worker;
use crate::error::{Error, Result};
use rtrb::{Consumer, Producer, PushError, RingBuffer};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How long an offline render sleeps between two looks for an answer.
const OFFLINE_POLL: Duration = Duration::from_micros(50);

/// The side of a worker on the audio thread.
///
/// [`submit`](Self::submit) and [`due`](Self::due) never allocate, lock, wait or call the system, but in an
/// [offline](Self::set_offline) render, where they wait for the worker.
pub struct Inference<J: Job> {
    place: Place<J>,
    schedule: Schedule<J::Answer>,
    monitor: Arc<InferenceMonitor>,
    deadline: Duration,
    next: u64,
    is_offline: bool,
    is_first: bool,
}

enum Place<J: Job> {
    Worker {
        requests: Producer<Request<J::Request>>,
        replies: Consumer<Reply<J::Answer>>,
        stops: Arc<AtomicBool>,
    },
    Inline {
        job: Option<Box<J>>,
        jobs: Consumer<Option<Box<J>>>,
        back: Producer<Box<J>>,
    },
}

/// Both sides of a worker, without a model: until one is loaded, every request falls back.
///
/// # Errors
/// Settings outside of their bounds, or no thread to be had.
///
/// # Example
/// ```
/// use neurdsp_rt::inference::{Fallback, InferenceMode, InferenceSettings, Job, inference};
///
/// struct Double;
/// impl Job for Double {
///     type Request = f32;
///     type Answer = f32;
///     fn run(&mut self, request: &f32) -> f32 {
///         2.0 * request
///     }
/// }
///
/// let (mut audio, mut handle) = inference(InferenceMode::Worker, InferenceSettings::default())?;
/// audio.set_offline(true); // so that this example need not wait for the worker
/// audio.submit(&1.0, 16); // no model yet
/// handle.load(|| Ok::<_, neurdsp_rt::Error>(Double))?;
/// audio.submit(&21.0, 17);
///
/// // Sixteen steps later, on the audio thread:
/// assert_eq!(audio.due(16), Some((0, Err(Fallback::NoModel))));
/// assert_eq!(audio.due(17), Some((1, Ok(42.0))));
/// assert_eq!(handle.monitor().report().answers, 1);
/// # Ok::<(), neurdsp_rt::Error>(())
/// ```
pub fn inference<J: Job>(
    mode: InferenceMode,
    settings: InferenceSettings,
) -> Result<(Inference<J>, InferenceHandle<J>)> {
    settings.check()?;
    let capacity = settings.capacity;
    let (there, jobs) = RingBuffer::new(MAX_WAITING_JOBS);
    let entry = size_of::<Request<J::Request>>() + 2 * size_of::<Reply<J::Answer>>();
    let monitor = Arc::new(InferenceMonitor::new(capacity * entry));
    let stops = Arc::new(AtomicBool::new(false));
    let (place, back, thread) = match mode {
        InferenceMode::Inline => {
            let (to, back) = RingBuffer::new(2 * MAX_WAITING_JOBS);
            (Place::Inline { job: None, jobs, back: to }, Some(back), None)
        }
        InferenceMode::Worker => {
            let (requests, asked) = RingBuffer::new(capacity);
            let (answered, replies) = RingBuffer::new(capacity);
            let worker = Worker {
                job: None,
                jobs,
                requests: asked,
                replies: answered,
                monitor: Arc::clone(&monitor),
                settings,
                stops: Arc::clone(&stops),
                is_first: false,
            };
            let thread = std::thread::Builder::new().name("neurdsp-inference".into());
            let thread = thread.spawn(move || worker.run()).map_err(|error| {
                Error::parameter("the worker", error, "it needs a thread; end other programs")
            })?;
            (Place::Worker { requests, replies, stops: Arc::clone(&stops) }, None, Some(thread))
        }
    };
    let handle = InferenceHandle { jobs: there, back, monitor: Arc::clone(&monitor), stops, thread };
    let schedule = Schedule::new(capacity);
    let deadline = settings.deadline;
    Ok((
        Inference { place, schedule, monitor, deadline, next: 0, is_offline: false, is_first: false },
        handle,
    ))
}

impl<J: Job> Inference<J> {
    /// Asks for an answer that is due at a musical step, and returns the number of the request: 0, 1, 2, …
    ///
    /// Steps must not fall from call to call. If the request is dropped, [`due`](Self::due) says why.
    pub fn submit(&mut self, request: &J::Request, due_step: i64) -> u64 {
        let sequence = self.next;
        self.next += 1;
        self.monitor.submissions.fetch_add(1, Relaxed);
        self.receive();
        if !self.schedule.expect(sequence, due_step) {
            self.monitor.drop_one(Fallback::Refused);
            return sequence;
        }
        if let Err(why) = self.send(sequence, request) {
            self.monitor.drop_one(why);
            self.schedule.settle(sequence, Err(why));
        }
        sequence
    }

    fn send(&mut self, sequence: u64, request: &J::Request) -> std::result::Result<(), Fallback> {
        if let Place::Inline { job, jobs, back } = &mut self.place {
            exchange(job, jobs, back);
        }
        if !self.monitor.has_model() {
            return Err(Fallback::NoModel);
        }
        let submitted = Instant::now();
        match &mut self.place {
            Place::Inline { job, .. } => {
                let job = job.as_mut().ok_or(Fallback::NoModel)?;
                if std::mem::take(&mut self.is_first) {
                    job.reset();
                }
                let answer = job.run(request);
                let time = submitted.elapsed();
                self.monitor.ran(time, time, self.deadline);
                self.monitor.answered();
                self.schedule.settle(sequence, Ok(answer));
            }
            Place::Worker { requests, stops, .. } => {
                let (is_offline, is_first) = (self.is_offline, self.is_first);
                let mut request = Request { sequence, submitted, is_offline, is_first, payload: *request };
                self.monitor.enter();
                while let Err(PushError::Full(full)) = requests.push(request) {
                    if !is_offline || stops.load(Relaxed) {
                        self.monitor.leave();
                        return Err(Fallback::Refused);
                    }
                    self.monitor.wait();
                    std::thread::sleep(OFFLINE_POLL);
                    request = full;
                }
                self.monitor.entered();
                self.is_first = false;
            }
        }
        Ok(())
    }

    /// Takes the next answer that is due at this step or before: the number of its request, and the answer or why there is none.
    /// Call it until there is none.
    pub fn due(&mut self, step: i64) -> Option<(u64, std::result::Result<J::Answer, Fallback>)> {
        self.receive();
        while self.is_offline && self.schedule.is_late(step) && !self.has_stopped() {
            self.monitor.wait();
            std::thread::sleep(OFFLINE_POLL);
            self.receive();
        }
        let due = self.schedule.due(step);
        if let Some((_, Err(Fallback::Late))) = due {
            self.monitor.drop_one(Fallback::Late);
        }
        due
    }

    /// Fetches the answers that have come. [`submit`](Self::submit) and [`due`](Self::due) do it too.
    pub fn receive(&mut self) {
        let Place::Worker { replies, .. } = &mut self.place else { return };
        while let Ok(Reply { sequence, outcome }) = replies.pop() {
            match outcome {
                Ok(_) => self.monitor.answered(),
                Err(why) => self.monitor.drop_one(why),
            }
            self.schedule.settle(sequence, outcome);
        }
    }

    fn has_stopped(&self) -> bool {
        matches!(&self.place, Place::Worker { stops, .. } if stops.load(Relaxed))
    }

    /// In an offline render every request is answered, at whatever time that takes: nothing is dropped, and [`due`](Self::due) waits.
    pub fn set_offline(&mut self, is_offline: bool) {
        self.is_offline = is_offline;
    }

    /// Begins anew, as after a seek: what was asked before is not applied, and the model forgets it before the next request.
    pub fn restart(&mut self) {
        self.schedule.clear();
        self.is_first = true;
    }

    /// What the worker does, which any thread may read.
    #[must_use]
    pub fn monitor(&self) -> &Arc<InferenceMonitor> {
        &self.monitor
    }
}

/// Takes the models that were sent, and gives the old ones back to be freed elsewhere.
fn exchange<J>(job: &mut Option<Box<J>>, jobs: &mut Consumer<Option<Box<J>>>, back: &mut Producer<Box<J>>) {
    while back.slots() > 0
        && let Ok(new) = jobs.pop()
    {
        if let Some(old) = std::mem::replace(job, new)
            && let Err(PushError::Full(old)) = back.push(old)
        {
            // Cannot happen, since there was room. Leaking is safe here, freeing is not.
            std::mem::forget(old);
        }
    }
}
