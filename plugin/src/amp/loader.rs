//! Opens models and cabinets on threads, and hands them to the chain.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::Thread;

use neurdsp_models::LoadedModel;
use neurdsp_rt::{Bank, ChainHandle, ImpulseResponse, Operation};
use parking_lot::Mutex;

use super::files::{ModelCard, OpenCabinet, OpenModel, OpenSession};
use super::params::AmpParams;
use super::sent::Sent;
use super::session::{Session, VERSION};
use super::shared::{Playing, Shared};
use crate::instance::Instance;
use crate::loading::{Outbox, WorkerSlot};
use crate::state::{Refusal, Resource, SavedSession};

/// Kinds of tasks.
const MODEL: &str = "model";
const CABINET: &str = "cabinet";

/// The loader of one instance. Clones are the same.
#[derive(Clone)]
pub(crate) struct Loader(pub(super) Arc<Inner>);

/// What the clones share.
pub(super) struct Inner {
    pub(super) instance: Arc<Instance<AmpParams>>,
    shared: Arc<Shared>,
    /// A session that was restored before there was a chain, with its files.
    opened: Mutex<Option<(Session, OpenSession)>>,
    /// The chain, with what was sent to it and what is to be sent.
    chain: Mutex<Chain>,
    /// Prepares the model again, while there is a chain.
    worker: WorkerSlot,
    outbox: Outbox,
}

#[derive(Default)]
struct Chain {
    handle: Option<ChainHandle>,
    sample_rate: f64,
    model: Option<(Resource, LoadedModel)>,
    /// How the model in the chain was prepared; none if it has no model.
    sent: Option<Sent>,
    cabinet: Option<(Resource, ImpulseResponse)>,
    /// Whether `cabinet`, or its absence, was sent.
    cabinet_sent: bool,
}

/// Where the knobs of a model start.
enum KnobStart {
    /// Where the parameters have them.
    Parameters,
    /// Where the model's maker left them.
    Defaults,
    Positions(Vec<f32>),
}

impl Loader {
    /// The loader of `instance`. It keeps what it loads in its session, and shows it in `shared`.
    pub(super) fn new(instance: &Arc<Instance<AmpParams>>, shared: &Arc<Shared>) -> Loader {
        let loader = Loader(Arc::new(Inner {
            instance: Arc::clone(instance),
            shared: Arc::clone(shared),
            opened: Mutex::default(),
            chain: Mutex::default(),
            worker: WorkerSlot::default(),
            outbox: Outbox::default(),
        }));
        loader.0.instance.params.session.on_restore(&loader.0, |inner| Loader(inner).restore());
        loader
    }

    /// Gives a new chain what the session names, at once. The thread that it returns prepares the model again when it is unparked
    /// after a request in [`Shared::requests`].
    pub(super) fn attach(&self, handle: ChainHandle, sample_rate: f64) -> Option<Thread> {
        self.detach();
        *self.0.chain.lock() =
            Chain { handle: Some(handle), sample_rate, cabinet_sent: true, ..Chain::default() };
        self.show(|playing| *playing = Playing::default());
        self.restore();
        let loader = self.clone();
        let work = move || {
            if let Err(error) = loader.send() {
                loader.0.instance.tasks.refuse(error);
            }
        };
        let lack = "the model cannot follow its knobs";
        self.0.worker.start(&self.0.shared.requests, work, &self.0.instance.tasks, lack)
    }

    /// Forgets the chain, which is gone.
    pub(super) fn detach(&self) {
        *self.0.chain.lock() = Chain::default();
        self.0.worker.stop();
    }

