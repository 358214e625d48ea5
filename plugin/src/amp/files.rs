//! Models and cabinets as they are opened: from files, from the plugin itself, from a session.

use std::path::{Path, PathBuf};

use neurdsp_models::LoadedModel;
use neurdsp_rt::{ImpulseResponse, ModelLevels, ResponseChannel};
use serde_json::Value;

use super::session::Session;
use crate::state::{Refusal, Resource, SavedSession, files};
use crate::ui::Scale;

/// Endings of the files that hold models.
pub(super) const MODEL_ENDINGS: &[&str] = &["nam", "safetensors", "json", "aidax"];
/// Endings of the files that hold the impulse response of a cabinet.
pub(super) const CABINET_ENDINGS: &[&str] = &["wav"];

/// Largest model file.
const MAX_MODEL_BYTES: u64 = 256 << 20;
/// Largest file of an impulse response.
const MAX_CABINET_BYTES: u64 = 64 << 20;
/// The folder in which the shipped amps appear to be.
const SHIPPED: &str = "shipped";
/// The amps inside the plugin.
const SHIPPED_AMPS: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/shipped.rs"));
/// The cabinets inside the plugin.
const SHIPPED_CABINETS: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/cabinets.rs"));

/// What the editor shows of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ModelCard {
    /// Its name, from the file or the file's name.
    pub(super) name: String,
    /// What the file says that it is, in a sentence.
    pub(super) description: Option<String>,
    /// Maker and model of the device, its type and its tone, as far as the file names them.
    pub(super) gear: Option<String>,
    /// Who made the model.
    pub(super) author: Option<String>,
    /// When it was captured or made, as the file writes it.
    pub(super) date: Option<String>,
    /// The levels in its file. Without them the output can be neither normalised nor calibrated, nor the input calibrated.
    pub(super) levels: ModelLevels,
    /// Kind of network, such as `amp.wavenet`.
    pub(super) architecture: String,
    /// The number of trained values.
    pub(super) n_parameters: usize,
    /// The rate that it was trained at, in Hz.
    pub(super) sample_rate: f64,
    /// Error-to-signal ratio, if the file has it.
    pub(super) esr: Option<f64>,
    /// Error of the self-test against the parity vectors in its file, in dB; none if the file has none.
    pub(super) self_test_db: Option<f64>,
    /// Whether the self-test, if there is one, has passed.
    pub(super) self_test_passed: bool,
    /// Whether it comes in several sizes.
    pub(super) slimmable: bool,
    /// Its own knobs.
    pub(super) knobs: Vec<KnobCard>,
}

/// What the editor shows of a model's knob.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct KnobCard {
    pub(super) name: String,
    /// The scale of the device's own control, if the file has it; else 0 to 1. Its default is where the maker left the knob.
    pub(super) scale: Scale,
}

impl KnobCard {
    /// The name as a label: `low_cut` as `Low cut`.
    pub(super) fn title(&self) -> String {
        let mut letters = self.name.chars().map(|letter| if letter == '_' { ' ' } else { letter });
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    }
}

/// A model that can play.
pub(super) struct OpenModel {
    pub(super) resource: Resource,
    pub(super) model: LoadedModel,
    pub(super) card: ModelCard,
}

/// A cabinet that can play.
pub(super) struct OpenCabinet {
    pub(super) resource: Resource,
    pub(super) response: ImpulseResponse,
}

impl OpenModel {
    /// Reads the model at `path`, which may be one of [`shipped`].
    pub(super) fn read(path: &Path) -> Result<OpenModel, Refusal> {
        let bytes = match shipped_bytes(path) {
            Some(bytes) => bytes.to_vec(),
            None => files::read(path, MAX_MODEL_BYTES)?,
        };
        OpenModel::new(Resource::new(path, &bytes), &bytes)
    }

    fn new(resource: Resource, bytes: &[u8]) -> Result<OpenModel, Refusal> {
        let (model, card) = open_model(&resource.path, bytes)?;
        Ok(OpenModel { resource, model, card })
    }

    /// The positions at which its maker left its knobs.
    pub(super) fn defaults(&self) -> Vec<f32> {
        self.model.knobs().iter().map(|knob| knob.default).collect()
    }
}

