//! Taking weights out of the tensors of a file, in single precision or as integers with scales.

use neurdsp_nn::dense::Dense;
use neurdsp_nn::int8::{Int8Dense, Int8Lstm, Rows};
use neurdsp_nn::{Lstm, frame_stride};
use neurdsp_simd::Isa;

use super::layers::{Linear, Recurrent};
use crate::container::tensor::{Tensors, expect_floats, expect_tensor};
use crate::container::values::Values;
use crate::error::{Error, Result};

/// What is appended to the name of a matrix for the scales of its rows.
pub(super) const SCALE: &str = "_scale";

/// The tensors of a file, and how their matrices are stored.
pub(super) struct Source<'a> {
    pub(super) tensors: &'a Tensors,
    /// Whether matrices are integers.
    pub(super) int8: bool,
    pub(super) isa: Isa,
}

/// A matrix, row-major.
enum Matrix {
    Floats(Vec<f32>),
    Integers(Vec<i8>, Vec<f32>),
}

impl Matrix {
    /// Puts the rows of another matrix below; both are stored alike.
    fn stack(self, other: Matrix) -> Matrix {
        match (self, other) {
            (Matrix::Floats(mut a), Matrix::Floats(b)) => {
                a.extend(b);
                Matrix::Floats(a)
            }
            (Matrix::Integers(mut a, mut scales), Matrix::Integers(b, more)) => {
                a.extend(b);
                scales.extend(more);
                Matrix::Integers(a, scales)
            }
            // `Source::matrix` gives one kind only.
            (a, _) => a,
        }
    }
}

impl Source<'_> {
    /// The values of a tensor in floating point.
    pub(super) fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        expect_floats(self.tensors, name, shape).map(|values| values.into_owned())
    }

    /// A table of rows that are looked up, which may be integers with scales.
    pub(super) fn table(&self, name: &str, rows: usize, width: usize) -> Result<Vec<f32>> {
        let tensor = expect_tensor(self.tensors, name, &[rows, width])?;
        let Values::I8(integers) = &tensor.data else { return self.floats(name, &[rows, width]) };
        let scales = self.scales(name, rows)?;
        let rows = integers.chunks_exact(width).zip(scales);
        Ok(rows.flat_map(|(row, scale)| row.iter().map(move |value| scale * f32::from(*value))).collect())
    }

    /// A layer `NAME.weight`, with `NAME.bias` if it `has_bias`.
    pub(super) fn linear(&self, name: &str, outputs: usize, inputs: usize, has_bias: bool) -> Result<Linear> {
        let matrix = self.matrix(&format!("{name}.weight"), outputs, inputs)?;
        let bias =
            if has_bias { self.floats(&format!("{name}.bias"), &[outputs])? } else { vec![0.0; outputs] };
        self.layer(matrix, &bias, inputs)
    }

    /// Layers of the same inputs as one, whose outputs follow each other.
    pub(super) fn stacked(&self, names: &[String], outputs: usize, inputs: usize) -> Result<Linear> {
        let (mut all, mut bias) = (None, Vec::new());
        for name in names {
            let matrix = self.matrix(&format!("{name}.weight"), outputs, inputs)?;
            all = Some(match all {
                None => matrix,
                Some(above) => Matrix::stack(above, matrix),
            });
            bias.extend(self.floats(&format!("{name}.bias"), &[outputs])?);
        }
        self.layer(all.unwrap_or(Matrix::Floats(Vec::new())), &bias, inputs)
    }

    /// An LSTM layer, by the names of torch.
    pub(super) fn lstm(&self, name: &str, inputs: usize, units: usize) -> Result<Recurrent> {
        let gates = 4 * units;
        let from_input = self.matrix(&format!("{name}.weight_ih_l0"), gates, inputs)?;
        let from_hidden = self.matrix(&format!("{name}.weight_hh_l0"), gates, units)?;
        let mut bias = self.floats(&format!("{name}.bias_ih_l0"), &[gates])?;
        let more = self.floats(&format!("{name}.bias_hh_l0"), &[gates])?;
        bias.iter_mut().zip(more).for_each(|(bias, more)| *bias += more);
        Ok(match (from_input, from_hidden) {
            (Matrix::Integers(a, scales_a), Matrix::Integers(b, scales_b)) => {
                let (a, b) = (Rows { weight: &a, scales: &scales_a }, Rows { weight: &b, scales: &scales_b });
                Recurrent::Int8(Int8Lstm::new(inputs, units, a, b, &bias, self.isa)?)
            }
            (Matrix::Floats(a), Matrix::Floats(b)) => {
                let rows = a.chunks_exact(inputs).zip(b.chunks_exact(units));
                let weight: Vec<f32> = rows.flat_map(|(a, b)| [a, b].concat()).collect();
                let stride = frame_stride(units, self.isa);
                Recurrent::Float(Lstm::new(inputs, units, &weight, &bias, self.isa)?, stride)
            }
            // `Source::matrix` gives one kind only.
            _ => return Err(Error::malformed(name, "its matrices are stored in different ways")),
        })
    }

    fn layer(&self, matrix: Matrix, bias: &[f32], inputs: usize) -> Result<Linear> {
        Ok(match matrix {
            Matrix::Floats(weight) => Linear::Float(Dense::new(&weight, bias, inputs, self.isa)?),
            Matrix::Integers(weight, scales) => {
                Linear::Int8(Int8Dense::new(&weight, &scales, bias, inputs, self.isa)?)
            }
        })
    }

    /// A matrix as the file stores all of them.
    fn matrix(&self, name: &str, rows: usize, columns: usize) -> Result<Matrix> {
        if !self.int8 {
            return Ok(Matrix::Floats(self.floats(name, &[rows, columns])?));
        }
        let tensor = expect_tensor(self.tensors, name, &[rows, columns])?;
        match &tensor.data {
            Values::I8(integers) => Ok(Matrix::Integers(integers.clone(), self.scales(name, rows)?)),
            _ => Err(Error::TensorType {
                name: name.to_owned(),
                dtype: tensor.dtype().name().to_owned(),
                expected: "I8, as other matrices of the file",
            }),
        }
    }

    fn scales(&self, name: &str, rows: usize) -> Result<Vec<f32>> {
        self.floats(&format!("{name}{SCALE}"), &[rows])
    }
}
