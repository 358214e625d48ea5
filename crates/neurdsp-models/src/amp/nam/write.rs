//! Writing `.nam` files: models from files unchanged, and other networks in the oldest version that can express them.

use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::activation::Activation;
use super::file::{NamFile, Network, Submodel};
use super::metadata::NamMetadata;
use super::networks::{ConvNetNetwork, LinearNetwork, LstmNetwork};
use super::visit::Join;
use super::wavenet::{Gating, LayerArray, PostHead, WavenetNetwork};
use crate::container::atomic::write_atomically;
use crate::error::{Error, Result};

/// The version of files that every player reads.
const PLAIN_VERSION: &str = "0.5.4";
/// The version of files that need later keys.
const FULL_VERSION: &str = "0.7.0";

impl NamFile {
    /// A file of a network, in the oldest version of the format that can express it.
    ///
    /// # Errors
    /// A network that a reader would refuse.
    ///
    /// # Example
    /// ```
    /// use neurdsp_models::amp::nam::{LinearNetwork, NamFile, NamMetadata, Network};
    /// let network = LinearNetwork { taps: vec![1.0, 0.5], bias: None, implementation: None };
    /// let file = NamFile::new(Network::Linear(network), 48_000.0, NamMetadata::default())?;
    /// assert_eq!(NamFile::from_bytes(&file.to_bytes()?)?, file);
    /// # Ok::<(), neurdsp_models::Error>(())
    /// ```
    pub fn new(network: Network, sample_rate: f64, metadata: NamMetadata) -> Result<NamFile> {
        if let Network::Wavenet(network) = &network
            && (network.arrays.is_empty()
                || network.arrays.iter().any(|array| array.layers.is_empty())
                || network.post_head.as_ref().is_some_and(|head| head.layers.is_empty()))
        {
            return Err(Error::malformed("the WaveNet", "it has no layer array, or one without layers"));
        }
        let (version, config) = match &network {
            Network::Wavenet(network) => wavenet(network),
            Network::Lstm(network) => (PLAIN_VERSION, lstm(network)),
            Network::ConvNet(network) => (PLAIN_VERSION, convnet(network)),
            Network::Linear(network) => (PLAIN_VERSION, linear(network)),
            Network::Slimmable(_) => (FULL_VERSION, json!({})),
        };
        let Value::Object(config) = config else {
            return Err(Error::malformed("the config", "it is not an object"));
        };
        let file = NamFile {
            version: version.to_owned(),
            sample_rate: Some(sample_rate),
            metadata,
            network,
            config,
            extra: Map::new(),
        };
        // Reading it back checks every bound.
        NamFile::from_bytes(&file.to_bytes()?)
    }

    /// The same model in the oldest version of the format that can express it, which the most players read. Keys that the
    /// format does not define stay; those of a network in a container or a condition are left as they are.
    ///
    /// # Errors
    /// As [`new`](Self::new), which no model from a file causes.
    pub fn in_oldest_version(&self) -> Result<NamFile> {
        if self.version == PLAIN_VERSION || matches!(self.network, Network::Slimmable(_)) {
            return Ok(self.clone());
        }
        let file = NamFile::new(self.network.clone(), self.sample_rate(), self.metadata.clone())?;
        if !file.is_plain() {
            return Ok(self.clone());
        }
        Ok(NamFile { extra: self.extra.clone(), sample_rate: self.sample_rate, ..file })
    }

    /// Whether its version is one that every player reads.
    pub(crate) fn is_plain(&self) -> bool {
        self.version.starts_with("0.5.")
    }

