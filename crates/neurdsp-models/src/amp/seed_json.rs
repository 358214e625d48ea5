//! The JSON form of a residual network, which earlier trainers wrote: `model_info`, `architecture` and `weights`.
//!
//! ```text
//! model_info    name, version "1.0.0", architecture "WaveNet", causal, sample_rate, receptive_field, latency_ms
//! architecture  channels, num_layers, kernel_size, dilation_base, dilations[]
//! weights       input_conv {weight[C], bias[C]}
//!               residual_blocks [{layer, dilation, conv_weight[out][in][k], conv_bias[C]}]
//!               output_conv {weight[C], bias[1]}
//! ```
//!
//! The last tap of a kernel multiplies the current sample. `receptive_field` and `latency_ms` are written for other
//! readers but not trusted here: the first follows from the architecture, and the latency of a causal model is 0. The form
//! holds neither metrics nor parity vectors.

use std::path::Path;

use serde::Serialize;

use crate::amp::fields::Fields;
use crate::amp::residual::{LayerWeights, ResidualConfig, ResidualWeights};
use crate::container::atomic::write_atomically;
use crate::container::json::{elements, numbers, one_line};
use crate::container::text::in_text;
use crate::error::{Error, Result};

/// The largest JSON file, in bytes; a model of 48 channels and 12 layers has two million.
pub(crate) const MAX_JSON_BYTES: u64 = 128 << 20;
const VERSION: &str = "1.0.0";

/// A residual network with the other contents of its JSON form.
#[derive(Debug, Clone, PartialEq)]
pub struct SeedModel {
    /// The name of the model.
    pub name: String,
    /// In Hz.
    pub sample_rate: f64,
    /// The shape of the network.
    pub config: ResidualConfig,
    /// The trained values.
    pub weights: ResidualWeights,
}