impl OpenCabinet {
    /// Reads the impulse response at `path`.
    pub(super) fn read(path: &Path) -> Result<OpenCabinet, Refusal> {
        let bytes = match shipped_bytes(path) {
            Some(bytes) => bytes.to_vec(),
            None => files::read(path, MAX_CABINET_BYTES)?,
        };
        OpenCabinet::new(Resource::new(path, &bytes), &bytes)
    }

    fn new(resource: Resource, bytes: &[u8]) -> Result<OpenCabinet, Refusal> {
        let response = audible(bytes).map_err(|error| Refusal::of(&resource.path, error))?;
        Ok(OpenCabinet { resource, response })
    }
}

/// The response in a WAV file. Where one side of it is silent, the other one plays on both.
fn audible(bytes: &[u8]) -> neurdsp_rt::Result<ImpulseResponse> {
    let response = ImpulseResponse::from_wav(bytes)?;
    let Err(error) = response.select(ResponseChannel::Each, 2) else { return Ok(response) };
    let one = |index| response.select(ResponseChannel::One(index), 1).ok();
    (0..response.n_channels()).find_map(one).ok_or(error)
}

/// The files of a session. Each is none if the session names none, and an error if it cannot be opened.
pub(super) struct OpenSession {
    pub(super) model: Result<Option<OpenModel>, Refusal>,
    pub(super) cabinet: Result<Option<OpenCabinet>, Refusal>,
}

