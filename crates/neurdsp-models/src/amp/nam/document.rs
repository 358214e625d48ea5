//! Reading a `.nam` file, or the config of one whose weights stand elsewhere.

use std::path::Path;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::bounds::{MAX_CONFIG_BYTES, MAX_DEPTH, MAX_NAM_BYTES, MAX_SUBMODELS, at_most};
use super::file::{DEFAULT_SAMPLE_RATE, NamFile, Network, Submodel};
use super::metadata::NamMetadata;
use super::networks::{ConvNetNetwork, LinearNetwork, LstmNetwork};
use super::visit::{Count, Split, Visitor};
use super::wavenet::WavenetNetwork;
use crate::amp::fields::{Fields, value, weights, wrong_count};
use crate::container::json::{elements, one_line};
use crate::container::open::read_bytes;
use crate::container::tensor::expect_finite;
use crate::container::text::in_text;
use crate::error::{Error, Result};

/// The members of the root that are interpreted; the others are kept as they are.
const KNOWN: [&str; 6] = ["version", "architecture", "config", "weights", "sample_rate", "metadata"];
/// The members of a config that are models.
const NESTED: [&str; 2] = ["condition_dsp", "submodels"];

impl NamFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::InFile`] with the path, around what [`from_bytes`](Self::from_bytes) refuses.
    pub fn read(path: impl AsRef<Path>) -> Result<NamFile> {
        let path = path.as_ref();
        let read = || NamFile::from_bytes(&read_bytes(path, MAX_NAM_BYTES)?);
        read().map_err(|error: Error| error.in_file(path))
    }

    /// Reads the text of a file.
    ///
    /// The config is checked first; each list of weights is then read no further than its expected length.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for an unknown version, architecture or activation; malformed JSON, a value
    /// out of bounds, parts that do not fit together, too few or too many weights, or a weight that is not finite, each
    /// named by its path (`config.layers[0].channels`).
    pub fn from_bytes(text: &[u8]) -> Result<NamFile> {
        check_length(text)?;
        let read = || NamFile::from_fields(Fields::root("the .nam file", text)?);
        read().map_err(|error| in_text(error, text))
    }

    /// As [`from_bytes`](Self::from_bytes), from the members of the root.
    pub(crate) fn from_fields(root: Fields) -> Result<NamFile> {
        NamFile::read_model(root, 0, &mut Lists::InText)
    }

    /// Reads a text with empty lists of weights, whose values are joined in `weights`.
    pub(super) fn from_parts(text: &str, weights: &[f32]) -> Result<NamFile> {
        at_most("the size of the config in bytes", text.len(), MAX_NAM_BYTES as usize)?;
        expect_finite("weights", weights)?;
        let mut lists = Lists::Joined(weights);
        let file = NamFile::read_model(Fields::root("the config", text.as_bytes())?, 0, &mut lists)?;
        match lists {
            Lists::Joined(rest) if !rest.is_empty() => {
                Err(wrong_count("weights", weights.len(), weights.len() - rest.len()))
            }
            _ => Ok(file),
        }
    }

    fn read_model(fields: Fields, depth: usize, lists: &mut Lists) -> Result<NamFile> {
        if depth == MAX_DEPTH {
            let reason = format!("models are nested more than {MAX_DEPTH} deep");
            return Err(Error::malformed(fields.path, reason));
        }
        let version: String = fields.value("version")?;
        check_version(&fields.at("version"), &version)?;
        let sample_rate = match fields.get("sample_rate") {
            Some(json) => Some(read_sample_rate(&fields.at("sample_rate"), json)?),
            None => None,
        };
        let mut metadata = NamMetadata::default();
        if let Some(json) = fields.get("metadata") {
            at_most(&format!("{} in bytes", fields.at("metadata")), json.get().len(), MAX_CONFIG_BYTES)?;
            metadata.0 = value(&fields.at("metadata"), json)?;
        }
        let extra = keep(&fields, |key| !KNOWN.contains(&key))?;
        let config = Fields::new(fields.at("config"), fields.require("config")?)?;
        let kept = keep(&config, |key| !NESTED.contains(&key))?;
        let network = Network::read(&fields, &config, (depth, sample_rate), lists)?;
        Ok(NamFile { version, sample_rate, metadata, network, config: kept, extra })
    }
}

impl Network {
    fn read(
        fields: &Fields,
        config: &Fields,
        (depth, sample_rate): (usize, Option<f64>),
        lists: &mut Lists,
    ) -> Result<Network> {
        let architecture: String = fields.value("architecture")?;
        let rate = sample_rate.unwrap_or(DEFAULT_SAMPLE_RATE);
        let mut network = match architecture.as_str() {
            "WaveNet" => {
                let condition = match config.get("condition_dsp") {
                    Some(json) => Some(Box::new(read_condition(
                        config.at("condition_dsp"),
                        json,
                        (depth, rate),
                        lists,
                    )?)),
                    None => None,
                };
                Network::Wavenet(WavenetNetwork::read(config, condition)?)
            }
            "LSTM" => Network::Lstm(LstmNetwork::read(config, rate)?),
            "ConvNet" => Network::ConvNet(ConvNetNetwork::read(config)?),
            "Linear" => {
                let (mut network, length) = LinearNetwork::read(config)?;
                let visit = |visitor: &mut dyn Visitor| network.visit(length, visitor);
                lists.fill(fields, visit)?;
                return Ok(Network::Linear(network));
            }
            "SlimmableContainer" => return read_container(config, (depth, sample_rate), lists),
            _ => {
                return Err(Error::Unsupported {
                    what: format!("{} {:?}", fields.at("architecture"), one_line(&architecture)),
                    reason: "WaveNet, LSTM, ConvNet, Linear and SlimmableContainer can be read; \
                             export the model as one of these"
                        .to_owned(),
                });
            }
        };
        let visit = |visitor: &mut dyn Visitor| network.visit(visitor);
        lists.fill(fields, visit)?;
        if let Network::ConvNet(network) = &network {
            network.check_values(&config.path)?;
        }
        Ok(network)
    }
}

fn check_length(text: &[u8]) -> Result<()> {
    at_most("the size of the file in bytes", text.len(), MAX_NAM_BYTES as usize)
}

/// Where the lists of weights are.
enum Lists<'a> {
    /// In the text of the file.
    InText,
    /// Joined in the order in which the models are read: nested models before the one around them.
    Joined(&'a [f32]),
}

impl Lists<'_> {
    /// Counts the values that the shapes of a network need, takes exactly as many, and splits them.
    fn fill(&mut self, fields: &Fields, mut visit: impl FnMut(&mut dyn Visitor)) -> Result<()> {
        let mut count = Count::default();
        visit(&mut count);
        let path = fields.at("weights");
        match self {
            Lists::InText => {
                let values = weights(&path, fields.require("weights")?, count.0)?;
                visit(&mut Split(&values));
            }
            Lists::Joined(rest) => {
                let Some((own, after)) = rest.split_at_checked(count.0) else {
                    return Err(wrong_count(&path, rest.len(), count.0));
                };
                visit(&mut Split(own));
                *rest = after;
            }
        }
        Ok(())
    }
}

fn read_condition(
    path: String,
    json: &RawValue,
    (depth, rate): (usize, f64),
    lists: &mut Lists,
) -> Result<NamFile> {
    let model = NamFile::read_model(Fields::new(path.as_str(), json)?, depth + 1, lists)?;
    if model.sample_rate() != rate {
        return Err(Error::OutOfRange {
            name: format!("{path}.sample_rate"),
            got: model.sample_rate().to_string(),
            expected: format!("{rate}, the sample rate of the model around it"),
        });
    }
    Ok(model)
}

fn read_container(
    config: &Fields,
    (depth, sample_rate): (usize, Option<f64>),
    lists: &mut Lists,
) -> Result<Network> {
    let path = config.at("submodels");
    let mut submodels: Vec<Submodel> = Vec::new();
    for (i, json) in elements(&path, config.require("submodels")?, 0..=MAX_SUBMODELS)?.into_iter().enumerate()
    {
        let entry = Fields::new(format!("{path}[{i}]"), json)?;
        let max_value: f64 = entry.value("max_value")?;
        let before = submodels.last().map_or(f64::NEG_INFINITY, |submodel| submodel.max_value);
        if max_value <= before || !max_value.is_finite() {
            return Err(Error::OutOfRange {
                name: entry.at("max_value"),
                got: max_value.to_string(),
                expected: format!("above {before}, that of the model before"),
            });
        }
        let model =
            NamFile::read_model(Fields::new(entry.at("model"), entry.require("model")?)?, depth + 1, lists)?;
        let known = sample_rate.or_else(|| submodels.iter().find_map(|submodel| submodel.model.sample_rate));
        if let (Some(known), Some(rate)) = (known, model.sample_rate)
            && known != rate
        {
            return Err(Error::OutOfRange {
                name: entry.at("model.sample_rate"),
                got: rate.to_string(),
                expected: format!("{known}, as the other sizes of the model"),
            });
        }
        submodels.push(Submodel { max_value, model });
    }
    match submodels.last() {
        Some(last) if last.max_value >= 1.0 => Ok(Network::Slimmable(submodels)),
        Some(last) => Err(Error::OutOfRange {
            name: format!("{path}: the last max_value"),
            got: last.max_value.to_string(),
            expected: "1 or more, so that there is a model for every size".to_owned(),
        }),
        None => Err(Error::malformed(path, "it is empty; a container has at least one model")),
    }
}

fn read_sample_rate(path: &str, json: &RawValue) -> Result<f64> {
    let rate: f64 = value(path, json)?;
    if (1000.0..=768_000.0).contains(&rate) {
        return Ok(rate);
    }
    Err(Error::OutOfRange {
        name: path.to_owned(),
        got: rate.to_string(),
        expected: "1000 to 768000 Hz".to_owned(),
    })
}

/// Accepts 0.5.0 to 0.7.x: three numbers, as NAM Core does.
fn check_version(path: &str, version: &str) -> Result<()> {
    let parts: Vec<Option<u64>> = version
        .split('.')
        .map(|part| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok()).flatten())
        .collect();
    match parts.as_slice() {
        [Some(0), Some(5..=7), Some(_)] => Ok(()),
        _ => Err(Error::Unsupported {
            what: format!("{path} {:?}", one_line(version)),
            reason: "versions 0.5.0 to 0.7.x of the .nam format can be read; \
                     export the model again with a trainer of these, or install a newer neurdsp"
                .to_owned(),
        }),
    }
}

/// Parses the members whose keys are wanted, if they are small together.
fn keep(fields: &Fields, wanted: impl Fn(&str) -> bool) -> Result<Map<String, Value>> {
    let members = || fields.members.iter().filter(|(key, _)| wanted(key));
    let bytes: usize = members().map(|(key, json)| key.len() + json.get().len()).sum();
    let what = if fields.path.is_empty() { "the additional keys" } else { &fields.path };
    at_most(&format!("{what} in bytes"), bytes, MAX_CONFIG_BYTES)?;
    members().map(|(key, json)| Ok((key.clone(), value(&fields.at(key), json)?))).collect()
}
