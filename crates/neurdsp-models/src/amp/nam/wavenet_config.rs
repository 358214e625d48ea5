//! From the config of a WaveNet to its parts, without values yet.

use serde_json::value::RawValue;

use super::activation::Activation;
use super::bounds::{
    MAX_ARRAYS, MAX_CHANNELS, MAX_CONFIG_BYTES, MAX_DILATION, MAX_KERNEL, MAX_LAYERS, at_most,
};
use super::conv::{Conv, Film};
use super::file::NamFile;
use super::visit::{Count, Split};
use super::wavenet::{Films, Gating, Layer, LayerArray, PostHead, PostHeadLayer, WavenetNetwork};
use crate::amp::fields::{Fields, is_list, value};
use crate::container::json::{elements, one_line};
use crate::error::{Error, Result};

/// The only slimming method of the format.
const SLICE_UNIFORM: &str = "slice_channels_uniform";

impl WavenetNetwork {
    /// Reads the `config` of a `.nam` file alone; all values are zero, the scale included.
    ///
    /// # Errors
    /// As [`NamFile::from_bytes`], and [`Error::Unsupported`] for a condition that is a model.
    ///
    /// # Example
    /// ```
    /// use neurdsp_models::amp::nam::WavenetNetwork;
    /// let network = WavenetNetwork::from_config(br#"{"head_scale": 0.1, "layers": [{"input_size": 1,
    ///     "condition_size": 1, "channels": 2, "kernel_size": 3, "dilations": [1, 2], "activation": "Tanh",
    ///     "head_size": 1, "head_bias": true}]}"#)?;
    /// assert_eq!(network.receptive_field(), 7);
    /// # Ok::<(), neurdsp_models::Error>(())
    /// ```
    pub fn from_config(text: &[u8]) -> Result<WavenetNetwork> {
        at_most("the size of the config in bytes", text.len(), MAX_CONFIG_BYTES)?;
        let config = Fields::root("the config", text)?;
        if config.get("condition_dsp").is_some() {
            return Err(Error::Unsupported {
                what: config.at("condition_dsp"),
                reason: "a config by itself cannot hold the model that it names; read the whole file"
                    .to_owned(),
            });
        }
        let mut network = WavenetNetwork::read(&config, None)?;
        let mut count = Count::default();
        network.visit(&mut count);
        network.visit(&mut Split(&vec![0.0; count.0]));
        Ok(network)
    }

    /// Reads a config. `condition` is the nested model of its `condition_dsp`.
    pub(super) fn read(config: &Fields, condition: Option<Box<NamFile>>) -> Result<WavenetNetwork> {
        let path = config.at("layers");
        let arrays = elements(&path, config.require("layers")?, 0..=MAX_ARRAYS)?;
        if arrays.is_empty() {
            return Err(Error::malformed(path, "it is empty; a WaveNet has at least one layer array"));
        }
        let in_channels = config.count_or("in_channels", 1, 1..=MAX_CHANNELS)?;
        let condition_size =
            condition.as_ref().map_or(in_channels, |condition| condition.network().out_channels());
        let read = |(i, json)| read_array(&Fields::new(format!("{path}[{i}]"), json)?, condition_size);
        let arrays = arrays.into_iter().enumerate().map(read).collect::<Result<Vec<_>>>()?;
        let head_size = arrays.last().map_or(0, |array| array.head.outputs);
        let post_head = match config.get("head") {
            Some(json) => Some(read_post_head(&Fields::new(config.at("head"), json)?, head_size)?),
            None => None,
        };
        let network = WavenetNetwork { in_channels, condition, arrays, post_head, head_scale: 1.0 };
        network.check(&config.path)?;
        Ok(network)
    }
}

