//! Reading the layers of an AIDA-X file.

use serde_json::{Map, Value};

use super::{
    Around, MAX_GAIN_DB, adds_input, check_inputs, check_size, into_nam, lstm, number, sample_rate,
    unsupported,
};
use crate::amp::fields::{Fields, value};
use crate::amp::nam::{MAX_CHANNELS, MAX_LAYERS, NamFile, NamMetadata, in_range};
use crate::container::json::{elements, numbers, one_line};
use crate::error::{Error, Result};

/// The sample rate of a file that gives none, in Hz; that of AIDA-X.
const DEFAULT_SAMPLE_RATE: f64 = 48_000.0;
/// The most axes of a shape.
const MAX_AXES: usize = 8;

/// The model of an AIDA-X file.
///
/// # Errors
/// A layer or an activation that is not supported, several inputs, shapes that do not fit together, or a value that is not a
/// number; each named by its path.
pub(crate) fn from_layers(root: &Fields) -> Result<NamFile> {
    if root.get("in_shape").is_some() {
        check_inputs(root.at("in_shape"), last_axis(root, "in_shape")?)?;
    }
    let path = root.at("layers");
    let layers = elements(&path, root.require("layers")?, 0..=MAX_LAYERS + 1)?;
    let layers = layers.into_iter().enumerate().map(|(i, json)| Fields::new(format!("{path}[{i}]"), json));
    let layers = layers.collect::<Result<Vec<_>>>()?;
    let Some((last, recurrent)) = layers.split_last().filter(|(_, recurrent)| !recurrent.is_empty()) else {
        return Err(unsupported(format!("a model of {} layers", layers.len())));
    };
    for layer in recurrent {
        check_layer(layer, &["lstm"], &["", "tanh"])?;
    }
    check_layer(last, &["dense", "time-distributed-dense"], &["", "linear"])?;

    let hidden_size = last_axis(&recurrent[0], "shape")?;
    check_size("layers", hidden_size, recurrent.len())?;
    let mut parts = Vec::with_capacity(recurrent.len());
    for (k, layer) in recurrent.iter().enumerate() {
        if last_axis(layer, "shape")? != hidden_size {
            return Err(unsupported(format!("{} of another size than the layer before", layer.at("shape"))));
        }
        parts.push(lstm_weights(layer, if k == 0 { 1 } else { hidden_size }, hidden_size)?);
    }
    let weights = last.at("weights");
    let dense = elements(&weights, last.require("weights")?, 2..=2)?;
    let head = numbers(&format!("{weights}[0]"), dense[0], &[hidden_size, 1])?;
    let bias = numbers(&format!("{weights}[1]"), dense[1], &[1])?;

    let about = match root.get("metadata") {
        Some(_) => Some(root.object("metadata")?),
        None => None,
    };
    let own = about.as_ref().map_or(Ok(None), |about| sample_rate(about, "samplerate"))?;
    let around = Around {
        sample_rate: own.or(sample_rate(root, "samplerate")?).unwrap_or(DEFAULT_SAMPLE_RATE),
        input_gain: gain(root, "in_gain")?,
        output_gain: gain(root, "out_gain")?,
        adds_input: adds_input(root, "in_skip")?,
    };
    into_nam(lstm(hidden_size, parts, (head, bias[0])), &around, metadata(about.as_ref())?)
}

fn check_layer(layer: &Fields, types: &[&str], activations: &[&str]) -> Result<()> {
    let kind: String = layer.value("type")?;
    if !types.contains(&kind.as_str()) {
        return Err(unsupported(format!("{} {:?}", layer.at("type"), one_line(&kind))));
    }
    let activation: String = layer.value_or("activation", String::new())?;
    if !activations.contains(&activation.as_str()) {
        return Err(unsupported(format!("{} {:?}", layer.at("activation"), one_line(&activation))));
    }
    Ok(())
}

/// The last axis of a shape such as `[null, null, 8]`.
fn last_axis(fields: &Fields, key: &str) -> Result<usize> {
    let path = fields.at(key);
    let axes = elements(&path, fields.require(key)?, 0..=MAX_AXES)?;
    let Some((i, json)) = axes.into_iter().enumerate().next_back() else {
        return Err(Error::malformed(path, "it is empty, but its last element is a number of channels"));
    };
    let path = format!("{path}[{i}]");
    let axis = value(&path, json)?;
    in_range(&path, axis, 1..=MAX_CHANNELS)?;
    Ok(axis)
}

/// Weights and bias of a layer, as `.nam` has them.
fn lstm_weights(layer: &Fields, inputs: usize, units: usize) -> Result<(Vec<f32>, Vec<f32>)> {
    let path = layer.at("weights");
    let parts = elements(&path, layer.require("weights")?, 3..=3)?;
    let kernel = numbers(&format!("{path}[0]"), parts[0], &[inputs, 4 * units])?;
    let recurrent = numbers(&format!("{path}[1]"), parts[1], &[units, 4 * units])?;
    let bias = numbers(&format!("{path}[2]"), parts[2], &[4 * units])?;
    let columns = || kernel.chunks_exact(4 * units).chain(recurrent.chunks_exact(4 * units));
    let weight = (0..4 * units).flat_map(|row| columns().map(move |column| column[row])).collect();
    Ok((weight, bias))
}

/// A gain in dB as a factor; 1 if it is absent.
fn gain(root: &Fields, key: &str) -> Result<f64> {
    let gain_db: f64 = root.value_or(key, 0.0)?;
    if gain_db.abs() <= MAX_GAIN_DB {
        return Ok(10_f64.powf(gain_db / 20.0));
    }
    let expected = format!("-{MAX_GAIN_DB} to {MAX_GAIN_DB} dB");
    Err(Error::OutOfRange { name: root.at(key), got: gain_db.to_string(), expected })
}

/// What the file says about the capture, with the keys of `.nam` where there are such.
fn metadata(about: Option<&Fields>) -> Result<NamMetadata> {
    let mut metadata = NamMetadata::default();
    let Some(about) = about else { return Ok(metadata) };
    for (key, json) in &about.members {
        let path = about.at(key);
        match key.as_str() {
            "samplerate" => {}
            "author" => {
                metadata.0.insert("modeled_by".to_owned(), value(&path, json)?);
            }
            "esr" => {
                // A figure that cannot be read is no reason to refuse the model.
                if let Ok(esr) = number(&path, json) {
                    let training = Map::from_iter([("validation_esr".to_owned(), esr.into())]);
                    metadata.0.insert("training".to_owned(), Value::Object(training));
                }
            }
            _ => {
                metadata.0.insert(key.clone(), value(&path, json)?);
            }
        }
    }
    Ok(metadata)
}
