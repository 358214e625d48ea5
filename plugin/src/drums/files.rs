//! Networks as they are opened: from files, from the plugin itself, from a session.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use neurdsp_models::{AnyModel, FAMILIES, ModelFile, StreamSource};
use serde_json::Value;

use super::strips;
use crate::state::{Refusal, Resource, files};

/// Endings of the files that hold networks.
pub(super) const MODEL_ENDINGS: &[&str] = &["safetensors"];

/// Largest file of a network.
const MAX_MODEL_BYTES: u64 = 256 << 20;
/// The folder in which the shipped networks appear to be.
const SHIPPED: &str = "shipped";
/// The networks inside the plugin.
const SHIPPED_NETWORKS: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/drums.rs"));

/// What the editor shows of a network.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ModelCard {
    /// Its name, from the file or the file's name.
    pub(super) name: String,
    /// What the file says that it is, in a sentence.
    pub(super) description: Option<String>,
    /// Kind of network, such as `drumsep.band_split`.
    pub(super) architecture: String,
    /// The number of trained values.
    pub(super) n_parameters: usize,
    /// The rate that it was trained at, in Hz.
    pub(super) sample_rate: f64,
    /// Which strips it has a stem for.
    pub(super) has_stem: [bool; strips::STEMS],
}

/// A network that can play.
#[derive(Clone)]
pub(crate) struct OpenModel {
    pub(super) resource: Resource,
    pub(super) network: Arc<dyn StreamSource>,
    /// The strip of each of its stems.
    pub(super) places: Vec<usize>,
    pub(super) card: ModelCard,
}

impl OpenModel {
    /// Reads the network at `path`, which may be one of those inside the plugin.
    pub(super) fn read(path: &Path) -> Result<OpenModel, Refusal> {
        let bytes = match shipped_bytes(path) {
            Some(bytes) => bytes.to_vec(),
            None => files::read(path, MAX_MODEL_BYTES)?,
        };
        OpenModel::new(Resource::new(path, &bytes), &bytes)
    }

    /// Opens the network of a session.
    pub(super) fn restore(resource: Resource) -> Result<OpenModel, Refusal> {
        let bytes = resource.bytes(MAX_MODEL_BYTES)?;
        OpenModel::new(resource, &bytes)
    }

    fn new(resource: Resource, bytes: &[u8]) -> Result<OpenModel, Refusal> {
        let refused = |error: &dyn std::fmt::Display| Refusal::of(&resource.path, error);
        let file = ModelFile::from_bytes(bytes).map_err(|error| refused(&error))?;
        let model = FAMILIES.from_file(&file).map_err(|error| refused(&error))?;
        let network = match &model {
            AnyModel::Stream(network) => Arc::clone(network),
            AnyModel::Separator(_) => {
                let reason = "this network takes whole recordings apart and cannot play live; use it with \
                              neurdsp drumsep, and load a network of the architecture drumsep.band_split here";
                return Err(refused(&reason));
            }
            other => {
                let reason = format!(
                    "this is a {} ({}), not a network that separates drums",
                    other.kind(),
                    other.architecture()
                );
                return Err(refused(&reason));
            }
        };
        let stems = stems(&model).ok_or_else(|| {
            refused(&format!(
                "this is a model of the kind {}, not a network that separates drums",
                model.architecture()
            ))
        })?;
        let places = strips::places(&stems).map_err(|reason| refused(&reason))?;
        let find = |key: &str| {
            let found = model.metadata().iter().find(|(name, _)| name.rsplit('.').next() == Some(key));
            found.map(|(_, text)| text.clone()).filter(|text| !text.is_empty())
        };
        let card = ModelCard {
            name: find("name").unwrap_or_else(|| files::stem(&resource.path)),
            description: find("description"),
            architecture: model.architecture().to_owned(),
            n_parameters: model.n_parameters(),
            sample_rate: model.audio().sample_rate,
            has_stem: std::array::from_fn(|strip| places.contains(&strip)),
        };
        Ok(OpenModel { resource, network, places, card })
    }
}

/// The stems that a network's config names; none if it is no such network.
fn stems(model: &AnyModel) -> Option<Vec<String>> {
    let config: Value = serde_json::from_str(model.metadata().get("neurdsp.config")?).ok()?;
    let stems = config.get("stems")?.as_array()?.iter().map(|stem| stem.as_str().map(str::to_owned));
    stems.collect::<Option<Vec<_>>>().filter(|stems| !stems.is_empty())
}

/// The networks inside the plugin, as paths that [`OpenModel::read`] knows.
pub(super) fn shipped() -> Vec<PathBuf> {
    SHIPPED_NETWORKS.iter().map(|(name, _)| Path::new(SHIPPED).join(name)).collect()
}

fn shipped_bytes(path: &Path) -> Option<&'static [u8]> {
    let name = path.strip_prefix(SHIPPED).ok()?;
    SHIPPED_NETWORKS.iter().find(|(shipped, _)| Path::new(shipped) == name).map(|(_, bytes)| *bytes)
}
