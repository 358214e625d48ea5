//! Kernels to train with: a convolution, its two gradients, and activations with their derivatives.
//!
//! Signals lie channel by channel: a [`Rows`] is some channels of the same stretch of time, each contiguous, so that
//! vectors run along time whatever the number of channels. Convolutions read only what is there, so a result is
//! `(taps - 1) * dilation` samples shorter than its input. [`Convolution`] serves forward and, with its taps turned round,
//! for the gradient over the input; [`WeightGradient`] is the gradient over the weights.
//!
//! Everything exists in `f32`, to train with, and in `f64`, to check it against. Sums run in an order that depends on
//! the instruction set alone, so that the same call gives the same bits.

mod activation;
mod convolution;
mod element;
mod gradient;
mod rows;

pub use activation::Activation;
pub use convolution::{Convolution, Start};
pub use element::Element;
pub use gradient::WeightGradient;
pub use rows::{Rows, RowsMut};

use neurdsp_simd::Isa;

/// Lengths in time are multiples of this many samples: a whole number of vectors of every instruction set.
pub const BLOCK: usize = 32;

/// `to = a * b`, value by value.
///
/// # Panics
///
/// If the lengths differ.
pub fn multiply<T: Element>(a: &[T], b: &[T], to: &mut [T], isa: Isa) {
    assert!(a.len() == to.len() && b.len() == to.len());
    T::multiply(isa, a, b, to);
}

/// `to += a`, value by value.
///
/// # Panics
///
/// If the lengths differ.
pub fn accumulate<T: Element>(a: &[T], to: &mut [T], isa: Isa) {
    assert_eq!(a.len(), to.len());
    T::accumulate(isa, a, to);
}

#[cfg(test)]
mod tests;
