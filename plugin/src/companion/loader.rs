//! Opens references on threads, and hands them to the worker that answers for the audio thread.

use std::path::Path;
use std::sync::Arc;
use std::thread::Thread;

use neurdsp_models::music::dynamics::DynamicsAhead;
use neurdsp_models::music::groove::GrooveAhead;
use neurdsp_models::music::{MusicPart, MusicRun};
use neurdsp_rt::inference::{InferenceHandle, Job};
use parking_lot::Mutex;

use super::live::{ChordJob, DynamicsJob, GrooveJob, Handles, MelodyJob, Taken};
use super::networks;
use super::params::CompanionParams;
use super::reference::OpenReference;
use super::session::{Session, VERSION};
use super::shared::Shared;
use crate::instance::Instance;
use crate::loading::WorkerSlot;
use crate::state::{Refusal, SavedSession};

/// The kind of the tasks.
const REFERENCE: &str = "reference";

/// The loader of one instance. Clones are the same.
#[derive(Clone)]
pub(crate) struct Loader(pub(super) Arc<Inner>);

/// What the clones share.
pub(super) struct Inner {
    pub(super) instance: Arc<Instance<CompanionParams>>,
    shared: Arc<Shared>,
    groove: Mutex<Groove>,
    /// Takes what was recorded, when the audio thread asks.
    recorder: WorkerSlot,
}

/// The workers, and the reference that one knows. That outlives them, since hosts stop and start often.
#[derive(Default)]
struct Groove {
    handles: Option<Handles>,
    reference: Option<OpenReference>,
}

impl Loader {
    /// The loader of `instance`. It keeps what it loads in its session, and shows it in `shared`.
    pub(super) fn new(instance: &Arc<Instance<CompanionParams>>, shared: &Arc<Shared>) -> Loader {
        let loader = Loader(Arc::new(Inner {
            instance: Arc::clone(instance),
            shared: Arc::clone(shared),
            groove: Mutex::default(),
            recorder: WorkerSlot::default(),
        }));
        loader.0.instance.params.session.on_restore(&loader.0, |inner| Loader(inner).restore());
        loader
    }

    /// Gives a new worker the network and what the session names, at once. The thread that it returns takes a recording when it is
    /// unparked after a request.
    pub(super) fn attach(&self, mut handles: Handles, mut taken: Taken) -> Option<Thread> {
        self.detach();
        *self.0.shared.monitor.lock() = Some(Arc::clone(handles.groove.monitor()));
        if let Some(network) = networks::network(MusicPart::Harmony) {
            self.give(&mut handles.chords, Ok(ChordJob(MusicRun::new(Arc::clone(&network.weights)))));
        }
        if let Some(network) = networks::network(MusicPart::Dynamics) {
            let job = DynamicsAhead::new(Arc::clone(&network.weights)).map(DynamicsJob);
            self.give(&mut handles.dynamics, job.map_err(|error| error.to_string()));
        }
        if let Some(network) = networks::network(MusicPart::Melody) {
            self.give(&mut handles.melody, Ok(MelodyJob::new(network)));
        }
        if let Some(network) = networks::network(MusicPart::Emotion) {
            self.give(&mut handles.mood, self.0.shared.line.mood.job(network));
        }
        self.0.groove.lock().handles = Some(handles);
        self.restore();
        // Weak: the worker lies in what it would hold.
        let weak = Arc::downgrade(&self.0);
        let work = move || {
            if let (Some(inner), Some(reference)) = (weak.upgrade(), OpenReference::recorded(&mut taken)) {
                let loader = Loader(inner);
                match reference.and_then(|reference| loader.keep(Some(reference))) {
                    Ok(()) => loader.0.instance.changes.note(),
                    Err(refusal) => loader.0.instance.tasks.refuse(refusal),
                }
            }
        };
        let lack = "the input cannot be recorded";
        self.0.recorder.start(&self.0.shared.line.requests, work, &self.0.instance.tasks, lack)
    }