    /// Plays the session that the host has restored. Without a chain it waits for one, but the names of the knobs are told at
    /// once; with one, the current model fades to the restored one. What cannot be opened passes the sound.
    fn restore(&self) {
        let session = self.0.instance.params.session.get();
        let before = self.0.opened.lock().take();
        let files = match before {
            Some((of, files)) if of == session => files,
            _ => OpenSession::open(&session),
        };
        if self.0.chain.lock().handle.is_none() {
            self.name_knobs(files.model.as_ref().ok().and_then(Option::as_ref).map(|model| &model.card));
            *self.0.opened.lock() = Some((session, files));
            return;
        }
        // Earlier requests no longer count.
        self.0.instance.tasks.cancel();
        let OpenSession { model, cabinet } = files;
        self.0.instance.tasks.settle(model.as_ref().err().or(cabinet.as_ref().err()).cloned());
        let start = if session.has_knobs() { KnobStart::Parameters } else { KnobStart::Defaults };
        self.set_model(model.ok().flatten(), start);
        self.set_cabinet(cabinet.ok().flatten());
        if session.check().is_ok() {
            self.0.instance.params.session.change(|session| session.version = VERSION);
        }
        // The host's thread must not wait for the audio thread to take it.
        match self.try_send() {
            Err(neurdsp_rt::Error::Busy { .. }) => {
                self.0.worker.nudge(&self.0.shared.requests);
            }
            Err(error) => self.0.instance.tasks.refuse(error.to_string()),
            Ok(()) => {}
        }
    }

    /// Loads a model on a thread, with its knobs where its maker left them.
    pub(super) fn load_model(&self, path: &Path) {
        let (loader, path) = (self.clone(), path.to_owned());
        self.0.instance.tasks.spawn(MODEL, move |is_latest| {
            let model = OpenModel::read(&path)?;
            if is_latest() {
                let resource = model.resource.clone();
                loader.set_model(Some(model), KnobStart::Defaults);
                loader.send()?;
                loader.0.instance.params.session.change(|session| {
                    session.model = Some(resource);
                    session.version = VERSION;
                });
                loader.0.instance.changes.note();
            }
            Ok(())
        });
    }

    /// Loads a cabinet on a thread.
    pub(super) fn load_cabinet(&self, path: &Path) {
        let path = path.to_owned();
        self.change_cabinet(move || OpenCabinet::read(&path).map(Some));
    }

    /// Plays without a cabinet.
    pub(super) fn remove_cabinet(&self) {
        self.change_cabinet(|| Ok(None));
    }

    fn change_cabinet(&self, open: impl FnOnce() -> Result<Option<OpenCabinet>, Refusal> + Send + 'static) {
        let loader = self.clone();
        self.0.instance.tasks.spawn(CABINET, move |is_latest| {
            let cabinet = open()?;
            if is_latest() {
                let resource = cabinet.as_ref().map(|cabinet| cabinet.resource.clone());
                loader.set_cabinet(cabinet);
                loader.send()?;
                loader.0.instance.params.session.change(|session| session.cabinet = resource);
                loader.0.instance.changes.note();
            }
            Ok(())
        });
    }

    /// Plays a model and a cabinet that are open, with the model's knobs at `knobs`, or where its maker left them.
    pub(super) fn play_opened(
        &self,
        model: Option<OpenModel>,
        cabinet: Option<OpenCabinet>,
        knobs: Option<Vec<f32>>,
    ) {
        let loader = self.clone();
        self.0.instance.tasks.spawn(MODEL, move |is_latest| {
            if !is_latest() {
                return Ok(());
            }
            let resources = (
                model.as_ref().map(|model| model.resource.clone()),
                cabinet.as_ref().map(|cabinet| cabinet.resource.clone()),
            );
            loader.set_model(model, knobs.map_or(KnobStart::Defaults, KnobStart::Positions));
            loader.set_cabinet(cabinet);
            loader.send()?;
            loader.0.instance.params.session.change(|session| {
                (session.model, session.cabinet) = resources;
                session.version = VERSION;
            });
            loader.0.instance.changes.note();
            Ok(())
        });
    }