impl OpenSession {
    pub(super) fn open(session: &Session) -> OpenSession {
        if let Err(error) = session.check() {
            return OpenSession { model: Err(error.into()), cabinet: Ok(None) };
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
pub(super) fn shipped() -> Vec<PathBuf> {
    SHIPPED_AMPS.iter().map(|(name, _)| Path::new(SHIPPED).join(name)).collect()
}

/// The cabinets inside the plugin, as paths that [`OpenCabinet::read`] knows.
pub(super) fn shipped_cabinets() -> Vec<PathBuf> {
    SHIPPED_CABINETS.iter().map(|(name, _)| cabinet_path(name)).collect()
}

/// Whether a model or a cabinet can be read: it is a file, or inside the plugin.
pub(super) fn is_there(path: &Path) -> bool {
    shipped_bytes(path).is_some() || path.is_file()
}

/// The path and the bytes of an amp inside the plugin.
pub(super) fn shipped_model(name: &str) -> Option<(PathBuf, &'static [u8])> {
    let path = Path::new(SHIPPED).join(name);
    shipped_bytes(&path).map(|bytes| (path, bytes))
}

/// The path and the bytes of a cabinet inside the plugin.
pub(super) fn shipped_cabinet(name: &str) -> Option<(PathBuf, &'static [u8])> {
    let path = cabinet_path(name);
    shipped_bytes(&path).map(|bytes| (path, bytes))
}

fn cabinet_path(name: &str) -> PathBuf {
    Path::new(SHIPPED).join(format!("{name}.wav"))
}

fn shipped_bytes(path: &Path) -> Option<&'static [u8]> {
    let name = path.strip_prefix(SHIPPED).ok()?;
    let amp = SHIPPED_AMPS.iter().find(|(shipped, _)| Path::new(shipped) == name);
    let cabinet = || SHIPPED_CABINETS.iter().find(|(shipped, _)| cabinet_path(shipped) == path);
    amp.or_else(cabinet).map(|(_, bytes)| *bytes)
}

fn open_model(path: &Path, bytes: &[u8]) -> Result<(LoadedModel, ModelCard), Refusal> {
    let model = neurdsp_models::load_bytes(bytes).map_err(|error| Refusal::of(path, error))?;
    let metadata = model.metadata();
    let find = |wanted: &str| {
        let found = metadata.iter().find(|(key, _)| key.rsplit('.').next() == Some(wanted));
        let text = found.map(|(_, text)| text.clone());
        // Gear and author are facts of the capture, which have no keys of their own.
        let text = text.or_else(|| model.capture().text(wanted).map(str::to_owned));
        text.filter(|text| !text.is_empty())
    };
    let joined = |keys: [&str; 2], between: &str| {
        let texts = keys.into_iter().filter_map(&find).collect::<Vec<_>>().join(between);
        Some(texts).filter(|texts| !texts.is_empty())
    };
    let gear = [joined(["gear_make", "gear_model"], " "), joined(["gear_type", "tone_type"], ", ")];
    let gear = gear.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let verified = model.verify().ok();
    let device = find("device").and_then(|device| serde_json::from_str::<Value>(&device).ok());
    let knob = |knob: &neurdsp_models::Knob| {
        let range = device.as_ref().and_then(|device| range(device, &knob.name)).unwrap_or([0.0, 1.0]);
        KnobCard { name: knob.name.clone(), scale: Scale { default: knob.default, range } }
    };
    let card = ModelCard {
        name: find("name").unwrap_or_else(|| files::stem(path)),
        description: find("description"),
        date: model.capture().0.get("date").and_then(date).or_else(|| find("date")),
        levels: ModelLevels::from_capture(&model.capture()),
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
pub(super) fn is_slimmable(model: &LoadedModel) -> bool {
    model.nam().is_some_and(|file| !file.size_steps().is_empty())
}

/// A date as text, from the text or the numbers that files have for it.
fn date(date: &Value) -> Option<String> {
    if let Some(text) = date.as_str() {
        return Some(text.to_owned()).filter(|text| !text.is_empty());
    }
    let part = |name: &str| date.get(name)?.as_u64();
    Some(format!("{:04}-{:02}-{:02}", part("year")?, part("month")?, part("day")?))
}

/// The error-to-signal ratio in the metrics of a model file, which are JSON. For a model with knobs it is the one at settings
/// that it was not trained on.
fn esr(metrics: &str) -> Option<f64> {
    let metrics = serde_json::from_str::<Value>(metrics).ok()?;
    metrics.get("esr").or_else(|| metrics.get("esr_test"))?.as_f64()
}

/// What the device's control for a knob shows at its ends, if the description of the device has it.
fn range(device: &Value, knob: &str) -> Option<[f32; 2]> {
    let ends = device.get("knobs")?.get(knob)?;
    let end = |name: &str| ends.get(name)?.as_f64().map(|end| end as f32).filter(|end| end.is_finite());
    Some([end("from")?, end("to")?]).filter(|[from, to]| from != to)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{OpenCabinet, SHIPPED_AMPS, date, is_there, open_model, range, shipped_cabinets};

    #[test]
    fn three_cabinets_are_inside_the_plugin() {
        let cabinets = shipped_cabinets();
        assert_eq!(cabinets.len(), 3);
        for path in cabinets {
            let cabinet = OpenCabinet::read(&path).unwrap();
            assert!(is_there(&path) && (0.03..0.05).contains(&cabinet.response.duration_s()), "{path:?}");
        }
        assert!(!is_there("shipped/9x12.wav".as_ref()));
    }

    #[test]
    fn dates_are_read_as_files_write_them() {
        assert_eq!(
            date(&json!({"year": 2025, "month": 3, "day": 9, "hour": 1})).as_deref(),
            Some("2025-03-09")
        );
        assert_eq!(date(&json!("May 2024")).as_deref(), Some("May 2024"));
        assert_eq!((date(&json!("")), date(&json!({"year": 2025}))), (None, None));
    }

    #[test]
    fn the_amps_inside_the_plugin_pass_their_self_test() {
        assert!(SHIPPED_AMPS.iter().any(|(name, _)| *name == "ts9"));
        for (name, bytes) in SHIPPED_AMPS {
            let (_, card) = open_model(name.as_ref(), bytes).unwrap();
            assert!(card.self_test_passed && card.n_parameters > 0, "{name}");
            assert!(card.esr.is_some_and(|esr| esr < 0.1), "{name}: {:?}", card.esr);
            assert!(card.gear.is_some_and(|gear| gear.starts_with("guitarix")), "{name}");
            assert_eq!(card.author.as_deref(), Some("neurdsp"), "{name}");
        }
    }

    #[test]
    fn knobs_have_the_range_of_the_device_where_the_file_names_it() {
        let (_, bytes) = SHIPPED_AMPS.iter().find(|(name, _)| *name == "screamer").unwrap();
        let (_, card) = open_model("screamer".as_ref(), bytes).unwrap();
        let knobs: Vec<_> = card.knobs.iter().map(|knob| (knob.name.as_str(), knob.scale.range)).collect();
        assert_eq!(knobs, [("drive", [0.0, 1.0]), ("tone", [100.0, 1000.0])]);
        for device in
            [r#"{}"#, r#"{"knobs": {"tone": {"from": 1}}}"#, r#"{"knobs": {"tone": {"from": 1, "to": 1}}}"#]
        {
            assert_eq!(range(&serde_json::from_str(device).unwrap(), "tone"), None);
        }
    }
}
