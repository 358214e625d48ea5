//! What a network computes, and where each of its parts is in the flat list of weights.

use std::ops::Range;

use neurdsp_nn::train::Activation;

use crate::amp::nam::{self, Gating, WavenetNetwork};
use crate::amp::residual::ResidualConfig;
use crate::error::{Error, Result};

/// A network of layer arrays.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) arrays: Vec<Array>,
    /// The output scale, if it is one of the weights.
    pub(super) head_scale: Option<usize>,
    pub(super) n_parameters: usize,
    pub(super) receptive_field: usize,
}

/// A stack of layers of the same width.
#[derive(Debug, Clone)]
pub(super) struct Array {
    /// From the input, or from the residual signal of the array before, to `channels`.
    pub(super) rechannel: Affine,
    pub(super) channels: usize,
    pub(super) layers: Vec<Layer>,
    /// From the head signal to the head output.
    pub(super) head: Affine,
    pub(super) head_from: HeadFrom,
}

/// The input of an array's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeadFrom {
    /// The sum of the layers' head signals and the head output of the array before.
    Sum,
    /// The residual signal after the last layer.
    Residual,
}

/// One layer.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub(super) conv: Affine,
    /// One weight of the input for each output of `conv`.
    pub(super) mixin: Option<Range<usize>>,
    pub(super) activation: Activation,
    /// The activation of the second half of `conv`'s outputs, which the first is multiplied by.
    pub(super) gate: Option<Activation>,
    /// Channels after the activation.
    pub(super) width: usize,
    pub(super) residual: Residual,
    /// From the activation to the head signal; the activation itself without one.
    pub(super) head: Option<Affine>,
}

/// What a layer adds to the residual signal.
#[derive(Debug, Clone)]
pub(super) enum Residual {
    /// A linear map of the activation.
    Affine(Affine),
    /// The activation.
    Activation,
    /// Nothing.
    Nothing,
}

/// A convolution: its shape, and where its values are.
#[derive(Debug, Clone)]
pub(super) struct Affine {
    pub(super) outputs: usize,
    pub(super) inputs: usize,
    pub(super) taps: usize,
    pub(super) dilation: usize,
    /// `[outputs][inputs][taps]`
    pub(super) weight: Range<usize>,
    /// `[outputs]`
    pub(super) bias: Option<Range<usize>>,
}

impl Affine {
    /// Samples before the current one that it reads.
    pub(super) fn reach(&self) -> usize {
        (self.taps - 1) * self.dilation
    }
}

/// Assigns the flat list from its start.
#[derive(Default)]
struct Cursor(usize);

impl Cursor {
    fn take(&mut self, count: usize) -> Range<usize> {
        let start = self.0;
        self.0 += count;
        start..self.0
    }

    fn affine(
        &mut self,
        outputs: usize,
        inputs: usize,
        (taps, dilation): (usize, usize),
        bias: bool,
    ) -> Affine {
        let weight = self.take(outputs * inputs * taps);
        let bias = bias.then(|| self.take(outputs));
        Affine { outputs, inputs, taps, dilation, weight, bias }
    }

    fn conv(&mut self, conv: &nam::Conv) -> Result<Affine> {
        if conv.groups != 1 {
            return refuse(&format!("a convolution of {} groups", conv.groups), "use one group");
        }
        let kernel = (conv.kernel_size, conv.dilation);
        Ok(self.affine(conv.outputs, conv.inputs, kernel, conv.bias.is_some()))
    }
}

fn refuse<T>(what: &str, advice: &str) -> Result<T> {
    Err(Error::Unsupported {
        what: what.to_owned(),
        reason: format!("it can be played, but not trained; {advice}"),
    })
}

impl Plan {
    /// The plan of a WaveNet of the `.nam` format; its values are ignored.
    pub(super) fn of_nam(network: &WavenetNetwork) -> Result<Plan> {
        if network.condition.is_some() {
            return refuse("a WaveNet with a condition_dsp", "condition it by its input");
        }
        if network.post_head.is_some() {
            return refuse("a WaveNet with a head after its arrays", "set head to null");
        }
        if (network.in_channels, network.out_channels()) != (1, 1) {
            return refuse("a WaveNet of several inputs or outputs", "give it one of each");
        }
        let mut cursor = Cursor::default();
        let arrays =
            network.arrays.iter().map(|array| Array::of_nam(array, &mut cursor)).collect::<Result<_>>()?;
        let head_scale = Some(cursor.take(1).start);
        let receptive_field = network.receptive_field();
        Ok(Plan { arrays, head_scale, n_parameters: cursor.0, receptive_field })
    }

