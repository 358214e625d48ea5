//! The other networks of the format: LSTM, ConvNet and Linear.

use super::activation::Activation;
use super::bounds::{
    MAX_CHANNELS, MAX_DILATION, MAX_LAYERS, MAX_LSTM_WEIGHTS, MAX_RECEPTIVE_FIELD, Totals, at_most, equal,
};
use super::conv::Conv;
use super::visit::Visitor;
use crate::amp::fields::Fields;
use crate::error::{Error, Result};

/// How long an LSTM takes to settle.
const SETTLE_SECONDS: f64 = 0.5;
/// The most multiplications while an LSTM settles: a few seconds of work. The largest real models need a hundredth of it.
const MAX_SETTLE_WORK: usize = 1 << 34;

/// A stack of LSTM layers and a linear head.
#[derive(Debug, Clone, PartialEq)]
pub struct LstmNetwork {
    /// Channels of the input.
    pub in_channels: usize,
    /// Channels of the output.
    pub out_channels: usize,
    /// The size of each layer's state.
    pub hidden_size: usize,
    /// The layers, at least one.
    pub layers: Vec<LstmLayer>,
    /// `[out_channels][hidden_size]`, row-major.
    pub head_weight: Vec<f32>,
    /// `[out_channels]`.
    pub head_bias: Vec<f32>,
    /// Samples of silence that bring it to rest: half a second, as in NAM Core.
    pub settle_samples: usize,
}

/// One LSTM layer. The gates are in the order input, forget, cell, output.
#[derive(Debug, Clone, PartialEq)]
pub struct LstmLayer {
    /// Channels of its input: those of the network's input, or `hidden_size`.
    pub inputs: usize,
    /// `[4 · hidden_size][inputs + hidden_size]`, row-major: the columns of the input, then those of the state.
    pub weight: Vec<f32>,
    /// `[4 · hidden_size]`: both biases of PyTorch, summed.
    pub bias: Vec<f32>,
    /// The hidden state that it starts from: `[hidden_size]`.
    pub initial_hidden: Vec<f32>,
    /// The cell state that it starts from: `[hidden_size]`.
    pub initial_cell: Vec<f32>,
}

/// A stack of dilated convolutions of two taps, each with an activation, and a linear head.
#[derive(Debug, Clone, PartialEq)]
pub struct ConvNetNetwork {
    /// Channels of the input.
    pub in_channels: usize,
    /// Channels of all blocks.
    pub channels: usize,
    /// The activation of every block.
    pub activation: Activation,
    /// The blocks, at least one.
    pub blocks: Vec<ConvNetBlock>,
    /// Kernel 1 with bias: `channels` → the output.
    pub head: Conv,
}

/// One block of a ConvNet: a convolution, then batch normalisation if the network has it.
#[derive(Debug, Clone, PartialEq)]
pub struct ConvNetBlock {
    /// Two taps; it has a bias only if there is no `norm`.
    pub conv: Conv,
    /// The normalisation.
    pub norm: Option<BatchNorm>,
}

/// `y = γ · (x − mean) / √(var + eps) + β` with the statistics of the training data; each list has one value per channel.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BatchNorm {
    /// The mean of the training data.
    pub mean: Vec<f32>,
    /// The variance of the training data.
    pub variance: Vec<f32>,
    /// γ.
    pub gain: Vec<f32>,
    /// β.
    pub offset: Vec<f32>,
    /// Added to the variance.
    pub eps: f32,
}

/// An impulse response.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearNetwork {
    /// Samples of the response; `taps[0]` multiplies the current sample.
    pub taps: Vec<f32>,
    /// Added to every output sample.
    pub bias: Option<f32>,
    /// How NAM Core should compute it (`auto`, `direct`, `fft`); neurdsp chooses by the length.
    pub implementation: Option<String>,
}

impl LstmNetwork {
    pub(super) fn read(config: &Fields, sample_rate: f64) -> Result<LstmNetwork> {
        let n_layers = config.count("num_layers", 1..=MAX_LAYERS)?;
        let input_size = config.count("input_size", 1..=MAX_CHANNELS)?;
        let hidden_size = config.count("hidden_size", 1..=MAX_CHANNELS)?;
        let in_channels = config.count_or("in_channels", 1, 1..=MAX_CHANNELS)?;
        let because = "the channels of the input";
        equal(&config.at("input_size"), input_size, in_channels, because)?;
        let out_channels = config.count_or("out_channels", 1, 1..=MAX_CHANNELS)?;
        let layer = |i: usize| LstmLayer {
            inputs: if i == 0 { in_channels } else { hidden_size },
            weight: Vec::new(),
            bias: Vec::new(),
            initial_hidden: Vec::new(),
            initial_cell: Vec::new(),
        };
        let layers: Vec<_> = (0..n_layers).map(layer).collect();
        let values = |layer: &LstmLayer| 4 * hidden_size * (layer.inputs + hidden_size + 1);
        let weights = layers.iter().map(values).sum();
        at_most(&format!("the number of weights of {}", config.path), weights, MAX_LSTM_WEIGHTS)?;
        let (head_weight, head_bias) = (Vec::new(), Vec::new());
        let settle_samples = ((SETTLE_SECONDS * sample_rate) as usize).min(MAX_SETTLE_WORK / weights);
        Ok(LstmNetwork {
            in_channels,
            out_channels,
            hidden_size,
            layers,
            head_weight,
            head_bias,
            settle_samples,
        })
    }

