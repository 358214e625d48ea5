//! Reading the state dict of a Proteus file.

use super::{Around, adds_input, check_inputs, check_size, into_nam, lstm, sample_rate, unsupported};
use crate::amp::fields::Fields;
use crate::amp::nam::{MAX_CHANNELS, MAX_LAYERS, NamFile, NamMetadata};
use crate::container::json::{numbers, one_line};
use crate::error::Result;

/// The sample rate of a file that gives none, in Hz; that of Proteus.
const DEFAULT_SAMPLE_RATE: f64 = 44_100.0;

/// The model of a Proteus file.
///
/// # Errors
/// Another unit than an LSTM, several inputs or outputs, a list of the wrong shape, or a value that is not a number; each
/// named by its path.
pub(crate) fn from_state_dict(root: &Fields) -> Result<NamFile> {
    let model = root.object("model_data")?;
    let unit: String = model.value_or("unit_type", "LSTM".to_owned())?;
    if unit != "LSTM" {
        return Err(unsupported(format!("{} {:?}", model.at("unit_type"), one_line(&unit))));
    }
    check_inputs(model.at("input_size"), model.count_or("input_size", 1, 1..=MAX_CHANNELS)?)?;
    let outputs = model.count_or("output_size", 1, 1..=MAX_CHANNELS)?;
    if outputs != 1 {
        return Err(unsupported(format!("{} {outputs}", model.at("output_size"))));
    }
    let hidden_size = model.count("hidden_size", 1..=MAX_CHANNELS)?;
    let n_layers = model.count_or("num_layers", 1, 1..=MAX_LAYERS)?;
    check_size("state_dict", hidden_size, n_layers)?;

    let state = root.object("state_dict")?;
    let tensor = |name: &str, shape: &[usize]| numbers(&state.at(name), state.require(name)?, shape);
    let layer = |k: usize| {
        let inputs = if k == 0 { 1 } else { hidden_size };
        let from_input = tensor(&format!("rec.weight_ih_l{k}"), &[4 * hidden_size, inputs])?;
        let from_state = tensor(&format!("rec.weight_hh_l{k}"), &[4 * hidden_size, hidden_size])?;
        let rows = from_input.chunks_exact(inputs).zip(from_state.chunks_exact(hidden_size));
        let weight = rows.flat_map(|(input, state)| input.iter().chain(state).copied()).collect();
        let mut bias = vec![0.0; 4 * hidden_size];
        for name in [format!("rec.bias_ih_l{k}"), format!("rec.bias_hh_l{k}")] {
            if state.get(&name).is_some() {
                let part = tensor(&name, &[4 * hidden_size])?;
                bias.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
            }
        }
        Ok((weight, bias))
    };
    let parts = (0..n_layers).map(layer).collect::<Result<Vec<_>>>()?;
    let head = tensor("lin.weight", &[1, hidden_size])?;
    let head_bias = match state.get("lin.bias") {
        Some(_) => tensor("lin.bias", &[1])?[0],
        None => 0.0,
    };
    let own = sample_rate(&model, "samplerate")?.or(sample_rate(root, "samplerate")?);
    let around = Around {
        sample_rate: own.unwrap_or(DEFAULT_SAMPLE_RATE),
        input_gain: 1.0,
        output_gain: 1.0,
        adds_input: adds_input(&model, "skip")?,
    };
    into_nam(lstm(hidden_size, parts, (head, head_bias)), &around, NamMetadata::default())
}
