//! A `.nam` file as a whole: version, architecture, sample rate, metadata and the network.

use std::borrow::Cow;
use std::path::Path;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::bounds::{MAX_CONFIG_BYTES, MAX_DEPTH, MAX_NAM_BYTES, MAX_SUBMODELS, at_most};
use super::metadata::NamMetadata;
use super::networks::{ConvNetNetwork, LinearNetwork, LstmNetwork};
use super::read::{Fields, elements, is_text, value, weights, wrong_count};
use super::slim::check_size;
use super::visit::{Count, Split, Visitor};
use super::wavenet::WavenetNetwork;
use crate::container::json::one_line;
use crate::container::tensor::expect_finite;
use crate::error::{Error, Result};

/// What a file without a sample rate was made at, in Hz.
const DEFAULT_SAMPLE_RATE: f64 = 48_000.0;
/// The members of the root that are read; others are kept as they are.
const KNOWN: [&str; 6] = ["version", "architecture", "config", "weights", "sample_rate", "metadata"];
/// The members of a config that hold models.
const NESTED: [&str; 2] = ["condition_dsp", "submodels"];

/// A model of a `.nam` file.
///
/// # Example
/// ```
/// use neurdsp_models::amp::nam::{NamFile, Network};
/// let file = NamFile::from_bytes(br#"{"version": "0.5.4", "architecture": "Linear",
///     "config": {"receptive_field": 2, "bias": false}, "weights": [0.5, 0.25]}"#)?;
/// let Network::Linear(network) = file.network() else { unreachable!() };
/// assert_eq!(network.taps, [0.5, 0.25]);
/// assert_eq!(file.sample_rate(), 48_000.0);
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NamFile {
    pub(super) version: String,
    pub(super) sample_rate: Option<f64>,
    pub(super) metadata: NamMetadata,
    pub(super) network: Network,
    /// The config as it was read, without the models in it, so that it can be written as it was.
    pub(super) config: Map<String, Value>,
    /// Members of the root that the format does not know.
    pub(super) extra: Map<String, Value>,
}

/// The network of a `.nam` file.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Network {
    /// A WaveNet.
    Wavenet(WavenetNetwork),
    /// An LSTM.
    Lstm(LstmNetwork),
    /// A ConvNet.
    ConvNet(ConvNetNetwork),
    /// An impulse response.
    Linear(LinearNetwork),
    /// Models of several sizes, by ascending `max_value`; the last reaches 1 or more.
    Slimmable(Vec<Submodel>),
}

/// One size of a container.
#[derive(Debug, Clone, PartialEq)]
pub struct Submodel {
    /// The model plays at sizes below this.
    pub max_value: f64,
    /// The model.
    pub model: NamFile,
}

