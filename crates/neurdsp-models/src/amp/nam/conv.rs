//! The two parts that all convolutional networks of the format are made of: a convolution, and a modulation by the condition.

use super::bounds::Totals;
use super::visit::Visitor;
use crate::error::{Error, Result};

/// A causal dilated convolution, grouped or not.
///
/// `y[o][t] = bias[o] + Σ weight[o][i][k] · x[i][t − (kernel_size − 1 − k) · dilation]` over the inputs `i` of the group
/// that `o` belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct Conv {
    /// Input channels.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// Taps; the last is the current sample.
    pub kernel_size: usize,
    /// Samples between two taps.
    pub dilation: usize,
    /// Groups; they divide `inputs` and `outputs`.
    pub groups: usize,
    /// `[outputs][inputs / groups][kernel_size]`, row-major, as in PyTorch.
    pub weight: Vec<f32>,
    /// `[outputs]`, if there is a bias.
    pub bias: Option<Vec<f32>>,
}

impl Conv {
    /// A convolution without values yet, after checking that the groups divide the channels.
    pub(super) fn shaped(
        path: &str,
        (inputs, outputs): (usize, usize),
        (kernel_size, dilation): (usize, usize),
        groups: usize,
        bias: bool,
    ) -> Result<Conv> {
        if !inputs.is_multiple_of(groups) || !outputs.is_multiple_of(groups) {
            return Err(Error::OutOfRange {
                name: format!("the number of groups of {path}"),
                got: groups.to_string(),
                expected: format!("a divisor of its {inputs} inputs and {outputs} outputs"),
            });
        }
        let bias = bias.then(Vec::new);
        Ok(Conv { inputs, outputs, kernel_size, dilation, groups, weight: Vec::new(), bias })
    }

    /// Samples before the current one that it reads.
    pub fn history(&self) -> usize {
        (self.kernel_size - 1) * self.dilation
    }

    /// The weights with groups expanded: `[outputs][inputs][kernel_size]`, zero between groups.
    ///
    /// # Example
    /// ```
    /// use neurdsp_models::amp::nam::Conv;
    /// let conv = Conv {
    ///     inputs: 2, outputs: 2, kernel_size: 1, dilation: 1, groups: 2, weight: vec![3.0, 4.0], bias: None,
    /// };
    /// assert_eq!(conv.dense_weight(), [3.0, 0.0, 0.0, 4.0]);
    /// ```
    pub fn dense_weight(&self) -> Vec<f32> {
        let (rows, columns) = (self.outputs / self.groups, self.inputs / self.groups);
        let mut dense = vec![0.0; self.outputs * self.inputs * self.kernel_size];
        let row_length = self.inputs * self.kernel_size;
        let filled = columns * self.kernel_size;
        for (output, row) in self.weight.chunks_exact(filled.max(1)).enumerate() {
            let start = output * row_length + output / rows * filled;
            dense[start..start + filled].copy_from_slice(row);
        }
        dense
    }

    /// The bias, or zeros if there is none: `[outputs]`.
    pub fn dense_bias(&self) -> Vec<f32> {
        self.bias.clone().unwrap_or_else(|| vec![0.0; self.outputs])
    }

    /// The convolution cut to its first `inputs` and `outputs`; it must have one group.
    pub(super) fn slim(&self, path: &str, inputs: usize, outputs: usize) -> Result<Conv> {
        if self.groups != 1 {
            return Err(Error::Unsupported {
                what: format!("{path} with {} groups in a slimmable model", self.groups),
                reason: "only convolutions of one group can be slimmed; load the model at size 1".to_owned(),
            });
        }
        if inputs > self.inputs || outputs > self.outputs {
            return Err(Error::OutOfRange {
                name: format!("the slimmed shape of {path}"),
                got: format!("{outputs} × {inputs}"),
                expected: format!("at most {} × {}, its full shape", self.outputs, self.inputs),
            });
        }
        let row = self.inputs * self.kernel_size;
        let kept = inputs * self.kernel_size;
        let weight =
            self.weight.chunks_exact(row).take(outputs).flat_map(|row| &row[..kept]).copied().collect();
        let bias = self.bias.as_ref().map(|bias| bias[..outputs].to_vec());
        Ok(Conv { inputs, outputs, weight, bias, ..*self })
    }

    pub(super) fn add_to(&self, totals: &mut Totals) {
        totals.add(self.inputs, self.outputs, self.kernel_size, self.dilation);
    }

    pub(super) fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.values(&mut self.weight, self.outputs * (self.inputs / self.groups) * self.kernel_size);
        if let Some(bias) = &mut self.bias {
            visitor.values(bias, self.outputs);
        }
    }
}

/// A modulation of `width` channels by the condition: `y = x · scale + shift`, both linear in the condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Film {
    /// Kernel 1, with bias, from the condition to `width` scales and then, if `shift`, `width` shifts.
    pub conv: Conv,
    /// Whether it shifts as well as scales.
    pub shift: bool,
}

impl Film {
    /// The number of channels that it modulates.
    pub fn width(&self) -> usize {
        if self.shift { self.conv.outputs / 2 } else { self.conv.outputs }
    }

    /// The modulation of the first `width` channels. The rows are cut as one block, as NAM Core does.
    pub(super) fn slim(&self, path: &str, width: usize) -> Result<Film> {
        let outputs = if self.shift { 2 * width } else { width };
        Ok(Film { conv: self.conv.slim(path, self.conv.inputs, outputs)?, shift: self.shift })
    }
}
