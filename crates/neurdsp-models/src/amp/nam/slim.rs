//! Cutting a slimmable WaveNet to a smaller one: the first channels of each array.

use super::bounds::check_size;
use super::conv::{Conv, Film};
use super::wavenet::{Films, Gating, Layer, LayerArray, WavenetNetwork};
use crate::error::Result;

impl WavenetNetwork {
    /// Whether any array can be cut.
    pub fn is_slimmable(&self) -> bool {
        self.arrays.iter().any(|array| array.allowed_channels.is_some())
    }

    /// The network with the channels for `size`: of `n` allowed numbers the one at index `⌊size · n⌋`, or the last for 1.
    ///
    /// Each weight keeps its first rows and columns, as in NAM Core.
    ///
    /// # Errors
    /// A size outside 0 to 1; a network with groups, or whose arrays do not fit together once cut.
    pub fn slim(&self, size: f64) -> Result<WavenetNetwork> {
        check_size(size)?;
        let channels: Vec<usize> = self.arrays.iter().map(|array| channels_at(array, size)).collect();
        let mut slim = self.clone();
        for (i, array) in slim.arrays.iter_mut().enumerate() {
            let inputs = if i == 0 { array.input_size } else { channels[i - 1] };
            let head_outputs = channels.get(i + 1).copied().unwrap_or(array.head.outputs);
            let full = (array.input_size, array.channels, array.head.outputs);
            if full != (inputs, channels[i], head_outputs) {
                *array = slim_array(array, &format!("array {i}"), inputs, channels[i], head_outputs)?;
            }
        }
        slim.check("the slimmed model")?;
        Ok(slim)
    }
}

fn channels_at(array: &LayerArray, size: f64) -> usize {
    let Some(allowed) = &array.allowed_channels else { return array.channels };
    let index = (size * allowed.len() as f64).floor() as usize;
    allowed.get(index).or(allowed.last()).copied().unwrap_or(array.channels)
}

fn slim_array(
    array: &LayerArray,
    path: &str,
    inputs: usize,
    channels: usize,
    head_outputs: usize,
) -> Result<LayerArray> {
    let has_layer1x1 = array.layers.iter().all(|layer| layer.layer1x1.is_some());
    let bottleneck =
        if has_layer1x1 { (array.bottleneck * channels / array.channels).max(1) } else { channels };
    let slim = |(i, layer): (usize, &Layer)| {
        slim_layer(layer, &format!("{path} layer {i}"), array, channels, bottleneck)
    };
    let layers = array.layers.iter().enumerate().map(slim).collect::<Result<Vec<_>>>()?;
    let head_inputs =
        layers.first().and_then(|layer| layer.head1x1.as_ref()).map_or(bottleneck, |c| c.outputs);
    Ok(LayerArray {
        input_size: inputs,
        condition_size: array.condition_size,
        channels,
        bottleneck,
        rechannel: array.rechannel.slim(&format!("{path} rechannel"), inputs, channels)?,
        layers,
        head: array.head.slim(&format!("{path} head"), head_inputs, head_outputs)?,
        allowed_channels: None,
    })
}

fn slim_layer(
    layer: &Layer,
    path: &str,
    array: &LayerArray,
    channels: usize,
    bottleneck: usize,
) -> Result<Layer> {
    let width = layer.gating.factor() * bottleneck;
    let part = |name: &str| format!("{path} {name}");
    let conv = |name, conv: &Option<Conv>, outputs: Option<usize>| match conv {
        Some(conv) => conv.slim(&part(name), bottleneck, outputs.unwrap_or(conv.outputs)).map(Some),
        None => Ok(None),
    };
    let film = |name, film: &Option<Film>, width| match film {
        Some(film) => film.slim(&part(name), width).map(Some),
        None => Ok(None),
    };
    let activation =
        |activation: &super::Activation| activation.slim(&part("activation"), array.bottleneck, bottleneck);
    let films = &layer.films;
    Ok(Layer {
        conv: layer.conv.slim(&part("conv"), channels, width)?,
        mixin: layer.mixin.slim(&part("input_mixin"), array.condition_size, width)?,
        activation: activation(&layer.activation)?,
        gating: match &layer.gating {
            Gating::None => Gating::None,
            Gating::Gated(gate) => Gating::Gated(activation(gate)?),
            Gating::Blended(blend) => Gating::Blended(activation(blend)?),
        },
        layer1x1: conv("layer1x1", &layer.layer1x1, Some(channels))?,
        head1x1: conv("head1x1", &layer.head1x1, None)?,
        films: Films {
            conv_pre: film("conv_pre_film", &films.conv_pre, channels)?,
            conv_post: film("conv_post_film", &films.conv_post, width)?,
            input_mixin_pre: films.input_mixin_pre.clone(),
            input_mixin_post: film("input_mixin_post_film", &films.input_mixin_post, width)?,
            activation_pre: film("activation_pre_film", &films.activation_pre, width)?,
            activation_post: film("activation_post_film", &films.activation_post, bottleneck)?,
            layer1x1_post: film("layer1x1_post_film", &films.layer1x1_post, channels)?,
            head1x1_post: films.head1x1_post.clone(),
        },
    })
}
