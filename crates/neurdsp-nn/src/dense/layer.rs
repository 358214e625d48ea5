//! A matrix and a bias, for rows.

use super::padded;
use super::product::{Bias, MAX_COLUMNS, Matrix, Size, Target, multiply};
use crate::error::{Error, check_len};
use neurdsp_simd::{AlignedBuf, Isa};

/// Most inputs or outputs of a layer.
const MAX_VALUES: usize = 1 << 20;

/// `y = W x + b` for each row; shared by any number of streams.
///
/// # Examples
///
/// ```
/// use neurdsp_nn::dense::Dense;
/// use neurdsp_simd::Isa;
///
/// let layer = Dense::new(&[1.0, 2.0, 3.0, 4.0], &[0.5, 0.0], 2, Isa::detect())?;
/// let mut y = vec![0.0; layer.stride()];
/// layer.run(&[1.0, 10.0], 2, &mut y, 16, 1, false);
/// assert_eq!(y[..3], [21.5, 43.0, 0.0]);
/// # Ok::<(), neurdsp_nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dense {
    /// For each tile of columns its weights, `[inputs][columns]`.
    weights: AlignedBuf,
    bias: AlignedBuf,
    inputs: usize,
    exact: bool,
    isa: Isa,
}

impl Dense {
    /// A layer with `weight`, `[outputs][inputs]` row-major, and `bias`, `[outputs]`.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if the weights are not so many, [`Error::Channels`] for no inputs or no outputs, or too many.
    pub fn new(weight: &[f32], bias: &[f32], inputs: usize, isa: Isa) -> Result<Dense, Error> {
        let outputs = bias.len();
        for got in [inputs, outputs] {
            if !(1..=MAX_VALUES).contains(&got) {
                return Err(Error::Channels { got });
            }
        }
        check_len("weight", weight.len(), outputs * inputs)?;
        let stride = padded(outputs);
        let (mut packed, mut packed_bias) = (AlignedBuf::zeroed(stride * inputs), AlignedBuf::zeroed(stride));
        packed_bias[..outputs].copy_from_slice(bias);
        for (output, row) in weight.chunks_exact(inputs).enumerate() {
            let first = output / MAX_COLUMNS * MAX_COLUMNS;
            let columns = (stride - first).min(MAX_COLUMNS);
            let tile = &mut packed[first * inputs..][..columns * inputs];
            for (to, value) in tile[output - first..].iter_mut().step_by(columns).zip(row) {
                *to = *value;
            }
        }
        Ok(Dense { weights: packed, bias: packed_bias, inputs, exact: false, isa })
    }

    /// The same layer with products that are rounded before they are added: the same bits on every processor, at half the
    /// speed.
    #[must_use]
    pub fn exact(self) -> Dense {
        Dense { exact: true, ..self }
    }

    /// Values of an output row: [`padded`] outputs. Those beyond the outputs are zero.
    #[must_use]
    pub fn stride(&self) -> usize {
        self.bias.len()
    }

    /// Maps `rows` rows of `from`, `from_step` values apart, to rows of `to`, and adds them to what is there if `adds`.
    ///
    /// # Panics
    ///
    /// If a slice is too short.
    pub fn run(
        &self,
        from: &[f32],
        from_step: usize,
        to: &mut [f32],
        to_step: usize,
        rows: usize,
        adds: bool,
    ) {
        for first in (0..self.stride()).step_by(MAX_COLUMNS) {
            let columns = (self.stride() - first).min(MAX_COLUMNS);
            let size = Size { rows, inputs: self.inputs, columns, exact: self.exact };
            let b = Matrix { data: &self.weights[first * self.inputs..], step: columns };
            let a = Matrix { data: from, step: from_step };
            let bias = Bias::Columns(&self.bias[first..]);
            multiply(self.isa, size, a, b, bias, &mut Target { data: &mut to[first..], step: to_step, adds });
        }
    }
}