    /// The plan of a residual network, whose weights are in the order of its tensors.
    pub(super) fn of_residual(config: &ResidualConfig) -> Result<Plan> {
        config.validate()?;
        let (channels, taps) = (config.channels, config.kernel_size);
        let mut cursor = Cursor::default();
        let rechannel = cursor.affine(channels, 1, (1, 1), true);
        let layer = |dilation| Layer {
            conv: cursor.affine(channels, channels, (taps, dilation), true),
            mixin: None,
            activation: Activation::Tanh,
            gate: None,
            width: channels,
            residual: Residual::Activation,
            head: None,
        };
        let layers = config.dilations().into_iter().map(layer).collect();
        let head = cursor.affine(1, channels, (1, 1), true);
        let array = Array { rechannel, channels, layers, head, head_from: HeadFrom::Residual };
        let receptive_field = config.receptive_field();
        Ok(Plan { arrays: vec![array], head_scale: None, n_parameters: cursor.0, receptive_field })
    }
}

impl Array {
    fn of_nam(array: &nam::LayerArray, cursor: &mut Cursor) -> Result<Array> {
        let rechannel = cursor.conv(&array.rechannel)?;
        let layers = array
            .layers
            .iter()
            .map(|layer| Layer::of_nam(layer, array.bottleneck, cursor))
            .collect::<Result<_>>()?;
        let head = cursor.conv(&array.head)?;
        Ok(Array { rechannel, channels: array.channels, layers, head, head_from: HeadFrom::Sum })
    }
}

impl Layer {
    fn of_nam(layer: &nam::Layer, width: usize, cursor: &mut Cursor) -> Result<Layer> {
        if layer.films.all().iter().any(|(_, film)| film.is_some()) {
            return refuse("a layer with a film", "leave the films out");
        }
        let gate = match &layer.gating {
            Gating::None => None,
            Gating::Gated(gate) => Some(activation(gate)?),
            Gating::Blended(_) => return refuse("a blended layer", "gate it, or do not"),
        };
        let conv = cursor.conv(&layer.conv)?;
        let mixin = Some(cursor.conv(&layer.mixin)?.weight);
        let residual = match &layer.layer1x1 {
            Some(conv) => Residual::Affine(cursor.conv(conv)?),
            None => Residual::Nothing,
        };
        let head = layer.head1x1.as_ref().map(|conv| cursor.conv(conv)).transpose()?;
        Ok(Layer { conv, mixin, activation: activation(&layer.activation)?, gate, width, residual, head })
    }
}

fn activation(known: &nam::Activation) -> Result<Activation> {
    let leaky_hardtanh = |min: f32, max: f32, min_slope: f32, max_slope: f32| Activation::LeakyHardtanh {
        min: f64::from(min),
        max: f64::from(max),
        min_slope: f64::from(min_slope),
        max_slope: f64::from(max_slope),
    };
    Ok(match known {
        nam::Activation::Tanh => Activation::Tanh,
        nam::Activation::Hardtanh => leaky_hardtanh(-1.0, 1.0, 0.0, 0.0),
        nam::Activation::Fasttanh => return refuse("the activation Fasttanh", "train with Tanh"),
        nam::Activation::Relu => Activation::LeakyRelu { slope: 0.0 },
        nam::Activation::LeakyRelu { negative_slope } => {
            Activation::LeakyRelu { slope: f64::from(*negative_slope) }
        }
        nam::Activation::Prelu { negative_slopes } => {
            Activation::PRelu { slopes: negative_slopes.iter().map(|&slope| f64::from(slope)).collect() }
        }
        nam::Activation::Sigmoid => Activation::Sigmoid,
        nam::Activation::Silu => Activation::Silu,
        nam::Activation::Hardswish => Activation::Hardswish,
        nam::Activation::LeakyHardtanh { min_val, max_val, min_slope, max_slope } => {
            leaky_hardtanh(*min_val, *max_val, *min_slope, *max_slope)
        }
        nam::Activation::Softsign => Activation::Softsign,
    })
}