    /// Gives a worker what it runs.
    fn give<J: Job>(&self, handle: &mut InferenceHandle<J>, job: Result<J, String>) {
        let load = |job| handle.load(|| Ok::<_, neurdsp_rt::Error>(job)).map_err(|error| error.to_string());
        if let Err(reason) = job.and_then(load) {
            self.0.instance.tasks.refuse(reason);
        }
    }

    /// Ends the workers.
    pub(super) fn detach(&self) {
        self.0.recorder.stop();
        let handles = self.0.groove.lock().handles.take();
        drop(handles);
        *self.0.shared.monitor.lock() = None;
    }

    /// Asks by the session that the host has restored. What cannot be opened leaves the network alone.
    fn restore(&self) {
        // Earlier requests no longer count.
        self.0.instance.tasks.cancel();
        let opened = self.open(&self.0.instance.params.session.get());
        self.0.instance.tasks.settle(opened.as_ref().err().cloned());
        if let Err(refusal) = self.ask_by(opened.ok().flatten()) {
            self.0.instance.tasks.refuse(refusal);
        }
    }

    fn open(&self, session: &Session) -> Result<Option<OpenReference>, Refusal> {
        session.check()?;
        let Some(resource) = &session.reference else { return Ok(None) };
        let before = self.0.groove.lock().reference.clone();
        if let Some(reference) = before.filter(|reference| reference.resource.is(resource)) {
            return Ok(Some(reference));
        }
        OpenReference::restore(resource.clone()).map(Some)
    }

    /// Loads a reference on a thread.
    pub(super) fn load(&self, path: &Path) {
        let path = path.to_owned();
        self.take_when_open(move || OpenReference::read(&path).map(Some));
    }

    /// Takes a reference that is open, or none.
    pub(super) fn take(&self, reference: Option<OpenReference>) {
        self.take_when_open(move || Ok(reference));
    }

    fn take_when_open(&self, open: impl FnOnce() -> Result<Option<OpenReference>, Refusal> + Send + 'static) {
        let loader = self.clone();
        self.0.instance.tasks.spawn(REFERENCE, move |is_latest| {
            let reference = open()?;
            if is_latest() {
                loader.keep(reference)?;
                loader.0.instance.changes.note();
            }
            Ok(())
        });
    }

    /// Asks by a reference, and keeps it in the project.
    fn keep(&self, reference: Option<OpenReference>) -> Result<(), Refusal> {
        let resource = reference.as_ref().map(|reference| reference.resource.clone());
        self.ask_by(reference)?;
        self.0
            .instance
            .params
            .session
            .change(|session| *session = Session { version: VERSION, reference: resource });
        Ok(())
    }

    /// Builds what is asked anew, with this reference.
    fn ask_by(&self, reference: Option<OpenReference>) -> Result<(), Refusal> {
        *self.0.shared.reference.lock() = reference.as_ref().map(|reference| reference.card.clone());
        let mut groove = self.0.groove.lock();
        groove.reference = reference;
        let Groove { handles: Some(Handles { groove: handle, .. }), reference } = &mut *groove else {
            return Ok(());
        };
        let network = networks::network(MusicPart::Groove);
        let build = || {
            let bars = reference.as_ref().map(|reference| &*reference.bars);
            let weights = network.map(|network| Arc::clone(&network.weights));
            GrooveAhead::new(weights, network.and_then(networks::Network::residuals), bars)
                .map(GrooveJob)
                .map_err(|error| error.to_string())
        };
        if network.is_none() && reference.is_none() {
            return handle.remove().map_err(|error| Refusal::from(error.to_string()));
        }
        let job = build().map_err(Refusal::from)?;
        handle.load(|| Ok::<_, neurdsp_rt::Error>(job)).map_err(|error| Refusal::from(error.to_string()))?;
        self.0.instance.repaint.request();
        Ok(())
    }

    /// The reference, opened.
    pub(super) fn reference(&self) -> Option<OpenReference> {
        self.0.groove.lock().reference.clone()
    }
}