    /// Makes `model` the next to be sent. Its knobs are turned under the same lock, so that no other model gets them.
    fn set_model(&self, model: Option<OpenModel>, start: KnobStart) {
        let mut chain = self.0.chain.lock();
        let defaults = model.as_ref().map(OpenModel::defaults).unwrap_or_default();
        let n_knobs = defaults.len();
        let positions = match start {
            KnobStart::Parameters => None,
            KnobStart::Defaults => Some(defaults),
            KnobStart::Positions(positions) => Some(positions),
        };
        if let Some(positions) = positions {
            self.0.instance.params.knobs.set(&positions[..n_knobs.min(positions.len())]);
            self.0.shared.knobs_turned.store(true, Ordering::Relaxed);
        }
        self.0.shared.n_knobs.store(n_knobs, Ordering::Relaxed);
        let card = model.as_ref().map(|model| model.card.clone());
        let now = chain.model.as_ref().map(|(resource, _)| resource);
        if !Resource::are_same(now, model.as_ref().map(|model| &model.resource)) {
            chain.model = model.map(|model| (model.resource, model.model));
            if let Some(sent) = &mut chain.sent {
                sent.current = false;
            }
        }
        drop(chain);
        self.name_knobs(card.as_ref());
        self.show(|playing| playing.model = card);
    }

    /// Gives the parameters of knobs the names of those of a model.
    fn name_knobs(&self, model: Option<&ModelCard>) {
        self.0
            .instance
            .link
            .set_names(self.0.instance.params.knob_names(model.map_or(&[], |model| &model.knobs)));
    }

    /// Makes `cabinet` the next to be sent.
    fn set_cabinet(&self, cabinet: Option<OpenCabinet>) {
        let shown = cabinet.as_ref().map(|it| (it.resource.name(), it.response.duration_s() as f32));
        let mut chain = self.0.chain.lock();
        let now = chain.cabinet.as_ref().map(|(resource, _)| resource);
        if !Resource::are_same(now, cabinet.as_ref().map(|cabinet| &cabinet.resource)) {
            chain.cabinet = cabinet.map(|cabinet| (cabinet.resource, cabinet.response));
            chain.cabinet_sent = false;
        }
        drop(chain);
        self.show(|playing| playing.cabinet = shown);
    }

    /// Sends what the chain lacks, once it has taken what was sent before.
    fn send(&self) -> Result<(), String> {
        self.0.outbox.send(|| self.try_send())
    }

    /// Sends the model, prepared as the parameters ask, and the cabinet to the chain, where it has others.
    fn try_send(&self) -> neurdsp_rt::Result<()> {
        let mut chain = self.0.chain.lock();
        let Chain { handle: Some(handle), sample_rate, model, sent, cabinet, cabinet_sent } = &mut *chain
        else {
            return Ok(());
        };
        if !*cabinet_sent {
            match cabinet {
                Some((_, response)) => handle.load_cabinet(response, true)?,
                None => handle.remove_cabinet()?,
            }
            *cabinet_sent = true;
        }
        let Some((_, model)) = model else {
            if sent.is_some() {
                handle.send_model(Bank::passing())?;
                *sent = None;
            }
            return Ok(());
        };
        let next = Sent::new(self.0.instance.params.preparation(model.knobs().len()), model);
        if sent.as_ref() == Some(&next) {
            return Ok(());
        }
        let operation = Operation { oversample: next.oversample, ..Operation::at(*sample_rate) };
        let prepared = next.prepare(model)?;
        if sent.as_ref().is_some_and(|sent| sent.differs_by_knobs(&next)) {
            handle.turn_knobs(&prepared, operation)?;
        } else {
            handle.load_model(&prepared, operation)?;
        }
        *sent = Some(next);
        Ok(())
    }

    fn show(&self, change: impl FnOnce(&mut Playing)) {
        change(&mut self.0.shared.playing.lock());
        self.0.instance.repaint.request();
    }
}
