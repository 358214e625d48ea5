//! Kernels for training: a convolution, its two gradients, and activation functions with their derivatives.
//!
//! Signals lie channel by channel: a [`Rows`] is some channels of the same stretch of time, each contiguous, so that
//! vectors run along time whatever the number of channels. Convolutions read no padding, so a result is
//! `(taps - 1) * dilation` samples shorter than its input. [`Convolution`] computes the forward pass and, with its taps
//! reversed, the gradient over the input; [`WeightGradient`] is the gradient over the weights. [`scan`] is a gated
//! recurrence, which runs along time and lays time first.
//!
//! Everything exists in `f32`, for training, and in `f64`, to check it against. Sums run in an order that depends on the
//! instruction set alone, so that the same call gives the same bits.

mod activation;
mod convolution;
mod elementwise;
mod gradient;
mod kernels;
mod rows;
mod scan;

pub use activation::Differentiable;
pub use convolution::{Convolution, Start};
pub use elementwise::{accumulate, multiply};
pub use gradient::WeightGradient;
pub use kernels::Element;
pub use rows::{BLOCK, Rows, RowsMut};
pub use scan::{scan, scan_backward};

#[cfg(test)]
mod tests;
