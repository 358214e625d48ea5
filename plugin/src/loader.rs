//! Loads models and cabinets away from the audio thread, each instance on threads of its own, so that a slow file delays
//! neither sound nor other instances.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

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
/// How long a model waits before it is offered again to a chain that has not taken the ones before.
const RETRY: Duration = Duration::from_millis(100);
/// The folder that shipped amps seem to lie in.
const SHIPPED: &str = "shipped";
/// The amps inside the plugin.
const SHIPPED_AMPS: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

/// The loader of one instance. Clones are the same loader.
#[derive(Clone)]
pub(crate) struct Loader(Arc<Inner>);

struct Inner {
    params: Arc<AmpParams>,
    shared: Arc<Shared>,
    /// What the chain was given and can be given, while there is one.
    chain: Mutex<Chain>,
    /// Counts requests for a model, so that of two the later one wins, whichever file is read first.
    requests: [AtomicU64; 2],
    /// Counts requests to prepare the model again; 0 while no thread is at it.
    rebuilds: AtomicU64,
    /// Whether a thread waits for the chain to take what was sent before.
    waiting: AtomicBool,
}

#[derive(Default)]
struct Chain {
    handle: Option<ChainHandle>,
    sample_rate: f64,
    model: Option<LoadedModel>,
    /// How the model was prepared that was sent last: oversampling and size.
    sent: Option<(usize, f64)>,
    cabinet: Option<ImpulseResponse>,
}

impl Loader {
    /// A loader that keeps what it loads in the session of `params`, and says in `shared` how it goes.
    pub(crate) fn new(params: Arc<AmpParams>, shared: Arc<Shared>) -> Loader {
        Loader(Arc::new(Inner {
            params,
            shared,
            chain: Mutex::default(),
            requests: Default::default(),
            rebuilds: AtomicU64::new(0),
            waiting: AtomicBool::new(false),
        }))
    }

    /// The amps inside the plugin, as paths that [`load_model`](Self::load_model) knows.
    pub(crate) fn shipped(&self) -> Vec<PathBuf> {
        SHIPPED_AMPS.iter().map(|(name, _)| Path::new(SHIPPED).join(name)).collect()
    }

    /// Gives a new chain what the session says, at once.
    pub(crate) fn attach(&self, handle: ChainHandle, sample_rate: f64) {
        let session = self.0.params.session.lock().clone();
        *self.0.chain.lock() = Chain { handle: Some(handle), sample_rate, ..Chain::default() };
        self.tell(|status| *status = Status::default());
        let restored = session.check().and_then(|()| {
            let model = session.model.map_or(Ok(()), |resource| self.restore_model(&resource));
            let cabinet = session.cabinet.map_or(Ok(()), |resource| self.restore_cabinet(&resource));
            model.and(cabinet)
        });
        self.tell(|status| status.error = restored.err());
    }

    /// The chain is gone.
    pub(crate) fn detach(&self) {
        *self.0.chain.lock() = Chain::default();
    }

    /// Shows a refusal.
    pub(crate) fn refuse(&self, reason: String) {
        self.tell(|status| status.error = Some(reason));
    }

    /// Loads a model on a thread of its own.
    pub(crate) fn load_model(&self, path: &Path) {
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
                loader.0.shared.changes.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
    }

