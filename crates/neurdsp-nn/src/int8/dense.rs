//! A matrix of 8-bit integers and a bias, for a vector.

use super::product::{LANES, MAX_COLUMNS, Unit, multiply};
use super::row::Row;
use super::tile::{STEP, Tile};
use crate::dense::padded;
use crate::error::{Error, check_channels, check_len};
use neurdsp_simd::{AlignedBuf, Isa};

/// `y = W x + b`, where the rows of `W` are integers times a scale, and `x` is rounded to integers times a scale.
///
/// # Examples
///
/// ```
/// use neurdsp_nn::int8::Int8Dense;
/// use neurdsp_simd::Isa;
///
/// // Two rows of two weights, the second of which are halves.
/// let layer = Int8Dense::new(&[1, -2, 3, 4], &[1.0, 0.5], &[0.25, 0.0], 2, Isa::detect())?;
/// let (mut x, mut y) = ([0.0; 16], [0.0; 16]);
/// (x[0], x[1]) = (127.0, 10.0);
/// layer.run(&x, &mut y, false);
/// assert_eq!(y[..3], [107.25, 210.5, 0.0]);
/// # Ok::<(), neurdsp_nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Int8Dense {
    /// For each tile of outputs, `[inputs / 4][outputs][4]` bytes; four of them make the bits of a value.
    weights: AlignedBuf,
    offsets: Vec<i32>,
    scales: AlignedBuf,
    bias: AlignedBuf,
    inputs: usize,
    isa: Isa,
    unit: Unit,
}

impl Int8Dense {
    /// A layer with `weight`, `[outputs][inputs]` row-major, and `scales` and `bias`, `[outputs]` each.
    ///
    /// A weight of −128 counts as −127: with it, sums could differ between processors.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if they are not so many, [`Error::Channels`] for no inputs or no outputs, or too many.
    pub fn new(
        weight: &[i8],
        scales: &[f32],
        bias: &[f32],
        inputs: usize,
        isa: Isa,
    ) -> Result<Int8Dense, Error> {
        let unit = Unit::available(isa).pop().unwrap_or(Unit::Portable);
        Int8Dense::with_unit(weight, scales, bias, inputs, isa, unit)
    }

    /// As [`new`](Self::new), on a given unit.
    pub(super) fn with_unit(
        weight: &[i8],
        scales: &[f32],
        bias: &[f32],
        inputs: usize,
        isa: Isa,
        unit: Unit,
    ) -> Result<Int8Dense, Error> {
        let outputs = bias.len();
        check_channels(inputs)?;
        // Four gates of as many units as a layer may have.
        check_channels(outputs.div_ceil(4))?;
        check_len("weight", weight.len(), outputs * inputs)?;
        check_len("scale", scales.len(), outputs)?;
        let (stride, steps) = (padded(outputs), inputs.div_ceil(STEP));
        let mut bytes = vec![[0_u8; STEP]; stride * steps];
        let mut offsets = vec![0; stride];
        for (output, row) in weight.chunks_exact(inputs).enumerate() {
            let first = output / MAX_COLUMNS * MAX_COLUMNS;
            let columns = (stride - first).min(MAX_COLUMNS);
            for (input, weight) in row.iter().enumerate() {
                let weight = (*weight).max(-i8::MAX);
                let at = first * steps + input / STEP * columns + output - first;
                bytes[at][input % STEP] = weight as u8;
                offsets[output] -= 128 * i32::from(weight);
            }
        }
        let mut weights = AlignedBuf::zeroed(bytes.len());
        for (to, bytes) in weights.iter_mut().zip(bytes) {
            *to = f32::from_bits(u32::from_ne_bytes(bytes));
        }
        let row = |values: &[f32]| {
            let mut row = AlignedBuf::zeroed(stride);
            row[..outputs].copy_from_slice(values);
            row
        };
        Ok(Int8Dense { weights, offsets, scales: row(scales), bias: row(bias), inputs, isa, unit })
    }

    /// Values of an output row: [`padded`] outputs. Those beyond the outputs are zero.
    #[must_use]
    pub fn stride(&self) -> usize {
        self.bias.len()
    }

    /// Maps a vector, padded with zeros, to `to`, or adds the product to what is there if `adds`.
    ///
    /// # Panics
    ///
    /// If a slice is shorter than the inputs or the outputs are, [`padded`].
    pub fn run(&self, from: &[f32], to: &mut [f32], adds: bool) {
        let row = Row::new(self.isa, &from[..padded(self.inputs)]);
        let steps = self.inputs.div_ceil(STEP);
        let tiles = to[..self.stride()].chunks_mut(MAX_COLUMNS).enumerate();
        for (index, to) in tiles {
            let (first, columns) = (index * MAX_COLUMNS, to.len());
            let of = first..first + columns;
            let tile = Tile {
                weights: &self.weights[first * steps..][..columns * steps],
                offsets: &self.offsets[of.clone()],
                scales: &self.scales[of.clone()],
                bias: &self.bias[of],
            };
            multiply(self.unit, tile, &row, to, adds);
        }
    }
}

const _: () = assert!(MAX_COLUMNS.is_multiple_of(LANES) && LANES.is_multiple_of(STEP));
