//! The WaveNet of the format: its parts with their weights, and how they fit together.
//!
//! ```text
//! c = condition(x), or x
//! each array:  h = rechannel(x or the h of the array before);  a = 0 or the head output of the array before
//!   each layer:  z = conv(h) + mixin(c);  z = activation(z), gated or blended
//!                a += head1x1(z), or z;   h = h + layer1x1(z)
//!   head output = head(a)
//! y = head_scale · head output of the last array, then the post head's activation → conv pairs
//! ```
//!
//! The eight modulations ([`Films`]) act on the signals in their names.

use super::activation::Activation;
use super::bounds::{Totals, equal};
use super::conv::{Conv, Film};
use super::file::NamFile;
use super::visit::Visitor;
use crate::error::Result;

/// A WaveNet with its weights.
#[derive(Debug, Clone, PartialEq)]
pub struct WavenetNetwork {
    /// Channels of the input; 1 for every model that is not the condition of another.
    pub in_channels: usize,
    /// The model that makes the condition from the input; without one the condition is the input.
    pub condition: Option<Box<NamFile>>,
    /// The stacks of layers, at least one.
    pub arrays: Vec<LayerArray>,
    /// The part after the last array and the scale.
    pub post_head: Option<PostHead>,
    /// Factor of the last array's head output.
    pub head_scale: f32,
}

/// A stack of layers of the same width.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerArray {
    /// Channels of the array's input: the network's input, or the residual output of the array before.
    pub input_size: usize,
    /// Channels of the condition.
    pub condition_size: usize,
    /// Channels of the residual signal.
    pub channels: usize,
    /// Channels after the activation.
    pub bottleneck: usize,
    /// Kernel 1 without bias: `input_size` → `channels`.
    pub rechannel: Conv,
    /// The layers, at least one.
    pub layers: Vec<Layer>,
    /// From the sum of the layers' head signals to the head output.
    pub head: Conv,
    /// The numbers of channels that the array can be cut to, ascending; the last is `channels`.
    pub allowed_channels: Option<Vec<usize>>,
}

/// One layer of an array.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Dilated, with bias: `channels` → `bottleneck`, twice as many if gated or blended.
    pub conv: Conv,
    /// Kernel 1 without bias: the condition → as many channels as `conv` has outputs.
    pub mixin: Conv,
    /// The activation of the first `bottleneck` channels.
    pub activation: Activation,
    /// The use of the other `bottleneck` channels, if there are any.
    pub gating: Gating,
    /// Kernel 1 with bias: `bottleneck` → `channels`, added to the residual signal. Without it the residual signal
    /// passes unchanged in NAM Core, while NAM's trainer adds the activation.
    pub layer1x1: Option<Conv>,
    /// Kernel 1 with bias: `bottleneck` → the array's head input. Without it the activation is the head signal.
    pub head1x1: Option<Conv>,
    /// The modulations.
    pub films: Films,
}

/// The use of the second half of a layer's channels.
#[derive(Debug, Clone, PartialEq)]
pub enum Gating {
    /// There is no second half.
    None,
    /// `activation(top) · gate(bottom)`.
    Gated(Activation),
    /// `α · activation(top) + (1 − α) · top` with `α = blend(bottom)`.
    Blended(Activation),
}

/// The modulations of a layer, in the order of the weights; each acts on the signal in its name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Films {
    /// On the input of `conv`: `channels` wide.
    pub conv_pre: Option<Film>,
    /// On the output of `conv`.
    pub conv_post: Option<Film>,
    /// On the condition before `mixin`: `condition_size` wide.
    pub input_mixin_pre: Option<Film>,
    /// On the output of `mixin`.
    pub input_mixin_post: Option<Film>,
    /// On the sum of both, before the activation.
    pub activation_pre: Option<Film>,
    /// On the activated signal: `bottleneck` wide.
    pub activation_post: Option<Film>,
    /// On the output of `layer1x1`: `channels` wide. NAM Core applies it in blended layers only, the trainer in all.
    pub layer1x1_post: Option<Film>,
    /// On the output of `head1x1`.
    pub head1x1_post: Option<Film>,
}

/// The convolutions after the last array.
#[derive(Debug, Clone, PartialEq)]
pub struct PostHead {
    /// Pairs of activation and convolution, in this order, at least one.
    pub layers: Vec<PostHeadLayer>,
}

/// One activation and the convolution that follows it.
#[derive(Debug, Clone, PartialEq)]
pub struct PostHeadLayer {
    /// Applied to the input of `conv`.
    pub activation: Activation,
    /// Dilation 1, with bias.
    pub conv: Conv,
}

impl Gating {
    /// Channels of the convolution for each channel of the bottleneck: 1 or 2.
    pub fn factor(&self) -> usize {
        if matches!(self, Gating::None) { 1 } else { 2 }
    }
}

impl LayerArray {
    /// Channels of the sum of head signals: those of `head1x1` if the layers have one, else the bottleneck.
    pub fn head_inputs(&self) -> usize {
        self.head.inputs
    }

