//! A matrix that maps rows to rows.

use super::product::{Bias, MAX_COLUMNS, Matrix, Size, Target, multiply};
use crate::error::{Error, check_channels, check_len};
use neurdsp_simd::{AlignedBuf, Isa};

/// Row `o` of the output is `bias[o]` and the sum over `i` of `weight[o][i]` times row `i` of the input.
///
/// # Examples
///
/// ```
/// use neurdsp_nn::dense::Mixer;
/// use neurdsp_simd::Isa;
///
/// let mixer = Mixer::new(&[1.0, -1.0], None, 2, Isa::detect())?;
/// let mut y = [0.0; 16];
/// mixer.run(&[[3.0; 16], [1.0; 16]].concat(), &mut y, 16, false);
/// assert_eq!(y, [2.0; 16]);
/// # Ok::<(), neurdsp_nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mixer {
    weight: AlignedBuf,
    bias: Option<AlignedBuf>,
    inputs: usize,
    outputs: usize,
    isa: Isa,
}

impl Mixer {
    /// A layer with `weight`, `[outputs][inputs]` row-major, and `bias`, `[outputs]`, if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if the bias is not so long or the weights are not in whole rows, [`Error::Channels`] for no or too
    /// many inputs or outputs.
    pub fn new(weight: &[f32], bias: Option<&[f32]>, inputs: usize, isa: Isa) -> Result<Mixer, Error> {
        check_channels(inputs)?;
        let outputs = weight.len() / inputs;
        check_channels(outputs)?;
        check_len("weight", weight.len(), outputs * inputs)?;
        if let Some(bias) = bias {
            check_len("bias", bias.len(), outputs)?;
        }
        let (weight, bias) = (AlignedBuf::from_slice(weight), bias.map(AlignedBuf::from_slice));
        Ok(Mixer { weight, bias, inputs, outputs, isa })
    }

    /// Rows that are read.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Rows that are written.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Maps the rows of `from`, of `width` values each, to those of `to`, and adds them to what is there if `adds`.
    ///
    /// # Panics
    ///
    /// If `width` is not [`padded`](super::padded) or a slice is too short.
    pub fn run(&self, from: &[f32], to: &mut [f32], width: usize, adds: bool) {
        for first in (0..width).step_by(MAX_COLUMNS) {
            let columns = (width - first).min(MAX_COLUMNS);
            let size = Size { rows: self.outputs, inputs: self.inputs, columns, exact: false };
            let a = Matrix { data: &self.weight, step: self.inputs };
            let b = Matrix { data: &from[first..], step: width };
            let bias = self.bias.as_deref().map_or(Bias::None, Bias::Rows);
            multiply(self.isa, size, a, b, bias, &mut Target { data: &mut to[first..], step: width, adds });
        }
    }
}
