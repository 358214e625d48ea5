//! The residual network of neurdsp as a WaveNet of the format that computes the same, and back.
//!
//! Three parts of the residual network have no counterpart in the format, but each has an exact equivalent:
//!
//! - The input convolution has a bias `b`. The residual signal without it, `h − b`, follows the same recurrence with
//!   `Σ_k W_k b` added to the bias of each layer and `w_out · b` to that of the output.
//! - A layer adds its activation to the residual signal directly: `layer1x1` is the identity.
//! - The output reads the residual signal, while the head of the format reads the sum of the activations. Their difference
//!   is the input itself, `w_in · x`. A first array makes it: one layer of two channels whose convolution is zero, so that
//!   its head signal is `[relu(x), relu(−x)]`, from which the head makes `w_in · x` as the start of the second array's sum.
//!
//! The keys of version 0.5.4 suffice, so the model plays in every player.

use super::activation::Activation;
use super::conv::Conv;
use super::file::{NamFile, Network};
use super::wavenet::{Films, Gating, Layer, LayerArray, WavenetNetwork};
use crate::amp::residual::{LayerWeights, ResidualConfig, ResidualWeights};
use crate::error::{Error, Result};

impl WavenetNetwork {
    /// The network that computes the same as a residual network.
    ///
    /// # Errors
    /// As [`ResidualWeights::check`].
    pub fn from_amp(config: &ResidualConfig, weights: &ResidualWeights) -> Result<WavenetNetwork> {
        weights.check(config)?;
        let channels = config.channels;
        let input_bias: Vec<f64> = weights.input_bias.iter().map(|&b| f64::from(b)).collect();
        let layers = weights.layers.iter().zip(config.dilations()).map(|(layer, dilation)| {
            let rows = layer.weight.chunks_exact(channels * config.kernel_size);
            let bias = rows.zip(&layer.bias).map(|(row, &bias)| {
                let taps = row.chunks_exact(config.kernel_size).zip(&input_bias);
                let shift: f64 =
                    taps.map(|(taps, b)| b * taps.iter().map(|&w| f64::from(w)).sum::<f64>()).sum();
                (f64::from(bias) + shift) as f32
            });
            Layer {
                conv: Conv {
                    inputs: channels,
                    outputs: channels,
                    kernel_size: config.kernel_size,
                    dilation,
                    groups: 1,
                    bias: Some(bias.collect()),
                    weight: layer.weight.clone(),
                },
                mixin: one_by_one(1, channels, vec![0.0; channels], false),
                activation: Activation::Tanh,
                gating: Gating::None,
                layer1x1: Some(one_by_one(channels, channels, identity(channels), true)),
                head1x1: None,
                films: Films::default(),
            }
        });
        let shift: f64 = weights.output_weight.iter().zip(&input_bias).map(|(&w, b)| f64::from(w) * b).sum();
        let mut head = one_by_one(channels, 1, weights.output_weight.clone(), true);
        head.bias = Some(vec![(f64::from(weights.output_bias) + shift) as f32]);
        let stack = LayerArray {
            input_size: 2,
            condition_size: 1,
            channels,
            bottleneck: channels,
            rechannel: one_by_one(
                2,
                channels,
                weights.input_weight.iter().flat_map(|&w| [w, 0.0]).collect(),
                false,
            ),
            layers: layers.collect(),
            head,
            allowed_channels: None,
        };
        let arrays = vec![straight(&weights.input_weight), stack];
        Ok(WavenetNetwork { in_channels: 1, condition: None, arrays, post_head: None, head_scale: 1.0 })
    }

    /// The residual network that [`from_amp`](Self::from_amp) made this one from, with its input bias folded away.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for any other network.
    pub fn to_amp(&self) -> Result<(ResidualConfig, ResidualWeights)> {
        let [_, stack] = self.arrays.as_slice() else { return Err(no_equivalent()) };
        let (Some(first), Some(head_bias)) = (stack.layers.first(), &stack.head.bias) else {
            return Err(no_equivalent());
        };
        let dilation_base = stack.layers.get(1).map_or(2, |layer| layer.conv.dilation);
        let config = ResidualConfig {
            channels: stack.channels,
            num_layers: stack.layers.len(),
            kernel_size: first.conv.kernel_size,
            dilation_base,
        };
        let layer =
            |layer: &Layer| LayerWeights { weight: layer.conv.weight.clone(), bias: layer.conv.dense_bias() };
        let weights = ResidualWeights {
            input_weight: stack.rechannel.weight.iter().step_by(2).copied().collect(),
            input_bias: vec![0.0; stack.channels],
            layers: stack.layers.iter().map(layer).collect(),
            output_weight: stack.head.weight.clone(),
            output_bias: head_bias.first().copied().unwrap_or(0.0),
        };
        match WavenetNetwork::from_amp(&config, &weights) {
            Ok(same) if same == *self => Ok((config, weights)),
            _ => Err(no_equivalent()),
        }
    }
}

impl NamFile {
    /// The residual network that the file was made from; see [`WavenetNetwork::to_amp`].
    ///
    /// # Errors
    /// [`Error::Unsupported`] for any other model.
    pub fn to_amp(&self) -> Result<(ResidualConfig, ResidualWeights)> {
        match self.network() {
            Network::Wavenet(network) => network.to_amp(),
            _ => Err(no_equivalent()),
        }
    }
}

fn no_equivalent() -> Error {
    Error::Unsupported {
        what: "this .nam model as an amp model of neurdsp".to_owned(),
        reason: "only files that neurdsp wrote from such a model have an equivalent there; \
                 convert to .safetensors, which holds every .nam model"
            .to_owned(),
    }
}

/// The array whose head output is `weight · x`, and whose residual output is `[x, 0]`.
fn straight(weight: &[f32]) -> LayerArray {
    let conv = Conv { bias: Some(vec![0.0; 2]), ..one_by_one(2, 2, vec![0.0; 4], false) };
    let layer = Layer {
        conv,
        mixin: one_by_one(1, 2, vec![1.0, -1.0], false),
        activation: Activation::Relu,
        gating: Gating::None,
        layer1x1: Some(one_by_one(2, 2, vec![0.0; 4], true)),
        head1x1: None,
        films: Films::default(),
    };
    let head = one_by_one(2, weight.len(), weight.iter().flat_map(|&w| [w, -w]).collect(), false);
    LayerArray {
        input_size: 1,
        condition_size: 1,
        channels: 2,
        bottleneck: 2,
        rechannel: one_by_one(1, 2, vec![1.0, 0.0], false),
        layers: vec![layer],
        head,
        allowed_channels: None,
    }
}

/// A convolution of kernel 1, with a bias of zeros or none.
fn one_by_one(inputs: usize, outputs: usize, weight: Vec<f32>, bias: bool) -> Conv {
    let bias = bias.then(|| vec![0.0; outputs]);
    Conv { inputs, outputs, kernel_size: 1, dilation: 1, groups: 1, weight, bias }
}

fn identity(n: usize) -> Vec<f32> {
    (0..n * n).map(|i| if i % (n + 1) == 0 { 1.0 } else { 0.0 }).collect()
}
