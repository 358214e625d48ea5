//! Files as they are opened: models with their cards, cabinets, and what a session holds of both.

use std::path::{Path, PathBuf};

use neurdsp_models::LoadedModel;
use neurdsp_rt::ImpulseResponse;
use serde_json::Value;

use crate::shared::{KnobCard, ModelCard};
use crate::state::{self, Resource, Session};

/// Largest model file.
const MAX_MODEL_BYTES: u64 = 256 << 20;
/// Largest file of an impulse response.
const MAX_CABINET_BYTES: u64 = 64 << 20;
/// The folder that shipped amps seem to lie in.
const SHIPPED: &str = "shipped";
/// The amps inside the plugin.
const SHIPPED_AMPS: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

/// A model that can play.
pub(crate) struct OpenModel {
    pub(crate) resource: Resource,
    pub(crate) model: LoadedModel,
    pub(crate) card: ModelCard,
}

/// A cabinet that can play.
pub(crate) struct OpenCabinet {
    pub(crate) resource: Resource,
    pub(crate) response: ImpulseResponse,
}

impl OpenModel {
    /// Reads the model at `path`, which may be one of [`shipped`].
    pub(crate) fn read(path: &Path) -> Result<OpenModel, String> {
        let bytes = match shipped_bytes(path) {
            Some(bytes) => bytes.to_vec(),
            None => state::read(path, MAX_MODEL_BYTES)?,
        };
        OpenModel::new(Resource::new(path, &bytes), &bytes)
    }

    fn new(resource: Resource, bytes: &[u8]) -> Result<OpenModel, String> {
        let (model, card) = open_model(&resource.path, bytes)?;
        Ok(OpenModel { resource, model, card })
    }

    /// Where its maker left its knobs.
    pub(crate) fn defaults(&self) -> Vec<f32> {
        self.model.knobs().iter().map(|knob| knob.default).collect()
    }
}

impl OpenCabinet {
    /// Reads the impulse response at `path`.
    pub(crate) fn read(path: &Path) -> Result<OpenCabinet, String> {
        let bytes = state::read(path, MAX_CABINET_BYTES)?;
        OpenCabinet::new(Resource::new(path, &bytes), &bytes)
    }

    fn new(resource: Resource, bytes: &[u8]) -> Result<OpenCabinet, String> {
        let response = ImpulseResponse::from_wav(bytes)
            .map_err(|error| format!("{}: {error}", resource.path.display()))?;
        Ok(OpenCabinet { resource, response })
    }
}

/// What a session says should play; what it says nothing of is none. What cannot be opened is an error in its place.
pub(crate) struct OpenSession {
    /// None if none is to play.
    pub(crate) model: Result<Option<OpenModel>, String>,
    pub(crate) cabinet: Result<Option<OpenCabinet>, String>,
}

impl OpenSession {
    pub(crate) fn open(session: &Session) -> OpenSession {
        if let Err(error) = session.check() {
            return OpenSession { model: Err(error), cabinet: Ok(None) };
        }
        let model = session.model.clone().map(|resource| {
            let bytes = resource.bytes(MAX_MODEL_BYTES)?;
            OpenModel::new(resource, &bytes)
        });
        let cabinet = session.cabinet.clone().map(|resource| {
            let bytes = resource.bytes(MAX_CABINET_BYTES)?;
            OpenCabinet::new(resource, &bytes)
        });
        OpenSession { model: model.transpose(), cabinet: cabinet.transpose() }
    }
}

/// The amps inside the plugin, as paths that [`OpenModel::read`] knows.
pub(crate) fn shipped() -> Vec<PathBuf> {
    SHIPPED_AMPS.iter().map(|(name, _)| Path::new(SHIPPED).join(name)).collect()
}

fn shipped_bytes(path: &Path) -> Option<&'static [u8]> {
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
    let device = find("device").and_then(|device| serde_json::from_str::<Value>(&device).ok());
    let knob = |knob: &neurdsp_models::Knob| KnobCard {
        name: knob.name.clone(),
        default: knob.default,
        range: device.as_ref().and_then(|device| range(device, &knob.name)).unwrap_or([0.0, 1.0]),
    };
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
        knobs: model.knobs().iter().map(knob).collect(),
    };
    Ok((model, card))
}

/// Whether the model comes in several sizes.
pub(crate) fn is_slimmable(model: &LoadedModel) -> bool {
    model.nam().is_some_and(|file| !file.size_steps().is_empty())
}

/// The error-to-signal ratio in the metrics of a model file, which are JSON; of a model with knobs that at settings which it was
/// not trained on.
fn esr(metrics: &str) -> Option<f64> {
    let metrics = serde_json::from_str::<Value>(metrics).ok()?;
    metrics.get("esr").or_else(|| metrics.get("esr_test"))?.as_f64()
}

/// What the device's control for a knob shows at both its ends, if the description of the device says so.
fn range(device: &Value, knob: &str) -> Option<[f32; 2]> {
    let ends = device.get("knobs")?.get(knob)?;
    let end = |name: &str| ends.get(name)?.as_f64().map(|end| end as f32).filter(|end| end.is_finite());
    Some([end("from")?, end("to")?]).filter(|[from, to]| from != to)
}

#[cfg(test)]
mod tests {
    use super::{SHIPPED_AMPS, open_model, range};

    #[test]
    fn the_amps_inside_the_plugin_pass_their_self_test() {
        assert!(SHIPPED_AMPS.iter().any(|(name, _)| *name == "ts9"));
        for (name, bytes) in SHIPPED_AMPS {
            let (_, card) = open_model(name.as_ref(), bytes).unwrap();
            assert!(card.self_test_passed && card.n_parameters > 0, "{name}");
            assert!(card.esr.is_some_and(|esr| esr < 0.1), "{name}: {:?}", card.esr);
        }
    }

    #[test]
    fn knobs_are_told_with_the_range_of_the_device_where_the_file_has_it() {
        let (_, bytes) = SHIPPED_AMPS.iter().find(|(name, _)| *name == "screamer").unwrap();
        let (_, card) = open_model("screamer".as_ref(), bytes).unwrap();
        let told: Vec<_> = card.knobs.iter().map(|knob| (knob.name.as_str(), knob.range)).collect();
        assert_eq!(told, [("drive", [0.0, 1.0]), ("tone", [100.0, 1000.0])]);
        for device in
            [r#"{}"#, r#"{"knobs": {"tone": {"from": 1}}}"#, r#"{"knobs": {"tone": {"from": 1, "to": 1}}}"#]
        {
            assert_eq!(range(&serde_json::from_str(device).unwrap(), "tone"), None);
        }
    }
}
