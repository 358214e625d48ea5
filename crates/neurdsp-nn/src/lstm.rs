//! One LSTM layer, frame by frame.

mod gates;
mod kernel;
mod layer;
#[cfg(target_arch = "x86_64")]
mod table;

use crate::error::{Error, check_channels, check_len};
use crate::frames::frame_stride;
pub(crate) use kernel::cell_step;
pub use layer::Lstm;
use layer::Packed;
use neurdsp_simd::{AlignedBuf, Isa};

impl Lstm {
    /// A layer of `units` units with `inputs` inputs.
    ///
    /// # Parameters
    ///
    /// - `weight`: `[4 · units][inputs + units]`, row-major, the gates in the order input, forget, cell, output
    /// - `bias`: `[4 · units]`
    ///
    /// # Errors
    ///
    /// [`Error::Channels`] or [`Error::Length`] where a size is out of bounds or they do not agree.
    pub fn new(inputs: usize, units: usize, weight: &[f32], bias: &[f32], isa: Isa) -> Result<Lstm, Error> {
        check_channels(inputs)?;
        check_channels(units)?;
        let row = inputs + units;
        check_len("weight", weight.len(), 4 * units * row)?;
        check_len("bias", bias.len(), 4 * units)?;
        // Computed now, and not at the first step: that may be in real time.
        #[cfg(target_arch = "x86_64")]
        if isa.has_avx512() {
            table::table();
        }

        let stride = frame_stride(units, isa);
        let columns = units.next_multiple_of(kernel::COLUMN_STEP);
        let group = group_units(stride, isa);
        let mut packed = AlignedBuf::zeroed(stride * 4 * (inputs + columns));
        let mut packed_bias = AlignedBuf::zeroed(stride * 4);
        for unit in 0..units {
            let (block, lane) = (unit / group, unit % group);
            for gate in 0..4 {
                let scale = if gate == 2 { 1.0 } else { 0.5 };
                let source = &weight[(gate * units + unit) * row..][..row];
                for (column, &value) in source.iter().enumerate() {
                    let at = ((block * (inputs + columns) + column) * 4 + gate) * group + lane;
                    packed[at] = scale * value;
                }
                packed_bias[(block * 4 + gate) * group + lane] = scale * bias[gate * units + unit];
            }
        }
        Ok(Lstm { packed: Packed { weight: packed, bias: packed_bias, inputs, columns, stride }, isa })
    }

    /// Values of an input frame.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.packed.inputs
    }

    /// Values from one hidden frame to the next: [`frame_stride`] of the units.
    #[must_use]
    pub fn stride(&self) -> usize {
        self.packed.stride
    }

    /// Computes the hidden frames that follow the first one in `hidden`.
    ///
    /// `input` holds as many frames, `input_stride` values apart, of which the first `inputs` are read. `cell` is one frame
    /// of state; `hidden` begins with the frame before the first. The values beyond the units must be zero, and stay so.
    ///
    /// # Panics
    ///
    /// If the lengths do not agree.
    #[inline]
    pub fn run(&self, input: &[f32], input_stride: usize, hidden: &mut [f32], cell: &mut [f32]) {
        let frames = input.len() / input_stride;
        assert_eq!(input.len(), frames * input_stride);
        assert!(input_stride >= self.packed.inputs);
        assert_eq!(hidden.len(), (frames + 1) * self.packed.stride);
        assert_eq!(cell.len(), self.packed.stride);
        kernel::layer(self.isa, &self.packed, input, input_stride, hidden, cell);
    }

    /// [`run`](Self::run) of layers on top of each other: all at a time, which takes less time than one after another.
    ///
    /// `input` holds `frames` frames of the first layer. Each layer has a cell state in `cell`, and in `hidden` room for the
    /// frame before and at least `frames` new ones.
    ///
    /// # Panics
    ///
    /// If the lengths do not agree, or the layers are not of one size and instruction set, each with the hidden values of
    /// the one below as inputs.
    pub fn run_stack(
        layers: &[Lstm],
        input: &[f32],
        frames: usize,
        hidden: &mut [AlignedBuf],
        cell: &mut [AlignedBuf],
    ) {
        let Some(first) = layers.first() else { return };
        let Packed { inputs, columns, stride, .. } = first.packed;
        assert!(input.len() == frames * inputs && hidden.len() == layers.len() && cell.len() == layers.len());
        assert!(layers.iter().all(|layer| layer.isa == first.isa && layer.packed.stride == stride));
        assert!(
            layers[1..].iter().all(|layer| layer.packed.inputs <= stride && layer.packed.columns == columns)
        );
        assert!(hidden.iter().all(|hidden| hidden.len() >= (frames + 1) * stride));
        assert!(cell.iter().all(|cell| cell.len() == stride));
        match (hidden, cell) {
            ([hidden], [cell]) => first.run(input, inputs, &mut hidden[..(frames + 1) * stride], cell),
            (hidden, cell) if frames > 0 => kernel::stack(first.isa, layers, input, frames, hidden, cell),
            _ => {}
        }
    }
}