    /// Writes a file: whole, or not at all.
    ///
    /// # Errors
    /// [`Error::InFile`] with the path: the folder does not exist, the disk is full, or the file would be too large.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = self.to_bytes().map_err(|error| error.in_file(path))?;
        write_atomically(path, |writer| writer.write_all(&bytes))
    }

    /// The text of the file; reading it gives the same model bit for bit.
    ///
    /// # Errors
    /// The text would be larger than the limit of the reader.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let io = |source| Error::Io { action: "write to memory", source };
        self.write_model(&mut bytes, true).map_err(io)?;
        super::bounds::at_most(
            "the size of the .nam file in bytes",
            bytes.len(),
            super::MAX_NAM_BYTES as usize,
        )?;
        Ok(bytes)
    }

    /// The text of the file with empty lists of weights: everything but the values.
    ///
    /// # Errors
    /// The text is not UTF-8, which cannot happen for a model from a file.
    pub fn document(&self) -> Result<String> {
        let mut text = Vec::new();
        let io = |source| Error::Io { action: "write to memory", source };
        self.write_model(&mut text, false).map_err(io)?;
        String::from_utf8(text).map_err(|error| Error::malformed("the config", error.to_string()))
    }

    /// The text with empty lists of weights, and the values of all lists joined in the order in which they are read.
    pub(crate) fn to_parts(&self) -> Result<(String, Vec<f32>)> {
        let text = self.document()?;
        let mut weights = Vec::new();
        self.join_weights(&mut weights);
        Ok((text, weights))
    }

    fn join_weights(&self, joined: &mut Vec<f32>) {
        match &self.network {
            Network::Slimmable(submodels) => {
                submodels.iter().for_each(|submodel| submodel.model.join_weights(joined));
            }
            Network::Wavenet(WavenetNetwork { condition: Some(condition), .. }) => {
                condition.join_weights(joined)
            }
            _ => {}
        }
        joined.append(&mut self.own_weights());
    }

    /// The flat list of this model alone.
    fn own_weights(&self) -> Vec<f32> {
        let mut join = Join::default();
        self.network.clone().visit(&mut join);
        join.0
    }

    /// Writes the object member by member, so that the lists are never in memory as JSON values.
    fn write_model(&self, out: &mut Vec<u8>, with_weights: bool) -> std::io::Result<()> {
        write!(out, "{{\"version\":{},", json!(self.version))?;
        if !self.metadata.0.is_empty() {
            write!(out, "\"metadata\":{},", json!(self.metadata.0))?;
        }
        write!(out, "\"architecture\":{},\"config\":{{", json!(self.network.architecture()))?;
        let mut separator = "";
        for (key, value) in &self.config {
            write!(out, "{separator}{}:{value}", json!(key))?;
            separator = ",";
        }
        match &self.network {
            Network::Wavenet(WavenetNetwork { condition: Some(condition), .. }) => {
                write!(out, "{separator}\"condition_dsp\":")?;
                condition.write_model(out, with_weights)?;
            }
            Network::Slimmable(submodels) => {
                write!(out, "{separator}\"submodels\":[")?;
                for (i, Submodel { max_value, model }) in submodels.iter().enumerate() {
                    let separator = if i == 0 { "" } else { "," };
                    write!(out, "{separator}{{\"max_value\":{},\"model\":", json!(max_value))?;
                    model.write_model(out, with_weights)?;
                    out.push(b'}');
                }
                out.push(b']');
            }
            _ => {}
        }
        out.extend_from_slice(b"},\"weights\":[");
        if with_weights {
            for (i, &value) in self.own_weights().iter().enumerate() {
                let separator = if i == 0 { "" } else { "," };
                // In double precision, whose digits give the same value in readers of either precision.
                write!(out, "{separator}{}", json!(f64::from(value)))?;
            }
        }
        out.push(b']');
        if let Some(rate) = self.sample_rate {
            // 48000 rather than 48000.0, as other programs write it.
            let rate = if rate.fract() == 0.0 { json!(rate as u64) } else { json!(rate) };
            write!(out, ",\"sample_rate\":{rate}")?;
        }
        for (key, value) in &self.extra {
            write!(out, ",{}:{value}", json!(key))?;
        }
        out.push(b'}');
        Ok(())
    }
}

fn wavenet(network: &WavenetNetwork) -> (&'static str, Value) {
    let plain = network.in_channels == 1
        && network.condition.is_none()
        && network.post_head.is_none()
        && network.arrays.iter().all(is_plain);
    let array = if plain { plain_array } else { full_array };
    let mut config = json!({
        "layers": network.arrays.iter().map(array).collect::<Vec<_>>(),
        "head": network.post_head.as_ref().map(post_head),
        "head_scale": network.head_scale,
    });
    if network.in_channels != 1 {
        config["in_channels"] = network.in_channels.into();
    }
    (if plain { PLAIN_VERSION } else { FULL_VERSION }, config)
}

/// Whether the keys of the first version can express an array.
fn is_plain(array: &LayerArray) -> bool {
    let Some(first) = array.layers.first() else { return false };
    let gated = matches!(&first.gating, Gating::Gated(Activation::Sigmoid));
    array.bottleneck == array.channels
        && (gated || first.gating == Gating::None)
        && (array.head.kernel_size, array.head.dilation) == (1, 1)
        && array.allowed_channels.is_none()
        && first.activation.to_json().is_string()
        && array.layers.iter().all(|layer| {
            let convs = [Some(&layer.conv), Some(&layer.mixin), layer.layer1x1.as_ref()];
            layer.activation == first.activation
                && layer.gating == first.gating
                && layer.conv.kernel_size == first.conv.kernel_size
                && layer.head1x1.is_none()
                && layer.layer1x1.is_some()
                && convs.into_iter().flatten().all(|conv| conv.groups == 1)
                && layer.films.all().iter().all(|(_, film)| film.is_none())
        })
}

