//! Writing an LSTM in the JSON of other players.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::amp::nam::{LstmLayer, LstmNetwork, NamFile, Network};
use crate::container::atomic::write_atomically;
use crate::error::{Error, Result};

/// Writes an AIDA-X file of an LSTM: whole, or not at all.
///
/// # Errors
/// [`Error::InFile`] with the path: as [`to_aidax`], or the file cannot be written.
pub fn write_aidax(file: &NamFile, path: impl AsRef<Path>) -> Result<()> {
    write(path.as_ref(), to_aidax(file))
}

/// Writes a Proteus file of an LSTM: whole, or not at all.
///
/// # Errors
/// [`Error::InFile`] with the path: as [`to_proteus`], or the file cannot be written.
pub fn write_proteus(file: &NamFile, path: impl AsRef<Path>) -> Result<()> {
    write(path.as_ref(), to_proteus(file))
}

fn write(path: &Path, text: Result<Vec<u8>>) -> Result<()> {
    let text = text.map_err(|error| error.in_file(path))?;
    write_atomically(path, |writer| writer.write_all(&text))
}

/// The text of an AIDA-X file of an LSTM.
///
/// The initial states of a `.nam` file are left out, since these players begin at rest.
///
/// # Errors
/// A model that is no LSTM of one input and one output.
pub fn to_aidax(file: &NamFile) -> Result<Vec<u8>> {
    let (network, bypass) = mono_lstm(file, "an AIDA-X file")?;
    let gain = if bypass == 0.0 { 1.0 } else { f64::from(bypass) };
    let units = network.hidden_size;
    let column = |layer: &LstmLayer, column: usize| -> Value {
        layer.weight.chunks_exact(layer.inputs + units).map(|row| f64::from(row[column])).collect()
    };
    let lstm = |layer: &LstmLayer| {
        let columns = |range: std::ops::Range<usize>| range.map(|c| column(layer, c)).collect::<Value>();
        json!({
            "type": "lstm", "activation": "", "shape": [null, null, units],
            "weights": [columns(0..layer.inputs), columns(layer.inputs..layer.inputs + units), numbers(&layer.bias, 1.0)],
        })
    };
    // The input is added before the output gain, so that gain stands in its own key.
    let dense: Value = network.head_weight.iter().map(|w| json!([f64::from(*w) / gain])).collect();
    let mut layers: Vec<Value> = network.layers.iter().map(lstm).collect();
    layers.push(json!({
        "type": "dense", "activation": "", "shape": [null, null, 1],
        "weights": [dense, numbers(&network.head_bias, 1.0 / gain)],
    }));
    if gain < 0.0 {
        return Err(Error::Unsupported {
            what: "an input that is added inverted".to_owned(),
            reason: "AIDA-X has no key for it; convert the model to .nam".to_owned(),
        });
    }
    let text = json!({
        "in_shape": [null, null, 1],
        "in_skip": u8::from(bypass != 0.0),
        "in_gain": 0.0,
        "out_gain": 20.0 * gain.log10(),
        "samplerate": file.sample_rate(),
        "metadata": metadata(file),
        "layers": layers,
    });
    Ok(text.to_string().into_bytes())
}

/// The text of a Proteus file of an LSTM.
///
/// Proteus itself plays models at 44.1 kHz of 40 units that add their input; other players of the format are freer. The initial
/// states of a `.nam` file are left out.
///
/// # Errors
/// A model that is no LSTM of one input and one output, or adds its input with another gain than 1.
pub fn to_proteus(file: &NamFile) -> Result<Vec<u8>> {
    let (network, bypass) = mono_lstm(file, "a Proteus file")?;
    if bypass != 0.0 && bypass != 1.0 {
        return Err(Error::Unsupported {
            what: format!("an input that is added with a gain of {bypass}"),
            reason: "a Proteus file adds it with a gain of 1; convert the model to .aidax or .nam".to_owned(),
        });
    }
    let units = network.hidden_size;
    let mut state = Map::new();
    for (k, layer) in network.layers.iter().enumerate() {
        let rows = || layer.weight.chunks_exact(layer.inputs + units);
        let from_input: Value = rows().map(|row| numbers(&row[..layer.inputs], 1.0)).collect();
        let from_state: Value = rows().map(|row| numbers(&row[layer.inputs..], 1.0)).collect();
        state.insert(format!("rec.weight_ih_l{k}"), from_input);
        state.insert(format!("rec.weight_hh_l{k}"), from_state);
        state.insert(format!("rec.bias_ih_l{k}"), numbers(&layer.bias, 1.0));
        state.insert(format!("rec.bias_hh_l{k}"), numbers(&vec![0.0; 4 * units], 1.0));
    }
    state.insert("lin.weight".to_owned(), json!([numbers(&network.head_weight, 1.0)]));
    state.insert("lin.bias".to_owned(), numbers(&network.head_bias, 1.0));
    let text = json!({
        "model_data": {
            "model": "SimpleRNN", "input_size": 1, "skip": u8::from(bypass != 0.0), "output_size": 1,
            "unit_type": "LSTM", "num_layers": network.layers.len(), "hidden_size": units, "bias_fl": true,
            "samplerate": file.sample_rate(),
        },
        "state_dict": state,
    });
    Ok(text.to_string().into_bytes())
}

/// The network without the unit that carries the input, and the gain of the input.
fn mono_lstm(file: &NamFile, target: &str) -> Result<(LstmNetwork, f32)> {
    match file.network() {
        Network::Lstm(network) if (network.in_channels, network.out_channels) == (1, 1) => {
            Ok(network.without_bypass().unwrap_or_else(|| (network.clone(), 0.0)))
        }
        other => Err(Error::Unsupported {
            what: format!("a {} as {target}", other.architecture()),
            reason: "it holds only LSTMs of one input and one output; convert the model to .nam".to_owned(),
        }),
    }
}

/// In double precision, whose digits give the same value in readers of either precision.
fn numbers(values: &[f32], scale: f64) -> Value {
    values.iter().map(|value| f64::from(*value) * scale).collect()
}

/// What the file says about the capture, with the keys of AIDA-X where there are such.
fn metadata(file: &NamFile) -> Map<String, Value> {
    let mut metadata = file.metadata().0.clone();
    if let Some(author) = metadata.remove("modeled_by") {
        metadata.insert("author".to_owned(), author);
    }
    if let Some(esr) = file.metadata().validation_esr() {
        metadata.remove("training");
        metadata.insert("esr".to_owned(), esr.into());
    }
    metadata.insert("samplerate".to_owned(), file.sample_rate().into());
    metadata
}