    pub(super) fn visit(&mut self, visitor: &mut dyn Visitor) {
        let hidden = self.hidden_size;
        for layer in &mut self.layers {
            visitor.values(&mut layer.weight, 4 * hidden * (layer.inputs + hidden));
            visitor.values(&mut layer.bias, 4 * hidden);
            visitor.values(&mut layer.initial_hidden, hidden);
            visitor.values(&mut layer.initial_cell, hidden);
        }
        visitor.values(&mut self.head_weight, self.out_channels * hidden);
        visitor.values(&mut self.head_bias, self.out_channels);
    }
}

impl ConvNetNetwork {
    pub(super) fn read(config: &Fields) -> Result<ConvNetNetwork> {
        let channels = config.count("channels", 1..=MAX_CHANNELS)?;
        let in_channels = config.count_or("in_channels", 1, 1..=MAX_CHANNELS)?;
        let out_channels = config.count_or("out_channels", 1, 1..=MAX_CHANNELS)?;
        let groups = config.count_or("groups", 1, 1..=MAX_CHANNELS)?;
        let batchnorm: bool = config.value("batchnorm")?;
        let dilations = config.counts("dilations", MAX_LAYERS, 1..=MAX_DILATION)?;
        if dilations.is_empty() {
            let reason = "it is empty; a ConvNet has at least one block";
            return Err(Error::malformed(config.at("dilations"), reason));
        }
        let activation = Activation::read(&config.at("activation"), config.require("activation")?, channels)?;
        let block = |(i, &dilation): (usize, &usize)| {
            let inputs = if i == 0 { in_channels } else { channels };
            let path = format!("{} block {i}", config.path);
            let conv = Conv::shaped(&path, (inputs, channels), (2, dilation), groups, !batchnorm)?;
            Ok(ConvNetBlock { conv, norm: batchnorm.then(BatchNorm::default) })
        };
        let blocks = dilations.iter().enumerate().map(block).collect::<Result<Vec<_>>>()?;
        let head = Conv::shaped(&config.at("head"), (channels, out_channels), (1, 1), 1, true)?;
        let mut totals = Totals::default();
        for conv in blocks.iter().map(|block| &block.conv).chain([&head]) {
            conv.add_to(&mut totals);
        }
        totals.check(&config.path)?;
        Ok(ConvNetNetwork { in_channels, channels, activation, blocks, head })
    }

    /// How many input samples, the current one included, an output sample depends on.
    pub fn receptive_field(&self) -> usize {
        1 + self.blocks.iter().map(|block| block.conv.history()).sum::<usize>()
    }

    /// Refuses a normalisation that divides by zero or by the root of a negative number.
    pub(super) fn check_values(&self, path: &str) -> Result<()> {
        for (i, norm) in
            self.blocks.iter().enumerate().filter_map(|(i, block)| Some((i, block.norm.as_ref()?)))
        {
            if let Some(variance) = norm.variance.iter().find(|&&variance| variance + norm.eps <= 0.0) {
                return Err(Error::OutOfRange {
                    name: format!("{path} block {i} variance + eps"),
                    got: format!("{variance} + {}", norm.eps),
                    expected: "above 0; export the model again".to_owned(),
                });
            }
        }
        Ok(())
    }

    pub(super) fn visit(&mut self, visitor: &mut dyn Visitor) {
        for block in &mut self.blocks {
            block.conv.visit(visitor);
            if let Some(norm) = &mut block.norm {
                for list in [&mut norm.mean, &mut norm.variance, &mut norm.gain, &mut norm.offset] {
                    visitor.values(list, self.channels);
                }
                visitor.value(&mut norm.eps);
            }
        }
        self.head.visit(visitor);
    }
}

impl LinearNetwork {
    /// Reads a config; the length of the response is its `receptive_field`.
    pub(super) fn read(config: &Fields) -> Result<(LinearNetwork, usize)> {
        let length = config.count("receptive_field", 1..=MAX_RECEPTIVE_FIELD)?;
        for key in ["in_channels", "out_channels"] {
            let because = "because a linear model of several channels is not supported";
            equal(&config.at(key), config.count_or(key, 1, 1..=MAX_CHANNELS)?, 1, because)?;
        }
        let bias = config.value::<bool>("bias")?.then_some(0.0);
        let implementation = config.value_or("implementation", None)?;
        Ok((LinearNetwork { taps: Vec::new(), bias, implementation }, length))
    }

    pub(super) fn visit(&mut self, length: usize, visitor: &mut dyn Visitor) {
        visitor.values(&mut self.taps, length);
        if let Some(bias) = &mut self.bias {
            visitor.value(bias);
        }
    }
}