fn plain_array(array: &LayerArray) -> Value {
    let first = &array.layers[0];
    json!({
        "input_size": array.input_size,
        "condition_size": array.condition_size,
        "channels": array.channels,
        "kernel_size": first.conv.kernel_size,
        "dilations": array.layers.iter().map(|layer| layer.conv.dilation).collect::<Vec<_>>(),
        "activation": first.activation.to_json(),
        "gated": first.gating != Gating::None,
        "head_size": array.head.outputs,
        "head_bias": array.head.bias.is_some(),
    })
}

fn full_array(array: &LayerArray) -> Value {
    let first = &array.layers[0];
    let secondary = |gating: &Gating| match gating {
        Gating::None => Value::Null,
        Gating::Gated(gate) => gate.to_json(),
        Gating::Blended(blend) => blend.to_json(),
    };
    let mode = |gating: &Gating| match gating {
        Gating::None => "none",
        Gating::Gated(_) => "gated",
        Gating::Blended(_) => "blended",
    };
    let each = |value: &dyn Fn(&super::Layer) -> Value| array.layers.iter().map(value).collect::<Vec<_>>();
    let groups = |conv: Option<&super::Conv>| conv.map_or(1, |conv| conv.groups);
    let mut config = json!({
        "input_size": array.input_size,
        "condition_size": array.condition_size,
        "channels": array.channels,
        "bottleneck": array.bottleneck,
        "kernel_sizes": each(&|layer| layer.conv.kernel_size.into()),
        "dilations": each(&|layer| layer.conv.dilation.into()),
        "activation": each(&|layer| layer.activation.to_json()),
        "gating_mode": each(&|layer| mode(&layer.gating).into()),
        "groups_input": first.conv.groups,
        "groups_input_mixin": first.mixin.groups,
        "layer1x1": { "active": first.layer1x1.is_some(), "groups": groups(first.layer1x1.as_ref()) },
        "head1x1": {
            "active": first.head1x1.is_some(),
            "out_channels": first.head1x1.as_ref().map_or(1, |conv| conv.outputs),
            "groups": groups(first.head1x1.as_ref()),
        },
        "head": {
            "out_channels": array.head.outputs,
            "kernel_size": array.head.kernel_size,
            "bias": array.head.bias.is_some(),
            "head_dilation": array.head.dilation,
        },
    });
    if array.layers.iter().any(|layer| layer.gating != Gating::None) {
        config["secondary_activation"] = each(&|layer| secondary(&layer.gating)).into();
    }
    for (key, film) in first.films.all() {
        if let Some(film) = film {
            config[key] = json!({ "active": true, "shift": film.shift, "groups": film.conv.groups });
        }
    }
    if let Some(allowed) = &array.allowed_channels {
        config["slimmable"] =
            json!({ "method": "slice_channels_uniform", "kwargs": { "allowed_channels": allowed } });
    }
    config
}

fn post_head(head: &PostHead) -> Value {
    let (first, last) = (&head.layers[0], &head.layers[head.layers.len() - 1]);
    json!({
        "channels": first.conv.outputs,
        "out_channels": last.conv.outputs,
        "kernel_sizes": head.layers.iter().map(|layer| layer.conv.kernel_size).collect::<Vec<_>>(),
        "activation": first.activation.to_json(),
    })
}

fn lstm(network: &LstmNetwork) -> Value {
    let mut config = json!({
        "input_size": network.in_channels,
        "hidden_size": network.hidden_size,
        "num_layers": network.layers.len(),
    });
    for (key, channels) in [("in_channels", network.in_channels), ("out_channels", network.out_channels)] {
        if channels != 1 {
            config[key] = channels.into();
        }
    }
    config
}

fn convnet(network: &ConvNetNetwork) -> Value {
    let first = network.blocks.first();
    let mut config = json!({
        "channels": network.channels,
        "dilations": network.blocks.iter().map(|block| block.conv.dilation).collect::<Vec<_>>(),
        "batchnorm": first.is_some_and(|block| block.norm.is_some()),
        "activation": network.activation.to_json(),
    });
    let others = [
        ("groups", first.map_or(1, |block| block.conv.groups)),
        ("in_channels", network.in_channels),
        ("out_channels", network.head.outputs),
    ];
    for (key, value) in others {
        if value != 1 {
            config[key] = value.into();
        }
    }
    config
}

fn linear(network: &LinearNetwork) -> Value {
    let mut config = json!({ "receptive_field": network.taps.len(), "bias": network.bias.is_some() });
    if let Some(implementation) = &network.implementation {
        config["implementation"] = implementation.as_str().into();
    }
    config
}
