//! LSTMs to whose output the input is added, as other formats have them.
//!
//! The `.nam` format has no such sum, so one more unit of each layer carries the input: its gates are open or shut for good,
//! and it works so near to zero that its two curves are straight, to −120 dB at full scale. The engine finds the unit and adds
//! the input itself, exactly.

use super::networks::{LstmLayer, LstmNetwork};

/// A gate with this bias is open, and with its negative shut, to the last digit of single precision.
const LARGE: f32 = 30.0;
/// How small the carried input is.
const SMALL: f32 = 1.0 / 1024.0;
/// The bias of the gates input, forget, cell and output of the carrying unit.
const BIAS: [f32; 4] = [LARGE, -LARGE, 0.0, LARGE];

impl LstmNetwork {
    /// This network with `gain` times its input added to its output. It must be mono.
    pub(crate) fn with_bypass(&self, gain: f32) -> LstmNetwork {
        let units = self.hidden_size;
        let wide = units + 1;
        let widened = |(k, layer): (usize, &LstmLayer)| {
            let (inputs, old) = (if k == 0 { 1 } else { wide }, layer.inputs + units);
            let mut weight = Vec::with_capacity(4 * wide * (inputs + wide));
            let mut bias = Vec::with_capacity(4 * wide);
            for (gate, carried) in BIAS.into_iter().enumerate() {
                for row in layer.weight[gate * units * old..][..units * old].chunks_exact(old) {
                    let (from_input, from_state) = row.split_at(layer.inputs);
                    weight.extend_from_slice(from_input);
                    weight.resize(weight.len() + inputs - layer.inputs, 0.0);
                    weight.extend_from_slice(from_state);
                    weight.push(0.0);
                }
                bias.extend_from_slice(&layer.bias[gate * units..][..units]);
                weight.extend(carrying_row(k, gate, inputs, wide));
                bias.push(carried);
            }
            let with_zero = |values: &[f32]| values.iter().copied().chain([0.0]).collect();
            LstmLayer {
                inputs,
                weight,
                bias,
                initial_hidden: with_zero(&layer.initial_hidden),
                initial_cell: with_zero(&layer.initial_cell),
            }
        };
        let layers = self.layers.iter().enumerate().map(widened).collect();
        let head_weight = self.head_weight.iter().copied().chain([gain / SMALL]).collect();
        LstmNetwork { hidden_size: wide, layers, head_weight, ..self.clone() }
    }

    /// The network without the unit that carries the input, and the gain of the input; `None` if it has none.
    pub(crate) fn without_bypass(&self) -> Option<(LstmNetwork, f32)> {
        let wide = self.hidden_size;
        if wide < 2 || (self.in_channels, self.out_channels) != (1, 1) {
            return None;
        }
        let units = wide - 1;
        let narrowed = |(k, layer): (usize, &LstmLayer)| {
            let columns = layer.inputs + wide;
            let inputs = if k == 0 { 1 } else { units };
            let mut weight = Vec::with_capacity(4 * units * (inputs + units));
            let mut bias = Vec::with_capacity(4 * units);
            for (gate, carried) in BIAS.into_iter().enumerate() {
                let rows = &layer.weight[gate * wide * columns..][..wide * columns];
                for (unit, row) in rows.chunks_exact(columns).enumerate() {
                    let (from_input, from_state) = row.split_at(layer.inputs);
                    if unit == units {
                        if !row.iter().copied().eq(carrying_row(k, gate, layer.inputs, wide)) {
                            return None;
                        }
                        continue;
                    }
                    // No other unit may hear it.
                    let heard = from_input[inputs..].iter().chain(&from_state[units..]);
                    if heard.into_iter().any(|value| *value != 0.0) {
                        return None;
                    }
                    weight.extend_from_slice(&from_input[..inputs]);
                    weight.extend_from_slice(&from_state[..units]);
                }
                let own = &layer.bias[gate * wide..][..wide];
                if own[units] != carried {
                    return None;
                }
                bias.extend_from_slice(&own[..units]);
            }
            if layer.initial_hidden[units] != 0.0 || layer.initial_cell[units] != 0.0 {
                return None;
            }
            let shorter = |values: &[f32]| values[..units].to_vec();
            Some(LstmLayer {
                inputs,
                weight,
                bias,
                initial_hidden: shorter(&layer.initial_hidden),
                initial_cell: shorter(&layer.initial_cell),
            })
        };
        let layers = self.layers.iter().enumerate().map(narrowed).collect::<Option<_>>()?;
        let gain = self.head_weight[units] * SMALL;
        let head_weight = self.head_weight[..units].to_vec();
        Some((LstmNetwork { hidden_size: units, layers, head_weight, ..self.clone() }, gain))
    }
}

/// The weights of a gate of the carrying unit in layer `k`: only the cell gate hears the input, or the unit below.
fn carrying_row(k: usize, gate: usize, inputs: usize, wide: usize) -> impl Iterator<Item = f32> {
    let (at, value) = if k == 0 { (0, SMALL) } else { (inputs - 1, 1.0) };
    (0..inputs + wide).map(move |column| if gate == 2 && column == at { value } else { 0.0 })
}