impl NamFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::InFile`] with the path, around what [`from_bytes`](Self::from_bytes) refuses.
    pub fn read(path: impl AsRef<Path>) -> Result<NamFile> {
        let path = path.as_ref();
        let read = || NamFile::from_bytes(&crate::container::open::read_bytes(path, MAX_NAM_BYTES)?);
        read().map_err(|error: Error| error.in_file(path))
    }

    /// Reads the text of a file.
    ///
    /// The config is checked first; each list of weights is then read no further than it may be long.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a version, an architecture or an activation that is not known; malformed JSON, a value
    /// out of bounds, parts that do not fit together, too few or too many weights, or a weight that is not finite, each
    /// named by its path (`config.layers[0].channels`).
    pub fn from_bytes(text: &[u8]) -> Result<NamFile> {
        at_most("the size of the file in bytes", text.len(), MAX_NAM_BYTES as usize)?;
        NamFile::read_model(Fields::root("the .nam file", text)?, 0, &mut Lists::InText)
    }

    /// Whether a JSON text looks like a `.nam` file: it names its architecture, and is no other JSON of a model.
    pub(crate) fn is_nam(text: &[u8]) -> bool {
        Fields::root("", text).is_ok_and(|fields| {
            fields.get("architecture").is_some_and(is_text) || fields.get("version").is_some()
        })
    }

    /// Reads a text whose lists of weights are empty, the values of all of them being joined in `weights`.
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
            let reason = format!("models lie {MAX_DEPTH} deep in one another; more is not read");
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

    /// The version of the format, such as `0.5.4`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// In Hz; 48000 where the file does not say.
    pub fn sample_rate(&self) -> f64 {
        let of_submodel = || match &self.network {
            Network::Slimmable(submodels) => submodels.iter().find_map(|sub| sub.model.sample_rate),
            _ => None,
        };
        self.sample_rate.or_else(of_submodel).unwrap_or(DEFAULT_SAMPLE_RATE)
    }

    /// What the file says about the device and the capture.
    pub fn metadata(&self) -> &NamMetadata {
        &self.metadata
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// How many input samples, the current one included, an output sample depends on; for an LSTM, which forgets
    /// nothing entirely, half a second.
    pub fn receptive_field(&self) -> usize {
        match &self.network {
            Network::Wavenet(network) => network.receptive_field(),
            Network::Lstm(network) => network.settle_samples,
            Network::ConvNet(network) => network.receptive_field(),
            Network::Linear(network) => network.taps.len(),
            Network::Slimmable(submodels) => {
                submodels.last().map_or(1, |submodel| submodel.model.receptive_field())
            }
        }
    }

    /// The model and the network that play at a size from 0 to 1: a model of a container, or a slimmed WaveNet. `None` is
    /// the full size. A model without sizes plays the same at every size.
    ///
    /// # Errors
    /// A size outside 0 to 1; a WaveNet that cannot be slimmed to it.
    pub fn at_size(&self, size: Option<f64>) -> Result<(&NamFile, Cow<'_, Network>)> {
        if let Some(size) = size {
            check_size(size)?;
        }
        match (&self.network, size) {
            (Network::Slimmable(submodels), size) => {
                let fits = |sub: &&Submodel| size.is_some_and(|size| size < sub.max_value);
                match submodels.iter().find(fits).or(submodels.last()) {
                    Some(submodel) => submodel.model.at_size(None),
                    None => Ok((self, Cow::Borrowed(&self.network))),
                }
            }
            (Network::Wavenet(network), Some(size)) if network.is_slimmable() => {
                Ok((self, Cow::Owned(Network::Wavenet(network.slim(size)?))))
            }
            _ => Ok((self, Cow::Borrowed(&self.network))),
        }
    }

    /// The sizes from which another model or another number of channels plays, ascending; empty without sizes.
    pub fn size_steps(&self) -> Vec<f64> {
        let mut steps = match &self.network {
            Network::Slimmable(submodels) => {
                let (_, before_last) = submodels.split_last().unzip();
                before_last.unwrap_or_default().iter().map(|submodel| submodel.max_value).collect()
            }
            Network::Wavenet(network) => {
                let allowed = network.arrays.iter().filter_map(|array| array.allowed_channels.as_ref());
                let steps = |n: usize| (1..n).map(move |i| i as f64 / n as f64);
                allowed.flat_map(|allowed| steps(allowed.len())).collect()
            }
            _ => Vec::new(),
        };
        steps.sort_by(f64::total_cmp);
        steps.dedup();
        steps
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

    /// The name of the architecture in the format.
    pub fn architecture(&self) -> &'static str {
        match self {
            Network::Wavenet(_) => "WaveNet",
            Network::Lstm(_) => "LSTM",
            Network::ConvNet(_) => "ConvNet",
            Network::Linear(_) => "Linear",
            Network::Slimmable(_) => "SlimmableContainer",
        }
    }

    /// Channels of the input.
    pub fn in_channels(&self) -> usize {
        match self {
            Network::Wavenet(network) => network.in_channels,
            Network::Lstm(network) => network.in_channels,
            Network::ConvNet(network) => network.in_channels,
            Network::Linear(_) | Network::Slimmable(_) => 1,
        }
    }

    /// Channels of the output.
    pub fn out_channels(&self) -> usize {
        match self {
            Network::Wavenet(network) => network.out_channels(),
            Network::Lstm(network) => network.out_channels,
            Network::ConvNet(network) => network.head.outputs,
            Network::Linear(_) | Network::Slimmable(_) => 1,
        }
    }

    /// The number of values in the lists of weights: of a WaveNet with those of its condition, of a container those of its
    /// last model.
    pub fn n_parameters(&self) -> usize {
        match self {
            Network::Slimmable(submodels) => {
                submodels.last().map_or(0, |submodel| submodel.model.network.n_parameters())
            }
            Network::Linear(network) => network.taps.len() + usize::from(network.bias.is_some()),
            network => {
                let mut count = Count::default();
                // Counting looks at shapes only, but the visit may change what it goes through.
                network.clone().visit(&mut count);
                let condition = match network {
                    Network::Wavenet(WavenetNetwork { condition: Some(condition), .. }) => {
                        condition.network.n_parameters()
                    }
                    _ => 0,
                };
                count.0 + condition
            }
        }
    }

    /// Goes through the values in the order of the flat list; a container and nested models have lists of their own.
    pub(super) fn visit(&mut self, visitor: &mut dyn Visitor) {
        match self {
            Network::Wavenet(network) => network.visit(visitor),
            Network::Lstm(network) => network.visit(visitor),
            Network::ConvNet(network) => network.visit(visitor),
            Network::Linear(network) => network.visit(network.taps.len(), visitor),
            Network::Slimmable(_) => {}
        }
    }
}

/// Where the lists of weights are.
enum Lists<'a> {
    /// In the text of the file.
    InText,
    /// Joined in the order in which the models are read: those inside a model before its own.
    Joined(&'a [f32]),
}

impl Lists<'_> {
    /// Counts what the shapes of a network ask for, takes exactly as much, and splits it.
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
    for (i, json) in elements(&path, config.require("submodels")?, MAX_SUBMODELS)?.into_iter().enumerate() {
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

/// Takes 0.5.0 to 0.7.x: three numbers, as NAM Core does.
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

/// The members whose keys are wanted, parsed, if they are small together.
fn keep(fields: &Fields, wanted: impl Fn(&str) -> bool) -> Result<Map<String, Value>> {
    let members = || fields.members.iter().filter(|(key, _)| wanted(key));
    let bytes: usize = members().map(|(key, json)| key.len() + json.get().len()).sum();
    let what = if fields.path.is_empty() { "the additional keys" } else { &fields.path };
    at_most(&format!("{what} in bytes"), bytes, MAX_CONFIG_BYTES)?;
    members().map(|(key, json)| Ok((key.clone(), value(&fields.at(key), json)?))).collect()
}