    /// Loads a cabinet on a thread of its own.
    pub(crate) fn load_cabinet(&self, path: &Path) {
        let path = path.to_owned();
        self.spawn(1, move |loader, latest| {
            let bytes = state::read(&path, MAX_CABINET_BYTES)?;
            let response = open_cabinet(&path, &bytes)?;
            let resource = Resource::new(&path, &bytes);
            if latest() {
                loader.play_cabinet(response, resource.name())?;
                loader.0.params.session.lock().cabinet = Some(resource);
                loader.0.shared.changes.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
    }

    /// Plays without a cabinet.
    pub(crate) fn remove_cabinet(&self) {
        self.0.requests[1].fetch_add(1, Ordering::Relaxed);
        let mut chain = self.0.chain.lock();
        chain.cabinet = None;
        let removed = chain.handle.as_mut().map_or(Ok(()), ChainHandle::remove_cabinet);
        drop(chain);
        self.0.params.session.lock().cabinet = None;
        self.0.shared.changes.fetch_add(1, Ordering::Relaxed);
        self.tell(|status| {
            status.cabinet = None;
            status.error = removed.err().map(|error| error.to_string());
        });
    }

    /// Prepares the model again with the settings of now. While a knob is turned one thread keeps up with it.
    pub(crate) fn rebuild(&self) {
        if self.0.rebuilds.fetch_add(1, Ordering::AcqRel) > 0 {
            return;
        }
        let loader = self.clone();
        std::thread::spawn(move || {
            loop {
                let wanted = loader.0.rebuilds.load(Ordering::Acquire);
                let result = loader.send_model();
                loader.tell(|status| status.error = result.err());
                let done = loader.0.rebuilds.compare_exchange(wanted, 0, Ordering::AcqRel, Ordering::Relaxed);
                if done.is_ok() {
                    return;
                }
            }
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
        let (model, card) = open_model(&resource.path, &resource.bytes(MAX_MODEL_BYTES)?)?;
        self.play_model(model, card)
    }

    fn restore_cabinet(&self, resource: &Resource) -> Result<(), String> {
        let bytes = resource.bytes(MAX_CABINET_BYTES)?;
        self.play_cabinet(open_cabinet(&resource.path, &bytes)?, resource.name())
    }

    fn play_model(&self, model: LoadedModel, card: ModelCard) -> Result<(), String> {
        let mut chain = self.0.chain.lock();
        (chain.model, chain.sent) = (Some(model), None);
        drop(chain);
        self.send_model()?;
        self.tell(|status| status.model = Some(card));
        Ok(())
    }

    /// Hands the model to the chain, once it has taken earlier ones: a host that is stopped takes none.
    fn send_model(&self) -> Result<(), String> {
        loop {
            match self.try_send_model() {
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

    /// Hands the model to the chain, in the operation that the parameters ask for.
    fn try_send_model(&self) -> neurdsp_rt::Result<()> {
        let oversample = self.0.params.oversampling.value().factor();
        let size = f64::from(self.0.params.quality.value());
        let mut chain = self.0.chain.lock();
        let Chain { handle: Some(handle), sample_rate, model: Some(model), sent, .. } = &mut *chain else {
            return Ok(());
        };
        let size = if is_slimmable(model) { size } else { 1.0 };
        if *sent == Some((oversample, size)) {
            return Ok(());
        }
        let operation = Operation { oversample, ..Operation::at(*sample_rate) };
        let resized = if size < 1.0 { Some(model.at_size(size)?) } else { None };
        handle.load_model(resized.as_ref().unwrap_or(model), operation)?;
        *sent = Some((oversample, size));
        Ok(())
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
    let model = neurdsp_models::load_bytes(bytes).map_err(|error| format!("{}: {error}", path.display()))?;
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
        slimmable: is_slimmable(&model),
    };
    Ok((model, card))
}

/// Whether the model comes in several sizes.
fn is_slimmable(model: &LoadedModel) -> bool {
    model.nam().is_some_and(|file| !file.size_steps().is_empty())
}

/// The error-to-signal ratio in the metrics of a model file, which are JSON.
fn esr(metrics: &str) -> Option<f64> {
    serde_json::from_str::<serde_json::Value>(metrics).ok()?.get("esr")?.as_f64()
}

fn open_cabinet(path: &Path, bytes: &[u8]) -> Result<ImpulseResponse, String> {
    ImpulseResponse::from_wav(bytes).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{SHIPPED_AMPS, open_model};

    #[test]
    fn the_amps_inside_the_plugin_pass_their_self_test() {
        assert!(SHIPPED_AMPS.iter().any(|(name, _)| *name == "ts9"));
        for (name, bytes) in SHIPPED_AMPS {
            let (_, card) = open_model(name.as_ref(), bytes).unwrap();
            assert!(card.self_test_passed && card.n_parameters > 0, "{name}");
        }
    }
}
