//! Loads models and cabinets away from the audio thread, each instance on threads of its own, so that a slow file delays
//! neither sound nor other instances.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use neurdsp_models::LoadedModel;
use neurdsp_rt::{Bank, ChainHandle, ImpulseResponse, Operation};
use parking_lot::Mutex;

use crate::opened::{OpenCabinet, OpenModel, OpenSession, is_slimmable};
use crate::params::AmpParams;
use crate::shared::{Shared, Status};
use crate::state::{Resource, VERSION, WITH_KNOBS};

/// How long a model waits before it is offered again to a chain that has not taken the ones before.
const RETRY: Duration = Duration::from_millis(100);

/// The loader of one instance. Clones are the same loader.
#[derive(Clone)]
pub(crate) struct Loader(Arc<Inner>);

struct Inner {
    params: Arc<AmpParams>,
    shared: Arc<Shared>,
    /// What the chain was given and can be given, while there is one.
    chain: Mutex<Chain>,
    /// Counts requests for a model, a cabinet, and both, so that of two the later one wins, whichever file is read first.
    requests: [AtomicU64; 3],
    /// The thread that prepares the model anew while there is a chain, and whether it is to end.
    worker: Mutex<Option<JoinHandle<()>>>,
    ends: AtomicBool,
    /// Whether the worker is to send what the chain lacks, though the audio thread has not asked.
    nudged: AtomicBool,
    /// Whether a thread waits for the chain to take what was sent before.
    waiting: AtomicBool,
}

#[derive(Default)]
struct Chain {
    handle: Option<ChainHandle>,
    sample_rate: f64,
    model: Option<(Resource, LoadedModel)>,
    /// How the model was prepared that was sent last; none if none is in the chain.
    sent: Option<Sent>,
    cabinet: Option<(Resource, ImpulseResponse)>,
    /// Whether the chain has the cabinet, or the lack of one.
    cabinet_sent: bool,
}

/// What makes one prepared model another.
#[derive(Clone, Debug, PartialEq)]
struct Sent {
    oversample: usize,
    size: f64,
    knobs: Vec<f32>,
    /// Whether it is the model that is to play now.
    current: bool,
}

impl Sent {
    /// Whether nothing but knobs has moved: then the two sound alike, and fade as such.
    fn turns_into(&self, next: &Sent) -> bool {
        (self.oversample, self.size, self.current) == (next.oversample, next.size, next.current)
    }
}

/// Where the knobs of a model that begins to play stand.
enum Stand {
    /// Where the parameters say.
    AsTheyAre,
    /// Where the model's maker left them.
    Default,
    /// Here.
    At(Vec<f32>),
}

impl Loader {
    /// A loader that keeps what it loads in the session of `params`, and says in `shared` how it goes.
    pub(crate) fn new(params: Arc<AmpParams>, shared: Arc<Shared>) -> Loader {
        let loader = Loader(Arc::new(Inner {
            params,
            shared,
            chain: Mutex::default(),
            requests: Default::default(),
            worker: Mutex::default(),
            ends: AtomicBool::new(false),
            nudged: AtomicBool::new(false),
            waiting: AtomicBool::new(false),
        }));
        let weak = Arc::downgrade(&loader.0);
        loader.0.params.session.on_restore(move || {
            if let Some(inner) = weak.upgrade() {
                Loader(inner).restore();
            }
        });
        loader
    }

    /// Gives a new chain what the session says, at once. The thread that it returns prepares the model anew when it is
    /// unparked after a request in [`Shared::requested`]; the framework's own, which all instances share, ends for good
    /// when an instance goes that has work waiting.
    pub(crate) fn attach(&self, handle: ChainHandle, sample_rate: f64) -> Option<Thread> {
        self.detach();
        *self.0.chain.lock() =
            Chain { handle: Some(handle), sample_rate, cabinet_sent: true, ..Chain::default() };
        self.tell(|status| *status = Status::default());
        self.restore();
        self.0.ends.store(false, Ordering::Relaxed);
        let loader = self.clone();
        let spawned = std::thread::Builder::new().name("neurdsp".to_owned()).spawn(move || loader.work());
        match spawned {
            Ok(worker) => {
                let thread = worker.thread().clone();
                *self.0.worker.lock() = Some(worker);
                Some(thread)
            }
            Err(error) => {
                self.refuse(format!("the model cannot follow its knobs: {error}; close some programs"));
                None
            }
        }
    }

    /// The chain is gone.
    pub(crate) fn detach(&self) {
        *self.0.chain.lock() = Chain::default();
        if let Some(worker) = self.0.worker.lock().take() {
            self.0.ends.store(true, Ordering::Release);
            worker.thread().unpark();
            // It holds code of this library, which the host may unload next. A panic in it was told already.
            let _ = worker.join();
        }
    }