    /// Samples before the current one that the layers and the head read.
    pub fn history(&self) -> usize {
        self.layers.iter().map(|layer| layer.conv.history()).sum::<usize>() + self.head.history()
    }
}

impl WavenetNetwork {
    /// Channels of the output.
    pub fn out_channels(&self) -> usize {
        let last = || self.arrays.last().map_or(0, |array| array.head.outputs);
        let post = self.post_head.as_ref().and_then(|head| head.layers.last());
        post.map_or_else(last, |layer| layer.conv.outputs)
    }

    /// Channels of the condition.
    pub fn condition_channels(&self) -> usize {
        self.condition.as_ref().map_or(self.in_channels, |condition| condition.network().out_channels())
    }

    /// How many input samples, the current one included, an output sample depends on.
    pub fn receptive_field(&self) -> usize {
        let condition = self.condition.as_ref().map_or(1, |condition| condition.receptive_field());
        let arrays: usize = self.arrays.iter().map(LayerArray::history).sum();
        let post = self.post_head.iter().flat_map(|head| &head.layers);
        condition + arrays + post.map(|layer| layer.conv.history()).sum::<usize>()
    }

    /// Checks that the parts fit together, and that the sums of their sizes are within the bounds.
    pub(super) fn check(&self, path: &str) -> Result<()> {
        let mut totals = Totals::default();
        for (i, array) in self.arrays.iter().enumerate() {
            let name = |key: &str| format!("{path}.layers[{i}].{key}");
            let condition = self.condition_channels();
            let because = "the channels of the condition";
            equal(&name("condition_size"), array.condition_size, condition, because)?;
            match i.checked_sub(1).map(|before| &self.arrays[before]) {
                None => {
                    let because = "the channels of the input";
                    equal(&name("input_size"), array.input_size, self.in_channels, because)?;
                }
                Some(before) => {
                    let because = "the channels of the array before";
                    equal(&name("input_size"), array.input_size, before.channels, because)?;
                    let because = "the head size of the array before";
                    equal(&name("channels"), array.channels, before.head.outputs, because)?;
                    equal(&name("head input size"), array.head_inputs(), before.head.outputs, because)?;
                }
            }
            array.add_to(&mut totals);
        }
        for layer in self.post_head.iter().flat_map(|head| &head.layers) {
            layer.conv.add_to(&mut totals);
        }
        totals.check(path)
    }

    /// Visits the values in the order of the flat list, without those of the condition.
    pub(super) fn visit(&mut self, visitor: &mut dyn Visitor) {
        for array in &mut self.arrays {
            array.rechannel.visit(visitor);
            for layer in &mut array.layers {
                layer.conv.visit(visitor);
                layer.mixin.visit(visitor);
                for conv in [&mut layer.layer1x1, &mut layer.head1x1].into_iter().flatten() {
                    conv.visit(visitor);
                }
                for film in layer.films.all_mut().into_iter().flatten() {
                    film.conv.visit(visitor);
                }
            }
            array.head.visit(visitor);
        }
        for layer in self.post_head.iter_mut().flat_map(|head| &mut head.layers) {
            layer.conv.visit(visitor);
        }
        visitor.value(&mut self.head_scale);
    }
}

impl LayerArray {
    fn add_to(&self, totals: &mut Totals) {
        self.rechannel.add_to(totals);
        for layer in &self.layers {
            layer.conv.add_to(totals);
            layer.mixin.add_to(totals);
            let films = layer.films.all().into_iter().filter_map(|(_, film)| film.map(|film| &film.conv));
            for conv in layer.layer1x1.iter().chain(&layer.head1x1).chain(films) {
                conv.add_to(totals);
            }
        }
        self.head.add_to(totals);
    }
}

impl Films {
    /// All eight with the keys of the format, in the order of the weights.
    pub fn all(&self) -> [(&'static str, Option<&Film>); 8] {
        [
            ("conv_pre_film", self.conv_pre.as_ref()),
            ("conv_post_film", self.conv_post.as_ref()),
            ("input_mixin_pre_film", self.input_mixin_pre.as_ref()),
            ("input_mixin_post_film", self.input_mixin_post.as_ref()),
            ("activation_pre_film", self.activation_pre.as_ref()),
            ("activation_post_film", self.activation_post.as_ref()),
            ("layer1x1_post_film", self.layer1x1_post.as_ref()),
            ("head1x1_post_film", self.head1x1_post.as_ref()),
        ]
    }

    pub(super) fn all_mut(&mut self) -> [&mut Option<Film>; 8] {
        [
            &mut self.conv_pre,
            &mut self.conv_post,
            &mut self.input_mixin_pre,
            &mut self.input_mixin_post,
            &mut self.activation_pre,
            &mut self.activation_post,
            &mut self.layer1x1_post,
            &mut self.head1x1_post,
        ]
    }
}
