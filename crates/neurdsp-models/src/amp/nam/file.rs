//! A `.nam` file as a whole: version, architecture, sample rate, metadata and the network.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::bounds::check_size;
use super::metadata::NamMetadata;
use super::networks::{ConvNetNetwork, LinearNetwork, LstmNetwork};
use super::visit::{Count, Visitor};
use super::wavenet::WavenetNetwork;
use crate::error::Result;

/// The sample rate of a file that gives none, in Hz.
pub(super) const DEFAULT_SAMPLE_RATE: f64 = 48_000.0;

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
    /// The config as it was read, without nested models, so that it can be written back unchanged.
    pub(super) config: Map<String, Value>,
    /// Members of the root that the format does not define.
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
    /// The version of the format, such as `0.5.4`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// In Hz; 48000 if the file gives none.
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

    /// Replaces what the file says under these keys.
    pub(crate) fn describe(&mut self, facts: Map<String, Value>) {
        self.metadata.0.extend(facts);
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// How many input samples, the current one included, an output sample depends on; half a second for an LSTM, which
    /// never forgets entirely.
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

    /// The model and the network for a size from 0 to 1: a model of a container, or a slimmed WaveNet. `None` is the full
    /// size. A model without sizes plays the same at every size.
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

    /// What is known of the model at a size: the levels of that size, and of the device what any part of the file says;
    /// `whole` is what the file says of itself.
    pub(crate) fn facts_at(&self, size: Option<f64>, whole: NamMetadata) -> NamMetadata {
        let Network::Slimmable(submodels) = &self.network else { return whole };
        let Ok((playing, _)) = self.at_size(size) else { return whole };
        let facts = NamMetadata::of_size(whole, playing.metadata());
        submodels.iter().rev().fold(facts, |facts, other| facts.completed_by(other.model.metadata()))
    }

    /// The sizes at which the model or its number of channels changes, ascending; empty for a model without sizes.
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
                // Counting reads shapes only, but a visitor takes the values as mutable.
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

    /// Visits the values in the order of the flat list; a container and nested models have lists of their own.
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