    /// Prepares the model whenever it is asked to, with the parameters of then.
    fn work(&self) {
        let shared = &self.0.shared;
        while !self.0.ends.load(Ordering::Acquire) {
            let requested = shared.requested.load(Ordering::Acquire);
            let nudged = self.0.nudged.swap(false, Ordering::AcqRel);
            if !nudged && requested == shared.answered.load(Ordering::Relaxed) {
                std::thread::park();
                continue;
            }
            if let Err(error) = self.send() {
                self.refuse(error);
            }
            shared.answered.store(requested, Ordering::Release);
        }
    }

    /// Shows a refusal.
    pub(crate) fn refuse(&self, reason: String) {
        self.tell(|status| status.error = Some(reason));
    }

    /// Lets the session play that the host has restored. Without a chain it waits for one; with one, what plays fades into
    /// what shall, and what cannot be opened passes the sound.
    fn restore(&self) {
        if self.0.chain.lock().handle.is_none() {
            return;
        }
        // Whatever was asked for before no longer counts.
        self.0.requests.iter().for_each(|count| _ = count.fetch_add(1, Ordering::Relaxed));
        let session = self.0.params.session.get();
        let OpenSession { model, cabinet } = OpenSession::open(&session);
        let error = model.as_ref().err().or(cabinet.as_ref().err()).cloned();
        self.tell(|status| (status.loading, status.error) = (false, error));
        let stand = if session.version < WITH_KNOBS { Stand::Default } else { Stand::AsTheyAre };
        let is_readable = session.check().is_ok();
        self.set_model(model.ok().flatten(), stand);
        self.set_cabinet(cabinet.ok().flatten());
        if is_readable {
            self.0.params.session.change(|session| session.version = VERSION);
        }
        // The host's thread must not wait for the audio thread to take it.
        match self.try_send() {
            Err(neurdsp_rt::Error::Busy { .. }) => {
                self.0.nudged.store(true, Ordering::Release);
                if let Some(worker) = &*self.0.worker.lock() {
                    worker.thread().unpark();
                }
            }
            Err(error) => self.refuse(error.to_string()),
            Ok(()) => {}
        }
    }