fn read_array(fields: &Fields, condition_channels: usize) -> Result<LayerArray> {
    let input_size = fields.count("input_size", 1..=MAX_CHANNELS)?;
    let condition_size = fields.count_or("condition_size", condition_channels, 1..=MAX_CHANNELS)?;
    let channels = fields.count("channels", 1..=MAX_CHANNELS)?;
    let bottleneck = fields.count_or("bottleneck", channels, 1..=MAX_CHANNELS)?;
    let dilations = fields.counts("dilations", MAX_LAYERS, 1..=MAX_DILATION)?;
    if dilations.is_empty() {
        let reason = "it is empty; a layer array has at least one layer";
        return Err(Error::malformed(fields.at("dilations"), reason));
    }
    let n_layers = dilations.len();
    let kernel_sizes = read_kernel_sizes(fields, n_layers)?;
    let per_layer = PerLayer::new(fields, n_layers)?;
    let groups = |key| fields.count_or(key, 1, 1..=MAX_CHANNELS);
    let (groups_input, groups_mixin) = (groups("groups_input")?, groups("groups_input_mixin")?);
    let layer1x1 = read_1x1(fields, "layer1x1", true, channels)?;
    let head1x1 = read_1x1(fields, "head1x1", false, channels)?;
    if layer1x1.is_none() && bottleneck != channels {
        return Err(Error::OutOfRange {
            name: fields.at("bottleneck"),
            got: bottleneck.to_string(),
            expected: format!("{channels}, the number of channels, because layer1x1 is inactive"),
        });
    }

    let shaped =
        |name: String, shape, groups, bias| Conv::shaped(&fields.at(&name), shape, (1, 1), groups, bias);
    let mut layers = Vec::with_capacity(n_layers);
    for (i, (&dilation, &kernel_size)) in dilations.iter().zip(&kernel_sizes).enumerate() {
        let gating = per_layer.gating(i, bottleneck)?;
        let width = gating.factor() * bottleneck;
        let activation = per_layer.activation(i, bottleneck)?;
        let name = |part: &str| format!("layer {i} {part}");
        let conv = Conv::shaped(
            &fields.at(&name("conv")),
            (channels, width),
            (kernel_size, dilation),
            groups_input,
            true,
        )?;
        let mixin = shaped(name("input_mixin"), (condition_size, width), groups_mixin, false)?;
        let one_by_one = |part, one: &Option<OneByOne>, outputs: usize| match one {
            Some(one) => shaped(name(part), (bottleneck, outputs), one.groups, true).map(Some),
            None => Ok(None),
        };
        let head_outputs = head1x1.as_ref().map_or(0, |one| one.out_channels);
        let layer1x1 = one_by_one("layer1x1", &layer1x1, channels)?;
        let head1x1 = one_by_one("head1x1", &head1x1, head_outputs)?;
        let film = |key: &str, width| read_film(fields, key, condition_size, width);
        let films = Films {
            conv_pre: film("conv_pre_film", Some(channels))?,
            conv_post: film("conv_post_film", Some(width))?,
            input_mixin_pre: film("input_mixin_pre_film", Some(condition_size))?,
            input_mixin_post: film("input_mixin_post_film", Some(width))?,
            activation_pre: film("activation_pre_film", Some(width))?,
            activation_post: film("activation_post_film", Some(bottleneck))?,
            layer1x1_post: film("layer1x1_post_film", layer1x1.as_ref().map(|conv| conv.outputs))?,
            head1x1_post: film("head1x1_post_film", head1x1.as_ref().map(|conv| conv.outputs))?,
        };
        layers.push(Layer { conv, mixin, activation, gating, layer1x1, head1x1, films });
    }

    let head_inputs = head1x1.map_or(bottleneck, |one| one.out_channels);
    let head = read_head(fields, head_inputs)?;
    let rechannel = shaped("rechannel".to_owned(), (input_size, channels), 1, false)?;
    let allowed_channels = read_slimmable(fields, channels)?;
    Ok(LayerArray {
        input_size,
        condition_size,
        channels,
        bottleneck,
        rechannel,
        layers,
        head,
        allowed_channels,
    })
}

fn read_kernel_sizes(fields: &Fields, n_layers: usize) -> Result<Vec<usize>> {
    match (fields.get("kernel_size"), fields.get("kernel_sizes")) {
        (Some(_), None) => Ok(vec![fields.count("kernel_size", 1..=MAX_KERNEL)?; n_layers]),
        (None, Some(_)) => {
            let sizes = fields.counts("kernel_sizes", MAX_LAYERS, 1..=MAX_KERNEL)?;
            check_length(&fields.at("kernel_sizes"), sizes.len(), n_layers)?;
            Ok(sizes)
        }
        (both, _) => {
            let found = if both.is_some() { "both are there" } else { "neither is there" };
            let reason = format!("{found}; a layer array has exactly one of kernel_size and kernel_sizes");
            Err(Error::malformed(fields.at("kernel_size"), reason))
        }
    }
}

fn check_length(path: &str, got: usize, n_layers: usize) -> Result<()> {
    if got == n_layers {
        return Ok(());
    }
    Err(Error::OutOfRange {
        name: format!("the length of {path}"),
        got: got.to_string(),
        expected: format!("{n_layers}, as many as dilations"),
    })
}

