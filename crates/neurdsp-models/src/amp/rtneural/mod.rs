//! LSTMs in the JSON of other players: AIDA-X, and Proteus with its relatives.
//!
//! ```text
//! AIDA-X     in_shape, in_skip, in_gain and out_gain in dB, samplerate, metadata,
//!            layers [{type "lstm", shape, weights [kernel[in][4H], recurrent[H][4H], bias[4H]]}…,
//!                    {type "dense", weights [[H][1], [1]]}]                                     the layout of RTNeural
//! Proteus    model_data {unit_type "LSTM", input_size, hidden_size, num_layers, skip, …},
//!            state_dict {rec.weight_ih_l0[4H][in], rec.weight_hh_l0[4H][H], both biases, lin.weight, lin.bias}   PyTorch's
//! ```
//!
//! The gates are in the order input, forget, cell, output, as in `.nam`. With `skip` the input is added to the output. Both
//! become a `.nam` model, so that they play and convert as such.
//!
//! Source: the loaders of AIDA-X 1.1 (`aidadsp-plugin.cpp`), RTNeural (`model_loader.h`) and Proteus (`RTNeuralLSTM.cpp`).

mod layers;
mod state_dict;
mod write;

pub(crate) use layers::from_layers;
pub(crate) use state_dict::from_state_dict;
pub use write::{to_aidax, to_proteus, write_aidax, write_proteus};

use serde_json::value::RawValue;

use crate::amp::fields::{Fields, is_text, value};
use crate::amp::nam::{LstmLayer, LstmNetwork, MAX_LSTM_WEIGHTS, NamFile, NamMetadata, Network, at_most};
use crate::error::{Error, Result};

/// The largest gain of a file in dB, up or down.
const MAX_GAIN_DB: f64 = 120.0;

/// An LSTM of another format, with what the file does around it.
struct Around {
    sample_rate: f64,
    input_gain: f64,
    output_gain: f64,
    adds_input: bool,
}

/// The `.nam` model of an LSTM with its surroundings.
fn into_nam(mut network: LstmNetwork, around: &Around, metadata: NamMetadata) -> Result<NamFile> {
    let scale = |values: &mut [f32], gain: f64| {
        values.iter_mut().for_each(|value| *value = (f64::from(*value) * gain) as f32);
    };
    let units = network.hidden_size;
    if let Some(first) = network.layers.first_mut() {
        // The first column of every row is that of the input.
        for row in first.weight.chunks_exact_mut(1 + units) {
            scale(&mut row[..1], around.input_gain);
        }
    }
    scale(&mut network.head_weight, around.output_gain);
    scale(&mut network.head_bias, around.output_gain);
    if around.adds_input {
        network = network.with_bypass((around.input_gain * around.output_gain) as f32);
    }
    NamFile::new(Network::Lstm(network), around.sample_rate, metadata)
}

/// An LSTM of one input and one output from its parts, with states of zero to begin with.
fn lstm(hidden_size: usize, parts: Vec<(Vec<f32>, Vec<f32>)>, head: (Vec<f32>, f32)) -> LstmNetwork {
    let layer = |(k, (weight, bias)): (usize, (Vec<f32>, Vec<f32>))| LstmLayer {
        inputs: if k == 0 { 1 } else { hidden_size },
        weight,
        bias,
        initial_hidden: vec![0.0; hidden_size],
        initial_cell: vec![0.0; hidden_size],
    };
    LstmNetwork {
        in_channels: 1,
        out_channels: 1,
        hidden_size,
        layers: parts.into_iter().enumerate().map(layer).collect(),
        head_weight: head.0,
        head_bias: vec![head.1],
        settle_samples: 0,
    }
}

/// Refuses an LSTM of more weights than are played, before they are read.
fn check_size(path: &str, hidden_size: usize, n_layers: usize) -> Result<()> {
    let later = (n_layers - 1).saturating_mul(4 * hidden_size * (2 * hidden_size + 1));
    let weights = (4 * hidden_size * (hidden_size + 2)).saturating_add(later);
    at_most(&format!("the number of weights of {path}"), weights, MAX_LSTM_WEIGHTS)
}

/// A sample rate as a number, or as text that holds one.
fn sample_rate(fields: &Fields, key: &str) -> Result<Option<f64>> {
    let Some(json) = fields.get(key) else { return Ok(None) };
    let path = fields.at(key);
    let rate = number(&path, json)?;
    if (1000.0..=768_000.0).contains(&rate) {
        return Ok(Some(rate));
    }
    let expected = "1000 to 768000 Hz".to_owned();
    Err(Error::OutOfRange { name: path, got: rate.to_string(), expected })
}

/// A number, or text that holds one.
fn number(path: &str, json: &RawValue) -> Result<f64> {
    if !is_text(json) {
        return value(path, json);
    }
    let text: String = value(path, json)?;
    text.trim().parse().map_err(|_| Error::OutOfRange {
        name: path.to_owned(),
        got: format!("{:?}", crate::container::json::one_line(&text)),
        expected: "a number".to_owned(),
    })
}

/// Whether the input is added to the output: 0 or 1, or true or false.
fn adds_input(fields: &Fields, key: &str) -> Result<bool> {
    let Some(json) = fields.get(key) else { return Ok(false) };
    match json.get() {
        "true" => return Ok(true),
        "false" => return Ok(false),
        _ => {}
    }
    match value::<f64>(&fields.at(key), json)? {
        0.0 => Ok(false),
        1.0 => Ok(true),
        other => Err(Error::OutOfRange {
            name: fields.at(key),
            got: other.to_string(),
            expected: "0, or 1 to add the input to the output".to_owned(),
        }),
    }
}

/// Refuses a model of several inputs, whose others are knobs.
fn check_inputs(path: String, inputs: usize) -> Result<()> {
    if inputs == 1 {
        return Ok(());
    }
    Err(Error::Unsupported {
        what: format!("{path} {inputs}"),
        reason: "neurdsp plays such models with one input, and the others are knobs; \
                 train a model without them, or one for each position"
            .to_owned(),
    })
}

fn unsupported(what: String) -> Error {
    let reason = "neurdsp plays LSTM layers of equal size and one dense layer of one output after them; \
                  train such a model, or one in the .nam format"
        .to_owned();
    Error::Unsupported { what, reason }
}
