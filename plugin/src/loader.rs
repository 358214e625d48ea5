//! Loads models and cabinets away from the audio thread, each instance on threads of its own, so that a slow file delays
//! neither sound nor other instances.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use neurdsp_models::LoadedModel;
use neurdsp_rt::{ChainHandle, ImpulseResponse, Operation};
use parking_lot::Mutex;

use crate::params::AmpParams;
use crate::shared::{ModelCard, Shared, Status};
use crate::state::{self, Resource};

/// Largest model file.
const MAX_MODEL_BYTES: u64 = 256 << 20;
/// Largest file of an impulse response.
const MAX_CABINET_BYTES: u64 = 64 << 20;
/// The folder that shipped amps seem to lie in.
const SHIPPED: &str = "shipped";
/// The amps inside the plugin.
const SHIPPED_AMPS: [(&str, &[u8]); 1] =
    [("ts9", include_bytes!("../../python/neurdsp/amp/shipped/ts9.safetensors"))];

/// The loader of one instance. Clones are the same loader.
#[derive(Clone)]
pub struct Loader(Arc<Inner>);

struct Inner {
    params: Arc<AmpParams>,
    shared: Arc<Shared>,
    /// What the chain was given and can be given, while there is one.
    chain: Mutex<Chain>,
    /// Counts requests for a model, so that of two the later one wins, whichever file is read first.
    requests: [AtomicU64; 2],
}

#[derive(Default)]
struct Chain {
    handle: Option<ChainHandle>,
    sample_rate: f64,
    model: Option<LoadedModel>,
    cabinet: Option<ImpulseResponse>,
}

impl Loader {
    /// A loader that keeps what it loads in the session of `params`, and says in `shared` how it goes.
    pub fn new(params: Arc<AmpParams>, shared: Arc<Shared>) -> Loader {
        Loader(Arc::new(Inner {
            params,
            shared,
            chain: Mutex::default(),
            requests: Default::default(),
        }))
    }

    /// The amps inside the plugin, as paths that [`load_model`](Self::load_model) knows.
    pub fn shipped(&self) -> Vec<PathBuf> {
        SHIPPED_AMPS.iter().map(|(name, _)| Path::new(SHIPPED).join(name)).collect()
    }

    /// Gives a new chain what the session says, at once.
    pub fn attach(&self, handle: ChainHandle, sample_rate: f64) {
        let session = self.0.params.session.lock().clone();
        *self.0.chain.lock() = Chain { handle: Some(handle), sample_rate, ..Chain::default() };
        let model = session.model.map(|resource| self.restore_model(&resource));
        let cabinet = session.cabinet.map(|resource| self.restore_cabinet(&resource));
        let failed = [model, cabinet].into_iter().flatten().find_map(Result::err);
        self.tell(|status| status.error = failed);
    }

    /// The chain is gone.
    pub fn detach(&self) {
        *self.0.chain.lock() = Chain::default();
    }

    /// Shows a refusal.
    pub fn refuse(&self, reason: String) {
        self.tell(|status| status.error = Some(reason));
    }

    /// Loads a model on a thread of its own.
    pub fn load_model(&self, path: &Path) {
        let path = path.to_owned();
        self.spawn(0, move |loader, latest| {
            let bytes = match shipped(&path) {
                Some(bytes) => bytes.to_vec(),
                None => state::read(&path, MAX_MODEL_BYTES)?,
            };
            let (model, card) = open_model(&path, &bytes)?;
            let resource = Resource::new(&path, &bytes);
            if latest() {
                loader.play_model(model, card)?;
                loader.0.params.session.lock().model = Some(resource);
            }
            Ok(())
        });
    }

    /// Loads a cabinet on a thread of its own.
    pub fn load_cabinet(&self, path: &Path) {
        let path = path.to_owned();
        self.spawn(1, move |loader, latest| {
            let bytes = state::read(&path, MAX_CABINET_BYTES)?;
            let response = open_cabinet(&path, &bytes)?;
            let resource = Resource::new(&path, &bytes);
            if latest() {
                loader.play_cabinet(response, resource.name())?;
                loader.0.params.session.lock().cabinet = Some(resource);
            }
            Ok(())
        });
    }

