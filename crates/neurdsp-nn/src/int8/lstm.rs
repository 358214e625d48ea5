//! One LSTM layer whose weights are 8-bit integers, step by step.

use super::dense::Int8Dense;
use super::product::Unit;
use crate::dense::padded;
use crate::error::{Error, check_channels, check_len};
use crate::lstm::cell_step;
use neurdsp_simd::Isa;

/// The recurrence of [`Lstm`](crate::Lstm), with the input and the hidden values rounded to 8 bits before they are multiplied.
///
/// # Examples
///
/// ```
/// use neurdsp_nn::int8::{Int8Lstm, Rows};
/// use neurdsp_simd::Isa;
///
/// // One input, one unit; all gates are half open, and the cell takes tanh of the input.
/// let inputs = Rows { weight: &[0, 0, 127, 0], scales: &[1.0 / 127.0; 4] };
/// let hidden = Rows { weight: &[0; 4], scales: &[0.0; 4] };
/// let lstm = Int8Lstm::new(1, 1, inputs, hidden, &[0.0; 4], Isa::detect())?;
/// let (mut x, mut h, mut c) = ([0.0; 16], [0.0; 16], [0.0; 16]);
/// x[0] = 1.0;
/// lstm.step(&x, &mut h, &mut c, &mut vec![0.0; lstm.scratch()]);
/// assert!((c[0] - 0.5 * 1f32.tanh()).abs() < 1e-6);
/// # Ok::<(), neurdsp_nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Int8Lstm {
    from_input: Int8Dense,
    from_hidden: Int8Dense,
    stride: usize,
    isa: Isa,
}

/// Rows of integers, and the scale of each.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Row-major, from −127 to 127.
    pub weight: &'a [i8],
    /// One for each row.
    pub scales: &'a [f32],
}

impl Int8Lstm {
    /// A layer of `units` units with `inputs` inputs.
    ///
    /// # Parameters
    ///
    /// - `from_input`: `[4 · units][inputs]`, row-major, the gates in the order input, forget, cell, output
    /// - `from_hidden`: `[4 · units][units]`
    /// - `bias`: `[4 · units]`
    ///
    /// # Errors
    ///
    /// [`Error::Channels`] or [`Error::Length`] where a size is out of bounds or they do not agree.
    pub fn new(
        inputs: usize,
        units: usize,
        from_input: Rows<'_>,
        from_hidden: Rows<'_>,
        bias: &[f32],
        isa: Isa,
    ) -> Result<Int8Lstm, Error> {
        let unit = Unit::available(isa).pop().unwrap_or(Unit::Portable);
        Int8Lstm::with_unit([inputs, units], [from_input, from_hidden], bias, isa, unit)
    }

    /// As [`new`](Self::new), on a given unit.
    pub(super) fn with_unit(
        [inputs, units]: [usize; 2],
        [from_input, from_hidden]: [Rows<'_>; 2],
        bias: &[f32],
        isa: Isa,
        unit: Unit,
    ) -> Result<Int8Lstm, Error> {
        check_channels(inputs)?;
        check_channels(units)?;
        check_len("bias", bias.len(), 4 * units)?;
        let stride = padded(units);
        let layer = |rows: Rows<'_>, columns: usize, bias: &[f32]| {
            check_len("weight", rows.weight.len(), 4 * units * columns)?;
            check_len("scale", rows.scales.len(), 4 * units)?;
            // A gate begins with a whole register. Those that go through a sigmoid are halved, since σ(x) = ½ tanh(½ x) + ½.
            let weight = spread(rows.weight, units, columns, 0);
            let [mut scales, mut bias] = [rows.scales, bias].map(|values| spread(values, units, 1, 0.0));
            for gate in [0, 1, 3] {
                for values in [&mut scales, &mut bias] {
                    values[gate * stride..][..stride].iter_mut().for_each(|value| *value *= 0.5);
                }
            }
            Int8Dense::with_unit(&weight, &scales, &bias, columns, isa, unit)
        };
        let none = vec![0.0; bias.len()];
        Ok(Int8Lstm {
            from_input: layer(from_input, inputs, bias)?,
            from_hidden: layer(from_hidden, units, &none)?,
            stride,
            isa,
        })
    }

    /// Values of a hidden row: the units, [`padded`].
    #[must_use]
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Values of the scratch memory of [`step`](Self::step).
    #[must_use]
    pub fn scratch(&self) -> usize {
        4 * self.stride
    }

    /// Makes one step with a row of inputs, padded with zeros, in place: `hidden` and `cell` are a row each.
    ///
    /// # Panics
    ///
    /// If a slice is too short.
    pub fn step(&self, input: &[f32], hidden: &mut [f32], cell: &mut [f32], scratch: &mut [f32]) {
        let gates = &mut scratch[..4 * self.stride];
        self.from_input.run(input, gates, false);
        self.from_hidden.run(hidden, gates, true);
        cell_step(self.isa, gates, &mut cell[..self.stride], &mut hidden[..self.stride]);
    }
}

/// Four gates of `units` rows, each followed by rows of zeros up to a padded number.
fn spread<T: Copy>(values: &[T], units: usize, row: usize, zero: T) -> Vec<T> {
    let mut to = vec![zero; 4 * padded(units) * row];
    for (to, from) in to.chunks_exact_mut(padded(units) * row).zip(values.chunks_exact(units * row)) {
        to[..from.len()].copy_from_slice(from);
    }
    to
}