    /// Loads a model on a thread of its own, with its knobs where its maker left them.
    pub(crate) fn load_model(&self, path: &Path) {
        let path = path.to_owned();
        self.spawn(0, move |loader, latest| {
            let model = OpenModel::read(&path)?;
            if latest() {
                let resource = model.resource.clone();
                loader.set_model(Some(model), Stand::Default);
                loader.send()?;
                loader.0.params.session.change(|session| {
                    session.model = Some(resource);
                    session.version = VERSION;
                });
                loader.0.shared.changes.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
    }

    /// Loads a cabinet on a thread of its own.
    pub(crate) fn load_cabinet(&self, path: &Path) {
        let path = path.to_owned();
        self.spawn(1, move |loader, latest| {
            let cabinet = OpenCabinet::read(&path)?;
            if latest() {
                let resource = cabinet.resource.clone();
                loader.set_cabinet(Some(cabinet));
                loader.send()?;
                loader.0.params.session.change(|session| session.cabinet = Some(resource));
                loader.0.shared.changes.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
    }

    /// Plays without a cabinet.
    pub(crate) fn remove_cabinet(&self) {
        self.spawn(1, |loader, _| {
            loader.set_cabinet(None);
            loader.send()?;
            loader.0.params.session.change(|session| session.cabinet = None);
            loader.0.shared.changes.fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
    }

    /// Opens what a preset holds, on a thread of its own, and lets `then` have it unless another one was asked for since.
    pub(crate) fn open<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, String> + Send + 'static,
        then: impl FnOnce(T) + Send + 'static,
    ) {
        self.spawn(2, move |_, latest| {
            let read = read()?;
            if latest() {
                then(read);
            }
            Ok(())
        });
    }

    /// Lets what a preset holds play, with the model's knobs at `knobs`, or where its maker left them.
    pub(crate) fn play(
        &self,
        model: Option<OpenModel>,
        cabinet: Option<OpenCabinet>,
        knobs: Option<Vec<f32>>,
    ) {
        self.spawn(0, move |loader, latest| {
            if !latest() {
                return Ok(());
            }
            let resources = (
                model.as_ref().map(|model| model.resource.clone()),
                cabinet.as_ref().map(|cabinet| cabinet.resource.clone()),
            );
            loader.set_model(model, knobs.map_or(Stand::Default, Stand::At));
            loader.set_cabinet(cabinet);
            loader.send()?;
            loader.0.params.session.change(|session| {
                (session.model, session.cabinet) = resources;
                session.version = VERSION;
            });
            loader.0.shared.changes.fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
    }

    /// Runs `work` on a thread of its own. It is told whether it is still the latest of its `kind`.
    fn spawn<W>(&self, kind: usize, work: W)
    where
        W: FnOnce(&Loader, &dyn Fn() -> bool) -> Result<(), String> + Send + 'static,
    {
        let request = self.0.requests[kind].fetch_add(1, Ordering::Relaxed) + 1;
        let loader = self.clone();
        self.tell(|status| status.loading = true);
        std::thread::spawn(move || {
            let latest = || loader.0.requests[kind].load(Ordering::Relaxed) == request;
            let result = work(&loader, &latest);
            if latest() {
                loader.tell(|status| {
                    status.loading = false;
                    status.error = result.err();
                });
            }
        });
    }

    /// Makes `model` the one to be sent next. The knobs are turned under the same lock, so that no other model follows them.
    fn set_model(&self, model: Option<OpenModel>, stand: Stand) {
        let mut chain = self.0.chain.lock();
        let defaults = model.as_ref().map(OpenModel::defaults).unwrap_or_default();
        let n_knobs = defaults.len();
        let positions = match stand {
            Stand::AsTheyAre => None,
            Stand::Default => Some(defaults),
            Stand::At(positions) => Some(positions),
        };
        if let Some(positions) = positions {
            self.0.params.knobs.set(&positions[..n_knobs.min(positions.len())]);
            self.0.shared.knobs_turned.store(true, Ordering::Relaxed);
        }
        self.0.shared.n_knobs.store(n_knobs, Ordering::Relaxed);
        let card = model.as_ref().map(|model| model.card.clone());
        let is_same = match (&chain.model, &model) {
            (Some((now, _)), Some(next)) => now.is(&next.resource),
            _ => false,
        };
        if !is_same {
            chain.model = model.map(|model| (model.resource, model.model));
            if let Some(sent) = &mut chain.sent {
                sent.current = false;
            }
        }
        drop(chain);
        self.tell(|status| status.model = card);
    }

    /// Makes `cabinet` the one to be sent next.
    fn set_cabinet(&self, cabinet: Option<OpenCabinet>) {
        let told = cabinet.as_ref().map(|it| (it.resource.name(), it.response.duration_s() as f32));
        let mut chain = self.0.chain.lock();
        let is_same = match (&chain.cabinet, &cabinet) {
            (Some((now, _)), Some(next)) => now.is(&next.resource),
            (None, None) => true,
            _ => false,
        };
        if !is_same {
            chain.cabinet = cabinet.map(|cabinet| (cabinet.resource, cabinet.response));
            chain.cabinet_sent = false;
        }
        drop(chain);
        self.tell(|status| status.cabinet = told);
    }

    /// Hands over what the chain lacks, once it has taken what was sent before: a host that is stopped takes nothing.
    fn send(&self) -> Result<(), String> {
        loop {
            match self.try_send() {
                Err(neurdsp_rt::Error::Busy { .. }) => {
                    // One thread waits, and sends whatever is the latest by then.
                    if self.0.waiting.swap(true, Ordering::Relaxed) {
                        return Ok(());
                    }
                    std::thread::sleep(RETRY);
                    self.0.waiting.store(false, Ordering::Relaxed);
                }
                result => return result.map_err(|error| error.to_string()),
            }
        }
    }

    /// Hands model and cabinet to the chain, the model in the operation that the parameters ask for.
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
        let wanted = self.0.params.preparation(model.knobs().len());
        let next = Sent {
            oversample: wanted.oversample,
            size: if is_slimmable(model) { f64::from(wanted.size) } else { 1.0 },
            knobs: wanted.knobs.into_iter().take(model.knobs().len()).collect(),
            current: true,
        };
        if sent.as_ref() == Some(&next) {
            return Ok(());
        }
        let operation = Operation { oversample: next.oversample, ..Operation::at(*sample_rate) };
        let model =
            if next.size < 1.0 { model.at_size(next.size)? } else { model.with_knobs(&next.knobs)? };
        if sent.as_ref().is_some_and(|sent| sent.turns_into(&next)) {
            handle.turn_knobs(&model, operation)?;
        } else {
            handle.load_model(&model, operation)?;
        }
        *sent = Some(next);
        Ok(())
    }

    fn tell(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.0.shared.status.lock());
        self.0.shared.repaint.request();
    }
}