/// Units whose gates are computed together: two or three vectors where all units are whole groups of so many, otherwise
/// one, and four lanes in the portable code.
fn group_units(stride: usize, isa: Isa) -> usize {
    let lanes = isa.lanes::<f32>();
    match (lanes, stride / lanes) {
        (1, _) => 4,
        (_, vectors) if vectors % 2 == 0 => 2 * lanes,
        (16, 3) => 3 * lanes,
        _ => lanes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(n: usize, seed: u32) -> Vec<f32> {
        (0..n).map(|i| ((i as f32 + 1.0) * 1.7 + seed as f32 * 0.9).sin()).collect()
    }

    fn sigmoid(x: f64) -> f64 {
        1.0 / (1.0 + (-x).exp())
    }

    /// The recurrence in double precision; hidden values of every frame.
    fn reference(inputs: usize, units: usize, weight: &[f32], bias: &[f32], x: &[f32]) -> Vec<f64> {
        let (mut h, mut c) = (vec![0.0; units], vec![0.0; units]);
        let mut all = Vec::new();
        for frame in x.chunks(inputs) {
            let column: Vec<f64> = frame.iter().map(|&v| f64::from(v)).chain(h.iter().copied()).collect();
            let gate = |gate: usize, unit: usize| -> f64 {
                let row = &weight[(gate * units + unit) * column.len()..];
                let sum: f64 = row.iter().zip(&column).map(|(&w, v)| f64::from(w) * v).sum();
                sum + f64::from(bias[gate * units + unit])
            };
            let gates: Vec<[f64; 4]> = (0..units).map(|u| std::array::from_fn(|g| gate(g, u))).collect();
            for (u, [i, f, g, o]) in gates.into_iter().enumerate() {
                c[u] = sigmoid(f) * c[u] + sigmoid(i) * g.tanh();
                h[u] = sigmoid(o) * c[u].tanh();
            }
            all.extend_from_slice(&h);
        }
        all
    }

    #[test]
    fn every_size_and_instruction_set_follows_the_recurrence() {
        for isa in Isa::available() {
            for (inputs, units) in [(1, 1), (1, 3), (2, 8), (1, 16), (16, 16), (5, 17), (3, 40)] {
                let weight = values(4 * units * (inputs + units), 1);
                let weight: Vec<f32> = weight.iter().map(|w| w / (units as f32).sqrt()).collect();
                let bias = values(4 * units, 2);
                let x = values(50 * inputs, 3);
                let lstm = Lstm::new(inputs, units, &weight, &bias, isa).unwrap();
                let stride = frame_stride(units, isa);
                let expected = reference(inputs, units, &weight, &bias, &x);

                let mut whole = vec![0.0; 51 * stride];
                lstm.run(&x, inputs, &mut whole, &mut vec![0.0; stride]);
                for (frame, expected) in whole[stride..].chunks(stride).zip(expected.chunks(units)) {
                    for (&got, expected) in frame.iter().zip(expected) {
                        assert!((f64::from(got) - expected).abs() < 3e-6, "{} {units}: {got}", isa.name());
                    }
                    assert!(frame[units..].iter().all(|&v| v == 0.0), "the padding stays zero");
                }

                let mut hidden = vec![0.0; 2 * stride];
                let mut cell = vec![0.0; stride];
                for (x, whole) in x.chunks(inputs).zip(whole[stride..].chunks(stride)) {
                    lstm.run(x, inputs, &mut hidden, &mut cell);
                    assert_eq!(&hidden[stride..], whole, "one frame at a time gives the same bits");
                    hidden.copy_within(stride.., 0);
                }
            }
        }
    }

    #[test]
    fn an_open_cell_is_tanh_within_5e_7() {
        for isa in Isa::available() {
            let (weight, bias) = ([0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0], [40.0, -40.0, 0.0, 40.0]);
            let lstm = Lstm::new(1, 1, &weight, &bias, isa).unwrap();
            let (mut hidden, mut cell) = (vec![0.0; 2 * lstm.stride()], vec![0.0; lstm.stride()]);
            for x in (-96_000..=96_000).map(|i| i as f32 / 8000.0) {
                lstm.run(&[x], 1, &mut hidden, &mut cell);
                let expected = f64::from(x).tanh();
                assert!((f64::from(cell[0]) - expected).abs() < 5e-7, "{} {x}: {}", isa.name(), cell[0]);
                let next = f64::from(hidden[lstm.stride()]) - f64::from(cell[0]).tanh();
                assert!(next.abs() < 7e-7, "{} {x}: {next}", isa.name());
            }
            cell.fill(0.0);
            lstm.run(&[0.0], 1, &mut hidden, &mut cell);
            assert_eq!(cell[0].abs(), 0.0, "{}: what is silent stays so, to the last bit", isa.name());
        }
    }

    #[test]
    fn layers_side_by_side_give_the_bits_of_one_after_another() {
        for isa in Isa::available() {
            for (count, units) in [(2, 3), (2, 8), (3, 12), (2, 16), (2, 24)] {
                let layer = |i: usize| {
                    let inputs = if i == 0 { 2 } else { units };
                    let weight = values(4 * units * (inputs + units), i as u32);
                    let weight: Vec<f32> = weight.iter().map(|w| w / (units as f32).sqrt()).collect();
                    Lstm::new(inputs, units, &weight, &values(4 * units, 7), isa).unwrap()
                };
                let layers: Vec<Lstm> = (0..count).map(layer).collect();
                let (stride, frames, x) = (frame_stride(units, isa), 20, values(40, 3));
                let room = |values| vec![AlignedBuf::zeroed(values); count];
                let (mut hidden, mut cell) = (room(21 * stride), room(stride));
                Lstm::run_stack(&layers, &x, frames, &mut hidden, &mut cell);
                let mut below = (x, 2);
                for (layer, hidden) in layers.iter().zip(&hidden) {
                    let mut own = vec![0.0; 21 * stride];
                    layer.run(&below.0, below.1, &mut own, &mut vec![0.0; stride]);
                    assert_eq!(own, hidden[..], "{} {count} layers of {units}", isa.name());
                    below = (own[stride..].to_vec(), stride);
                }
            }
        }
    }

    #[test]
    fn the_state_survives_what_is_not_a_number() {
        for isa in Isa::available() {
            let lstm = Lstm::new(1, 3, &values(48, 1), &values(12, 2), isa).unwrap();
            let mut hidden = vec![0.0; 5 * lstm.stride()];
            let mut cell = vec![0.0; lstm.stride()];
            lstm.run(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX], 1, &mut hidden, &mut cell);
            assert!(hidden.iter().chain(&cell).all(|v| v.is_finite()), "{}", isa.name());
        }
    }

    #[test]
    fn lengths_that_do_not_agree_are_refused() {
        let refusal = |weight: usize, bias: usize| {
            Lstm::new(2, 3, &vec![0.0; weight], &vec![0.0; bias], Isa::Scalar).unwrap_err()
        };
        assert_eq!(refusal(59, 12), Error::Length { name: "weight", expected: 60, got: 59 });
        assert_eq!(refusal(60, 11), Error::Length { name: "bias", expected: 12, got: 11 });
        assert_eq!(Lstm::new(1, 0, &[], &[], Isa::Scalar).unwrap_err(), Error::Channels { got: 0 });
    }
}