impl SeedModel {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::InFile`] with the path: the file cannot be read, is too large, or is refused by
    /// [`from_bytes`](Self::from_bytes).
    pub fn read(path: impl AsRef<Path>) -> Result<SeedModel> {
        let path = path.as_ref();
        let read = || SeedModel::from_bytes(&crate::container::open::read_bytes(path, MAX_JSON_BYTES)?);
        read().map_err(|error: Error| error.in_file(path))
    }

    /// Reads the text of a file.
    ///
    /// The architecture is checked first; each list of weights is then read no further than its expected length.
    ///
    /// # Errors
    /// Malformed JSON, an architecture out of bounds, a model that is not causal, a list of the wrong length (named by
    /// its path, as `weights.residual_blocks[2].conv_weight[0]`), or a value that is not finite.
    pub fn from_bytes(text: &[u8]) -> Result<SeedModel> {
        let read = || SeedModel::from_fields(&Fields::root("the JSON model", text)?);
        read().map_err(|error| in_text(error, text))
    }

    /// As [`from_bytes`](Self::from_bytes), from the members of the root.
    pub(crate) fn from_fields(root: &Fields) -> Result<SeedModel> {
        let info = root.object("model_info")?;
        let sample_rate = info.value("sample_rate")?;
        check_info(&info, sample_rate)?;
        let config = check_architecture(&root.object("architecture")?)?;
        let c = config.channels;

        let weights = root.object("weights")?;
        let list_of = |of: &Fields, key: &str, shape: &[usize]| numbers(&of.at(key), of.require(key)?, shape);
        let n_layers = config.num_layers;
        let blocks =
            elements("weights.residual_blocks", weights.require("residual_blocks")?, n_layers..=n_layers)?;
        let mut layers = Vec::with_capacity(blocks.len());
        let mut first_layer = 0;
        for (i, (block, dilation)) in blocks.into_iter().zip(config.dilations()).enumerate() {
            let block = Fields::new(format!("weights.residual_blocks[{i}]"), block)?;
            // Numbered from 0 or from 1, but in order.
            let layer: usize = block.value("layer")?;
            if i == 0 {
                first_layer = layer.min(1);
            }
            equal(&block.at("layer"), layer, first_layer + i)?;
            equal(&block.at("dilation"), block.value("dilation")?, dilation)?;
            layers.push(LayerWeights {
                weight: list_of(&block, "conv_weight", &[c, c, config.kernel_size])?,
                bias: list_of(&block, "conv_bias", &[c])?,
            });
        }
        let (input, output) = (weights.object("input_conv")?, weights.object("output_conv")?);
        let weights = ResidualWeights {
            input_weight: list_of(&input, "weight", &[c])?,
            input_bias: list_of(&input, "bias", &[c])?,
            layers,
            output_weight: list_of(&output, "weight", &[c])?,
            output_bias: list_of(&output, "bias", &[1])?[0],
        };
        Ok(SeedModel { name: info.value_or("name", String::new())?, sample_rate, config, weights })
    }

    /// Writes a file: whole, or not at all.
    ///
    /// # Errors
    /// [`Error::InFile`] with the path: the folder does not exist, the disk is full, or the weights do not fit.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = self.to_bytes().map_err(|error| error.in_file(path))?;
        write_atomically(path, |writer| writer.write_all(&bytes))
    }

    /// The text of the file; reading it gives the same weights bit for bit.
    ///
    /// # Errors
    /// The weights do not fit the config, or are not finite.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.weights.check(&self.config)?;
        check_sample_rate(self.sample_rate)?;
        let ResidualConfig { channels, num_layers, kernel_size, dilation_base } = self.config;
        let dilations = self.config.dilations();
        let blocks =
            self.weights.layers.iter().zip(&dilations).enumerate().map(|(layer, (weights, &dilation))| {
                let rows = weights.weight.chunks(channels * kernel_size);
                BlockOut {
                    layer,
                    dilation,
                    conv_weight: rows.map(|row| row.chunks(kernel_size).collect()).collect(),
                    conv_bias: &weights.bias,
                }
            });
        let output_bias = [self.weights.output_bias];
        let root = RootOut {
            model_info: InfoOut {
                name: &self.name,
                version: VERSION,
                architecture: "WaveNet",
                causal: true,
                sample_rate: whole_or_fraction(self.sample_rate),
                receptive_field: self.config.receptive_field(),
                latency_ms: 0.0,
            },
            architecture: ArchitectureOut {
                channels,
                num_layers,
                kernel_size,
                dilation_base,
                dilations: &dilations,
            },
            weights: WeightsOut {
                input_conv: ConvOut { weight: &self.weights.input_weight, bias: &self.weights.input_bias },
                residual_blocks: blocks.collect(),
                output_conv: ConvOut { weight: &self.weights.output_weight, bias: &output_bias },
            },
        };
        let bytes = serde_json::to_vec(&root)
            .map_err(|error| Error::malformed("the JSON model", error.to_string()))?;
        if bytes.len() as u64 > MAX_JSON_BYTES {
            let what = "the size of the JSON file in bytes".to_owned();
            return Err(Error::TooLarge { what, limit: MAX_JSON_BYTES, got: bytes.len() as u64 });
        }
        Ok(bytes)
    }
}

#[derive(Serialize)]
struct RootOut<'a> {
    model_info: InfoOut<'a>,
    architecture: ArchitectureOut<'a>,
    weights: WeightsOut<'a>,
}

#[derive(Serialize)]
struct InfoOut<'a> {
    name: &'a str,
    version: &'a str,
    architecture: &'a str,
    causal: bool,
    sample_rate: serde_json::Value,
    receptive_field: usize,
    latency_ms: f64,
}

#[derive(Serialize)]
struct ArchitectureOut<'a> {
    channels: usize,
    num_layers: usize,
    kernel_size: usize,
    dilation_base: usize,
    dilations: &'a [usize],
}

#[derive(Serialize)]
struct WeightsOut<'a> {
    input_conv: ConvOut<'a>,
    residual_blocks: Vec<BlockOut<'a>>,
    output_conv: ConvOut<'a>,
}

#[derive(Serialize)]
struct ConvOut<'a> {
    weight: &'a [f32],
    bias: &'a [f32],
}

#[derive(Serialize)]
struct BlockOut<'a> {
    layer: usize,
    dilation: usize,
    conv_weight: Vec<Vec<&'a [f32]>>,
    conv_bias: &'a [f32],
}

fn check_info(info: &Fields, sample_rate: f64) -> Result<()> {
    let architecture: String = info.value("architecture")?;
    if !architecture.eq_ignore_ascii_case("wavenet") {
        return Err(Error::UnknownArchitecture {
            name: one_line(&architecture),
            known: "WaveNet".to_owned(),
        });
    }
    let version: String = info.value("version")?;
    if version.split('.').next() != Some("1") {
        return Err(Error::Unsupported {
            what: format!("model_info.version {:?}", one_line(&version)),
            reason: "only 1.x is known".to_owned(),
        });
    }
    if !info.value::<bool>("causal")? {
        return Err(Error::Unsupported {
            what: "model_info.causal = false".to_owned(),
            reason: "a model that looks ahead cannot play in real time; train a causal one".to_owned(),
        });
    }
    check_sample_rate(sample_rate)
}

fn check_sample_rate(sample_rate: f64) -> Result<()> {
    if (1000.0..=768_000.0).contains(&sample_rate) {
        return Ok(());
    }
    Err(Error::OutOfRange {
        name: "model_info.sample_rate".to_owned(),
        got: sample_rate.to_string(),
        expected: "1000 to 768000 Hz".to_owned(),
    })
}

fn check_architecture(architecture: &Fields) -> Result<ResidualConfig> {
    let config = ResidualConfig {
        channels: architecture.value("channels")?,
        num_layers: architecture.value("num_layers")?,
        kernel_size: architecture.value("kernel_size")?,
        dilation_base: architecture.value("dilation_base")?,
    };
    config.validate()?;
    let dilations: Vec<usize> = architecture.value("dilations")?;
    equal("the length of architecture.dilations", dilations.len(), config.num_layers)?;
    for (i, (got, expected)) in dilations.iter().zip(config.dilations()).enumerate() {
        equal(&format!("architecture.dilations[{i}]"), *got, expected)?;
    }
    Ok(config)
}

fn equal(name: &str, got: usize, expected: usize) -> Result<()> {
    if got == expected {
        return Ok(());
    }
    Err(Error::OutOfRange { name: name.to_owned(), got: got.to_string(), expected: expected.to_string() })
}

/// 48000 rather than 48000.0, as other programs write it.
fn whole_or_fraction(value: f64) -> serde_json::Value {
    if value.fract() == 0.0 { serde_json::Value::from(value as u64) } else { serde_json::Value::from(value) }
}
