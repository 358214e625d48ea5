//! Layers of networks that see few and wide frames: products with large matrices, norms and gates.
//!
//! A frame is a row of values, padded with zeros to a [`padded`] length; any number of rows go through a layer together,
//! since the weights are read once for all of them. [`Dense`] is a matrix, and [`Mixer`] one from the left, which maps rows
//! to rows. [`RingAttention`] looks back at the last steps. [`RmsNorm`], [`LayerNorm`], [`gated_step`] and functions such as
//! [`silu`] and [`softmax`] go with them.
//!
//! Each row is computed by the same operations in the same order whatever the number of rows, so results do not depend on
//! how a signal is cut into blocks, to the bit.

mod attention;
mod elementwise;
mod gated;
mod layer;
mod mixer;
mod norm;
mod product;

pub use attention::RingAttention;
pub use elementwise::{gelu, power, relu, sigmoid, silu, softmax, softmax_row, tanh};
pub use gated::gated_step;
pub use layer::Dense;
pub use mixer::Mixer;
pub use norm::{LayerNorm, RmsNorm};

/// Rows are padded to a multiple of this many values.
const LANES: usize = 16;

/// The length of a row of `values` values: a whole number of the widest registers.
///
/// ```
/// assert_eq!([1, 16, 17].map(neurdsp_nn::dense::padded), [16, 16, 32]);
/// ```
#[must_use]
pub const fn padded(values: usize) -> usize {
    values.next_multiple_of(LANES)
}

#[cfg(test)]
mod tests;
