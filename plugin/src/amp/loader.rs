//! Opens models and cabinets on threads, and hands them to the chain.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::Thread;

use neurdsp_models::LoadedModel;
use neurdsp_rt::{Bank, ChainHandle, ImpulseResponse, Operation};
use parking_lot::Mutex;

use super::files::{ModelCard, OpenCabinet, OpenModel, OpenSession, is_slimmable};
use super::params::AmpParams;
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

/// What tells prepared models apart.
#[derive(Clone, Debug, PartialEq)]
struct Sent {
    oversample: usize,
    size: f64,
    knobs: Vec<f32>,
    /// Whether it is the model that is to play now.
    current: bool,
}

impl Sent {
    /// Whether only knobs differ: then the two sound alike, and the fade between them can be linear.
    fn differs_by_knobs(&self, next: &Sent) -> bool {
        (self.oversample, self.size, self.current) == (next.oversample, next.size, next.current)
    }

    /// The model in this size, with its knobs at these positions.
    fn prepare(&self, model: &LoadedModel) -> neurdsp_models::Result<LoadedModel> {
        let turned = model.with_knobs(&self.knobs)?;
        if self.size < 1.0 { turned.at_size(self.size) } else { Ok(turned) }
    }
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
        let wanted = self.0.instance.params.preparation(model.knobs().len());
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

#[cfg(test)]
mod tests {
    use neurdsp_models::amp::nam::NamFile;
    use neurdsp_models::{LoadedModel, Tensor, load_bytes};

    use super::Sent;
    use crate::amp::files::is_slimmable;

    /// A model that amplifies, in two sizes, one of which is half as loud; its knob scales both.
    fn slimmable_with_a_knob() -> LoadedModel {
        let linear = |weight: f32| {
            serde_json::json!({"version": "0.5.4", "architecture": "Linear", "sample_rate": 48000,
                "config": {"receptive_field": 1, "bias": false}, "weights": [weight]})
        };
        let nam = serde_json::json!({"version": "0.7.0", "architecture": "SlimmableContainer", "weights": [],
            "sample_rate": 48000, "config": {"submodels": [
                {"max_value": 0.5, "model": linear(0.5)}, {"max_value": 1.0, "model": linear(1.0)}]}});
        let mut file =
            NamFile::from_bytes(nam.to_string().as_bytes()).unwrap().to_model_file("a test").unwrap();
        let inner: serde_json::Value = serde_json::from_str(&file.metadata["neurdsp.config"]).unwrap();
        let config = serde_json::json!({"knobs": [{"name": "gain", "default": 0.5}], "hidden": 1, "rank": 1,
            "model": {"architecture": file.metadata["neurdsp.architecture"], "config": inner}});
        file.metadata.insert("neurdsp.architecture".to_owned(), "amp.parametric".to_owned());
        file.metadata.insert("neurdsp.config".to_owned(), config.to_string());
        let weights = file.tensors["weights"].to_f32("weights").unwrap().into_owned();
        let mut add = |name: &str, shape: Vec<usize>, data: Vec<f32>| {
            file.tensors.insert(format!("knobs.{name}"), Tensor::new(shape, data).unwrap());
        };
        add("hidden.weight", vec![1, 1], vec![1.0]);
        add("hidden.bias", vec![1], vec![0.0]);
        add("output.weight", vec![1, 1], vec![1.0]);
        add("output.bias", vec![1], vec![0.0]);
        add("basis.weights", vec![1, weights.len()], weights);
        load_bytes(&file.to_bytes().unwrap()).unwrap()
    }

    #[test]
    fn a_model_below_full_size_keeps_its_knobs() {
        let model = slimmable_with_a_knob();
        assert!(is_slimmable(&model));
        let gain = |size: f64, knob: f32| {
            let sent = Sent { oversample: 1, size, knobs: vec![knob], current: true };
            let mut output = [0.0; 64];
            sent.prepare(&model).unwrap().build_stream().unwrap().process(&[1.0; 64], &mut output);
            output[63]
        };
        // The weights are multiplied by 1 + tanh(tanh(2 · position - 1)).
        let factor = |knob: f32| 1.0 + (2.0 * knob - 1.0).tanh().tanh();
        for knob in [0.0, 0.5, 0.9] {
            assert!((gain(1.0, knob) - factor(knob)).abs() < 1e-5, "{}", gain(1.0, knob));
            assert!((gain(0.2, knob) - 0.5 * factor(knob)).abs() < 1e-5, "{}", gain(0.2, knob));
        }
    }
}