    /// Plays without a cabinet.
    pub fn remove_cabinet(&self) {
        self.0.requests[1].fetch_add(1, Ordering::Relaxed);
        let mut chain = self.0.chain.lock();
        chain.cabinet = None;
        let removed = chain.handle.as_mut().map_or(Ok(()), ChainHandle::remove_cabinet);
        drop(chain);
        self.0.params.session.lock().cabinet = None;
        self.tell(|status| {
            status.cabinet = None;
            status.error = removed.err().map(|error| error.to_string());
        });
    }

    /// Prepares the model again with the settings of now.
    pub fn rebuild(&self) {
        let loader = self.clone();
        std::thread::spawn(move || {
            let result = loader.send_model();
            loader.tell(|status| status.error = result.err());
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

    fn restore_model(&self, resource: &Resource) -> Result<(), String> {
        let bytes = match shipped(&resource.path) {
            Some(bytes) => bytes.to_vec(),
            None => resource.bytes(MAX_MODEL_BYTES)?,
        };
        let (model, card) = open_model(&resource.path, &bytes)?;
        self.play_model(model, card)
    }

    fn restore_cabinet(&self, resource: &Resource) -> Result<(), String> {
        let bytes = resource.bytes(MAX_CABINET_BYTES)?;
        self.play_cabinet(open_cabinet(&resource.path, &bytes)?, resource.name())
    }

    fn play_model(&self, model: LoadedModel, card: ModelCard) -> Result<(), String> {
        self.0.chain.lock().model = Some(model);
        self.send_model()?;
        self.tell(|status| status.model = Some(card));
        Ok(())
    }

    /// Hands the model to the chain, in the operation that the parameters ask for.
    fn send_model(&self) -> Result<(), String> {
        let oversample = self.0.params.oversampling.value().factor();
        let mut chain = self.0.chain.lock();
        let Chain { handle: Some(handle), sample_rate, model: Some(model), .. } = &mut *chain else {
            return Ok(());
        };
        let operation = Operation { oversample, ..Operation::at(*sample_rate) };
        handle.load_model(model, operation).map_err(|error| error.to_string())
    }

    fn play_cabinet(&self, response: ImpulseResponse, name: String) -> Result<(), String> {
        let duration_s = response.duration_s() as f32;
        let mut chain = self.0.chain.lock();
        if let Some(handle) = &mut chain.handle {
            handle.load_cabinet(&response, true).map_err(|error| error.to_string())?;
        }
        chain.cabinet = Some(response);
        drop(chain);
        self.tell(|status| status.cabinet = Some((name, duration_s)));
        Ok(())
    }

    fn tell(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.0.shared.status.lock());
        self.0.shared.repaint.request();
    }
}

/// The bytes of a shipped amp, if `path` is the name of one.
fn shipped(path: &Path) -> Option<&'static [u8]> {
    let name = path.strip_prefix(SHIPPED).ok()?;
    SHIPPED_AMPS.iter().find(|(shipped, _)| Path::new(shipped) == name).map(|(_, bytes)| *bytes)
}

fn open_model(path: &Path, bytes: &[u8]) -> Result<(LoadedModel, ModelCard), String> {
    let model =
        neurdsp_models::load_bytes(bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    let metadata = model.metadata();
    let find = |wanted: &str| {
        let found = metadata.iter().find(|(key, _)| key.rsplit('.').next() == Some(wanted));
        found.map(|(_, text)| text.clone()).filter(|text| !text.is_empty())
    };
    let gear = [find("gear_make"), find("gear_model")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let verified = model.verify().ok();
    let card = ModelCard {
        name: find("name").unwrap_or_else(|| {
            path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
        }),
        gear: Some(gear).filter(|gear| !gear.is_empty()),
        author: find("modeled_by"),
        architecture: model.architecture().to_owned(),
        n_parameters: model.n_parameters(),
        sample_rate: model.sample_rate(),
        esr: find("metrics").and_then(|metrics| esr(&metrics)),
        self_test_db: verified.as_ref().map(|verified| verified.error_db),
        self_test_passed: verified.is_some_and(|verified| verified.passed()),
        slimmable: false,
    };
    Ok((model, card))
}

/// The error-to-signal ratio in the metrics of a model file, which are JSON.
fn esr(metrics: &str) -> Option<f64> {
    serde_json::from_str::<serde_json::Value>(metrics).ok()?.get("esr")?.as_f64()
}

fn open_cabinet(path: &Path, bytes: &[u8]) -> Result<ImpulseResponse, String> {
    ImpulseResponse::from_wav(bytes).map_err(|error| format!("{}: {error}", path.display()))
}