/// Keys that hold one value for all layers, or a list of one per layer.
struct PerLayer<'a> {
    activation: OneOrEach<'a>,
    gating: Mode<'a>,
    secondary: Option<OneOrEach<'a>>,
}

/// How the config marks gated layers: by name, or by the older boolean.
enum Mode<'a> {
    Named(OneOrEach<'a>),
    Gated(bool),
}

struct OneOrEach<'a> {
    path: String,
    /// One element, or as many as layers.
    items: Vec<&'a RawValue>,
}

impl<'a> OneOrEach<'a> {
    fn new(path: String, json: &'a RawValue, n_layers: usize) -> Result<OneOrEach<'a>> {
        if !is_list(json) {
            return Ok(OneOrEach { path, items: vec![json] });
        }
        let items = elements(&path, json, 0..=MAX_LAYERS)?;
        check_length(&path, items.len(), n_layers)?;
        // For one layer, a list of one value means the same as the value.
        Ok(OneOrEach { path, items })
    }

    fn of_layer(&self, layer: usize) -> (String, &'a RawValue) {
        match self.items.as_slice() {
            [one] => (self.path.clone(), one),
            items => (format!("{}[{layer}]", self.path), items[layer]),
        }
    }
}

impl<'a> PerLayer<'a> {
    fn new(fields: &Fields<'a>, n_layers: usize) -> Result<PerLayer<'a>> {
        let list = |key: &str, json| OneOrEach::new(fields.at(key), json, n_layers);
        let gating = match fields.get("gating_mode") {
            Some(json) => Mode::Named(list("gating_mode", json)?),
            None => Mode::Gated(fields.value_or("gated", false)?),
        };
        let secondary = match fields.get("secondary_activation") {
            Some(json) => Some(list("secondary_activation", json)?),
            None => None,
        };
        let activation = list("activation", fields.require("activation")?)?;
        Ok(PerLayer { activation, gating, secondary })
    }

    fn activation(&self, layer: usize, width: usize) -> Result<Activation> {
        let (path, json) = self.activation.of_layer(layer);
        Activation::read(&path, json, width)
    }

    fn gating(&self, layer: usize, width: usize) -> Result<Gating> {
        let modes = match &self.gating {
            Mode::Gated(true) => return Ok(Gating::Gated(Activation::Sigmoid)),
            Mode::Gated(false) => return Ok(Gating::None),
            Mode::Named(modes) => modes,
        };
        let (path, json) = modes.of_layer(layer);
        let mode: String = value(&path, json)?;
        // The entry of a layer without a gate is ignored: trainers leave null or anything else there.
        let secondary = || match &self.secondary {
            Some(list) => {
                let (path, json) = list.of_layer(layer);
                Activation::read(&path, json, width)
            }
            None => Ok(Activation::Sigmoid),
        };
        match mode.as_str() {
            "none" => Ok(Gating::None),
            "gated" => Ok(Gating::Gated(secondary()?)),
            "blended" => Ok(Gating::Blended(secondary()?)),
            _ => Err(Error::Unsupported {
                what: format!("{path} {:?}", one_line(&mode)),
                reason: "the format knows none, gated and blended; train the model with one of these"
                    .to_owned(),
            }),
        }
    }
}

/// An active `layer1x1` or `head1x1`.
struct OneByOne {
    out_channels: usize,
    groups: usize,
}

fn read_1x1(fields: &Fields, key: &str, active: bool, channels: usize) -> Result<Option<OneByOne>> {
    let Some(json) = fields.get(key) else {
        return Ok(active.then_some(OneByOne { out_channels: channels, groups: 1 }));
    };
    let inner = Fields::new(fields.at(key), json)?;
    if !inner.value_or("active", active)? {
        return Ok(None);
    }
    let out_channels = inner.count_or("out_channels", channels, 1..=MAX_CHANNELS)?;
    Ok(Some(OneByOne { out_channels, groups: inner.count_or("groups", 1, 1..=MAX_CHANNELS)? }))
}

/// Reads a modulation. `width` is the width of the signal that it acts on, or `None` if there is no such signal.
fn read_film(
    fields: &Fields,
    key: &str,
    condition_size: usize,
    width: Option<usize>,
) -> Result<Option<Film>> {
    let Some(json) = fields.get(key).filter(|json| json.get() != "false") else { return Ok(None) };
    let inner = Fields::new(fields.at(key), json)?;
    if !inner.value_or("active", true)? {
        return Ok(None);
    }
    let Some(width) = width else {
        let reason = "it is active, but the convolution that it follows is not";
        return Err(Error::malformed(inner.path, reason));
    };
    let shift = inner.value_or("shift", true)?;
    let groups = inner.count_or("groups", 1, 1..=MAX_CHANNELS)?;
    let outputs = if shift { 2 * width } else { width };
    let conv = Conv::shaped(&inner.path, (condition_size, outputs), (1, 1), groups, true)?;
    Ok(Some(Film { conv, shift }))
}

fn read_head(fields: &Fields, inputs: usize) -> Result<Conv> {
    let path = fields.at("head");
    if let Some(json) = fields.get("head") {
        let head = Fields::new(path.as_str(), json)?;
        let outputs = head.count("out_channels", 1..=MAX_CHANNELS)?;
        let kernel_size = head.count("kernel_size", 1..=MAX_KERNEL)?;
        let dilation = head.count_or("head_dilation", 1, 1..=MAX_DILATION)?;
        return Conv::shaped(&path, (inputs, outputs), (kernel_size, dilation), 1, head.value("bias")?);
    }
    if fields.get("head_size").is_none() {
        let reason = "it is missing; a layer array has head or, in older files, head_size and head_bias";
        return Err(Error::malformed(path, reason));
    }
    let outputs = fields.count("head_size", 1..=MAX_CHANNELS)?;
    Conv::shaped(&path, (inputs, outputs), (1, 1), 1, fields.value("head_bias")?)
}

fn read_post_head(fields: &Fields, head_size: usize) -> Result<PostHead> {
    let in_channels = fields.count_or("in_channels", head_size, 1..=MAX_CHANNELS)?;
    let because = "the head size of the last layer array";
    super::bounds::equal(&fields.at("in_channels"), in_channels, head_size, because)?;
    let channels = fields.count("channels", 1..=MAX_CHANNELS)?;
    let out_channels = fields.count("out_channels", 1..=MAX_CHANNELS)?;
    let kernel_sizes = fields.counts("kernel_sizes", MAX_LAYERS, 1..=MAX_KERNEL)?;
    if kernel_sizes.is_empty() {
        return Err(Error::malformed(
            fields.at("kernel_sizes"),
            "it is empty; a head has at least one layer",
        ));
    }
    let activation = fields.require("activation")?;
    let mut layers = Vec::with_capacity(kernel_sizes.len());
    let mut inputs = head_size;
    for (i, &kernel_size) in kernel_sizes.iter().enumerate() {
        let outputs = if i + 1 == kernel_sizes.len() { out_channels } else { channels };
        let path = fields.at("activation");
        layers.push(PostHeadLayer {
            activation: Activation::read(&path, activation, inputs)?,
            conv: Conv::shaped(&fields.path, (inputs, outputs), (kernel_size, 1), 1, true)?,
        });
        inputs = outputs;
    }
    Ok(PostHead { layers })
}

fn read_slimmable(fields: &Fields, channels: usize) -> Result<Option<Vec<usize>>> {
    let Some(json) = fields.get("slimmable") else { return Ok(None) };
    let slimmable = Fields::new(fields.at("slimmable"), json)?;
    let method: String = slimmable.value_or("method", String::new())?;
    if method.is_empty() {
        return Ok(None);
    }
    if method != SLICE_UNIFORM {
        return Err(Error::Unsupported {
            what: format!("{} {:?}", slimmable.at("method"), one_line(&method)),
            reason: format!("the format knows {SLICE_UNIFORM}; train the model with it"),
        });
    }
    let allowed = match slimmable.get("kwargs") {
        Some(json) => {
            let kwargs = Fields::new(slimmable.at("kwargs"), json)?;
            match kwargs.get("allowed_channels") {
                Some(_) => kwargs.counts("allowed_channels", MAX_CHANNELS, 1..=channels)?,
                None => (1..=channels).collect(),
            }
        }
        None => (1..=channels).collect(),
    };
    if !allowed.is_sorted_by(|a, b| a < b) || allowed.last() != Some(&channels) {
        return Err(Error::OutOfRange {
            name: slimmable.at("kwargs.allowed_channels"),
            got: one_line(&format!("{allowed:?}")),
            expected: format!("numbers that ascend to {channels}, the channels of the array"),
        });
    }
    Ok(Some(allowed))
}
