//! From any model that neurdsp reads to a `.nam` file.

use std::path::Path;

use serde_json::{Map, Value};

use crate::amp::knobs::AMP_PARAMETRIC;
use crate::amp::loaded::LoadedModel;
use crate::amp::nam::{CAPTURE, NamFile, NamMetadata, Network, WavenetNetwork};
use crate::amp::residual::{AMP_WAVENET, ResidualConfig, ResidualWeights};
use crate::amp::seed_json::SeedModel;
use crate::container::file::ModelFile;
use crate::container::header::Header;
use crate::container::json::one_line;
use crate::error::{Error, Result};

/// Reads a model file, or the JSON of an amp model, and makes the `.nam` file that computes the same.
///
/// `capture` is a JSON object of `.nam` metadata, which replaces what the file says under the same keys.
///
/// # Errors
/// [`Error::InFile`] with the path, around what is wrong with the file; a `capture` that is no object; a model that the
/// format cannot express.
pub fn to_nam(path: impl AsRef<Path>, capture: &str) -> Result<NamFile> {
    let path = path.as_ref();
    let capture: Map<String, Value> =
        serde_json::from_str(capture).map_err(|error| Error::malformed("capture", error.to_string()))?;
    let convert = move || {
        if let Some(seed) = read_seed(path)? {
            return amp(&seed.config, &seed.weights, seed.sample_rate, NamMetadata(capture));
        }
        let file = ModelFile::read(path)?;
        let header = Header::from_metadata(&file.metadata)?;
        let mut facts = match file.metadata.get(CAPTURE) {
            Some(own) => serde_json::from_str::<Map<String, Value>>(own)
                .map_err(|error| Error::malformed(CAPTURE, one_line(&error.to_string())))?,
            None => Map::new(),
        };
        facts.extend(capture);
        if header.architecture == AMP_WAVENET {
            let config: ResidualConfig = header.typed_config()?;
            let weights = ResidualWeights::from_tensors(&config, &file.tensors)?;
            return amp(&config, &weights, header.audio.sample_rate, NamMetadata(facts));
        }
        let mut model = if header.architecture == AMP_PARAMETRIC {
            // The format has no knobs: the model is written with its knobs at their defaults.
            let model = LoadedModel::from_file(&file)?;
            model.nam().cloned().ok_or_else(|| Error::Unsupported {
                what: "a model with knobs around an amp.wavenet as .nam".to_owned(),
                reason: "only those around a nam.wavenet can be written".to_owned(),
            })?
        } else {
            NamFile::from_model_file(&file)?
        };
        model.describe(facts);
        Ok(model)
    };
    convert().map_err(|error: Error| error.in_file(path))
}

/// The JSON of an amp model, if the file is of that kind.
fn read_seed(path: &Path) -> Result<Option<SeedModel>> {
    let is_json = path.extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case("json"));
    if is_json { SeedModel::read(path).map(Some) } else { Ok(None) }
}

fn amp(
    config: &ResidualConfig,
    weights: &ResidualWeights,
    sample_rate: f64,
    metadata: NamMetadata,
) -> Result<NamFile> {
    NamFile::new(Network::Wavenet(WavenetNetwork::from_amp(config, weights)?), sample_rate, metadata)
}
