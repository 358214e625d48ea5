//! Opens networks on threads, and hands them to the mixer.

use std::path::Path;
use std::sync::Arc;

use neurdsp_rt::StemHandle;
use parking_lot::Mutex;

use super::files::{self, OpenModel};
use super::params::DrumParams;
use super::session::{Session, VERSION};
use super::shared::Shared;
use crate::instance::Instance;
use crate::loading::Outbox;
use crate::state::{Refusal, Resource, SavedSession};

/// The kind of the tasks.
const MODEL: &str = "model";

/// The loader of one instance. Clones are the same.
#[derive(Clone)]
pub(crate) struct Loader(pub(super) Arc<Inner>);

/// What the clones share.
pub(super) struct Inner {
    pub(super) instance: Arc<Instance<DrumParams>>,
    shared: Arc<Shared>,
    mixer: Mutex<Mixer>,
    outbox: Outbox,
}

/// The mixer, and the network that is to play in it. The network outlives the mixer, since hosts stop and start often.
#[derive(Default)]
struct Mixer {
    handle: Option<StemHandle>,
    model: Option<OpenModel>,
    /// Whether `model`, or its absence, was sent.
    is_sent: bool,
}

impl Loader {
    /// The loader of `instance`. It keeps what it loads in its session, and shows it in `shared`.
    pub(super) fn new(instance: &Arc<Instance<DrumParams>>, shared: &Arc<Shared>) -> Loader {
        let loader = Loader(Arc::new(Inner {
            instance: Arc::clone(instance),
            shared: Arc::clone(shared),
            mixer: Mutex::default(),
            outbox: Outbox::default(),
        }));
        loader.0.instance.params.session.on_restore(&loader.0, |inner| Loader(inner).restored());
        loader
    }

    /// Gives a new mixer what the session names, at once.
    pub(super) fn attach(&self, handle: StemHandle) {
        {
            let mut mixer = self.0.mixer.lock();
            (mixer.handle, mixer.is_sent) = (Some(handle), false);
        }
        self.restore();
    }

    /// Forgets the mixer, which is gone.
    pub(super) fn detach(&self) {
        self.0.mixer.lock().handle = None;
        self.show();
    }

    /// Plays the session that the host has restored, now or once there is a mixer.
    fn restored(&self) {
        if self.0.mixer.lock().handle.is_some() {
            self.restore();
        }
    }

    /// Plays the network that the session names, or for a new one the network that comes with the plugin. If it cannot be opened
    /// there is none, and the sound passes.
    fn restore(&self) {
        // Earlier requests no longer count.
        self.0.instance.tasks.cancel();
        let session = self.0.instance.params.session.get();
        let opened = self.open(&session);
        self.0.instance.tasks.settle(opened.as_ref().err().cloned());
        let is_new = session.model.is_none();
        let model = opened.ok().flatten();
        if let (true, Some(model)) = (is_new, &model) {
            self.keep(model);
        }
        self.set(model);
        // The host's thread must not wait for the audio thread to take it.
        match self.try_send() {
            Err(neurdsp_rt::Error::Busy { .. }) => {
                let loader = self.clone();
                self.0.instance.tasks.spawn(MODEL, move |_| Ok(loader.send()?));
            }
            Err(error) => self.0.instance.tasks.refuse(error.to_string()),
            Ok(()) => {}
        }
    }

    /// The network of a session; none if there is none to play.
    fn open(&self, session: &Session) -> Result<Option<OpenModel>, Refusal> {
        session.check()?;
        let Some(resource) = &session.model else {
            return files::shipped().first().map(|path| OpenModel::read(path)).transpose();
        };
        let before = self.0.mixer.lock().model.clone();
        if let Some(model) = before.filter(|model| model.resource.is(resource)) {
            return Ok(Some(model));
        }
        OpenModel::restore(resource.clone()).map(Some)
    }

    /// Loads a network on a thread.
    pub(super) fn load(&self, path: &Path) {
        let path = path.to_owned();
        self.play_when_open(move || OpenModel::read(&path));
    }

    /// Plays a network that is open.
    pub(super) fn play_opened(&self, model: OpenModel) {
        self.play_when_open(move || Ok(model));
    }

    fn play_when_open(&self, open: impl FnOnce() -> Result<OpenModel, Refusal> + Send + 'static) {
        let loader = self.clone();
        self.0.instance.tasks.spawn(MODEL, move |is_latest| {
            let model = open()?;
            if is_latest() {
                loader.set(Some(model.clone()));
                loader.send()?;
                loader.keep(&model);
                loader.0.instance.changes.note();
            }
            Ok(())
        });
    }

    /// Keeps a network in the project.
    fn keep(&self, model: &OpenModel) {
        self.0.instance.params.session.change(|session| {
            *session = Session { version: VERSION, model: Some(model.resource.clone()) };
        });
    }

    /// Makes `model` the next to be sent.
    fn set(&self, model: Option<OpenModel>) {
        let mut mixer = self.0.mixer.lock();
        let now = mixer.model.as_ref().map(|model| &model.resource);
        if !Resource::are_same(now, model.as_ref().map(|model| &model.resource)) {
            (mixer.model, mixer.is_sent) = (model, false);
        }
        drop(mixer);
        self.show();
    }

    /// Sends what the mixer lacks, once it has taken what was sent before.
    fn send(&self) -> Result<(), String> {
        self.0.outbox.send(|| self.try_send())
    }

    /// Sends the network to the mixer, if it has another.
    fn try_send(&self) -> neurdsp_rt::Result<()> {
        let mut mixer = self.0.mixer.lock();
        let Mixer { handle: Some(handle), model, is_sent: is_sent @ false } = &mut *mixer else {
            return Ok(());
        };
        match model {
            Some(model) => handle.load(&*model.network, &model.places)?,
            None => handle.remove()?,
        }
        *is_sent = true;
        Ok(())
    }

    /// Shows what plays; nothing does without a mixer.
    fn show(&self) {
        let mixer = self.0.mixer.lock();
        let card = mixer.handle.as_ref().and(mixer.model.as_ref()).map(|model| model.card.clone());
        drop(mixer);
        *self.0.shared.playing.lock() = card;
        self.0.instance.repaint.request();
    }
}
