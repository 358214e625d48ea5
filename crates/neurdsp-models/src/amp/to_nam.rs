//! From any model that neurdsp reads to a `.nam` file.

use std::path::Path;

use serde_json::{Map, Value};

use crate::amp::json_model::JsonModel;
use crate::amp::knobs::AMP_PARAMETRIC;
use crate::amp::loaded::LoadedModel;
use crate::amp::nam::{CAPTURE, MAX_NAM_BYTES, NamFile, NamMetadata, Network, WavenetNetwork};
use crate::amp::residual::{AMP_WAVENET, ResidualConfig, ResidualWeights};
use crate::amp::seed_json::MAX_JSON_BYTES;
use crate::container::file::ModelFile;
use crate::container::format::Format;
use crate::container::header::Header;
use crate::container::json::{in_words, one_line};
use crate::container::open::read_bytes;
use crate::error::{Error, Result};

/// The version of the `.nam` format to write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NamVersion {
    /// The oldest that can express the network, which the most players read: 0.5.4 if possible, otherwise 0.7.0.
    #[default]
    Oldest,
    /// 0.5.4, or an error.
    Plain,
    /// That of a model that is a `.nam` model already; otherwise the oldest.
    Keep,
}

/// Reads a model in any format, and makes the `.nam` file that computes the same.
///
/// `capture` is a JSON object of `.nam` metadata, which replaces what the file says under the same keys.
///
/// # Errors
/// [`Error::InFile`] with the path, around what is wrong with the file; a `capture` that is no object; a model that the
/// format, or the version of it, cannot express.
pub fn to_nam(path: impl AsRef<Path>, capture: &str, version: NamVersion) -> Result<NamFile> {
    let path = path.as_ref();
    let convert = || {
        let file = read(path, capture)?;
        let file = if version == NamVersion::Keep { file } else { file.in_oldest_version()? };
        if version == NamVersion::Plain && !file.is_plain() {
            return Err(Error::Unsupported {
                what: "this network in version 0.5.4 of the .nam format".to_owned(),
                reason: format!("it needs the keys of version {}; write it in that", file.version()),
            });
        }
        Ok(file)
    };
    convert().map_err(|error: Error| error.in_file(path))
}

fn read(path: &Path, capture: &str) -> Result<NamFile> {
    let capture: Map<String, Value> =
        serde_json::from_str(capture).map_err(|error| Error::malformed("capture", in_words(&error)))?;
    let described = |mut file: NamFile, capture| {
        file.describe(capture);
        file
    };
    if NamFile::is_folder(path) {
        return Ok(described(NamFile::read_folder(path)?, capture));
    }
    if Format::of_file(path)? == Format::Json {
        return match JsonModel::from_bytes(&read_bytes(path, MAX_JSON_BYTES.max(MAX_NAM_BYTES))?)? {
            JsonModel::Nam(file) | JsonModel::Foreign(file, _) => Ok(described(file, capture)),
            JsonModel::Seed(seed) => amp(&seed.config, &seed.weights, seed.sample_rate, NamMetadata(capture)),
        };
    }
    let file = ModelFile::read(path)?;
    let header = Header::from_metadata(&file.metadata)?;
    let mut facts = match file.metadata.get(CAPTURE) {
        Some(own) => serde_json::from_str::<Map<String, Value>>(own)
            .map_err(|error| Error::malformed(CAPTURE, one_line(&in_words(&error))))?,
        None => Map::new(),
    };
    facts.extend(capture);
    if header.architecture == AMP_PARAMETRIC {
        // The format has no knobs: the model is written with its knobs at their defaults.
        let model = LoadedModel::from_file(&file)?;
        let network = model.nam().cloned().ok_or_else(|| Error::Unsupported {
            what: "a model with knobs around an amp.wavenet as .nam".to_owned(),
            reason: "only those around a nam.wavenet can be written".to_owned(),
        })?;
        return Ok(described(network, facts));
    }
    if header.architecture != AMP_WAVENET {
        return Ok(described(NamFile::from_model_file(&file)?, facts));
    }
    let config: ResidualConfig = header.typed_config()?;
    let weights = ResidualWeights::from_tensors(&config, &file.tensors)?;
    amp(&config, &weights, header.audio.sample_rate, NamMetadata(facts))
}

fn amp(
    config: &ResidualConfig,
    weights: &ResidualWeights,
    sample_rate: f64,
    metadata: NamMetadata,
) -> Result<NamFile> {
    NamFile::new(Network::Wavenet(WavenetNetwork::from_amp(config, weights)?), sample_rate, metadata)
}
