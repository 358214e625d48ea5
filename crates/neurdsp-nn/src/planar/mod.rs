//! Layers whose vectors run along time: every channel is a row of consecutive frames.
//!
//! A block is at most [`MAX_FRAMES`](crate::MAX_FRAMES) frames. [`PlanarBlock`] holds one block, [`PlanarRing`] a block and
//! the past before it; both hand out [`Rows`]. [`Affine`] is every linear layer (a dilated convolution, grouped or not,
//! with a second input and a base that the result is added to), [`Activation`] every activation function; [`modulate`],
//! [`multiply`], [`blend`] and [`accumulate`] join rows. [`PlainLayer`] is a whole layer of few channels in one pass.
//!
//! Since a vector holds frames of one channel, no channel count wastes lanes, and weights are broadcast from memory. A
//! block that does not fill whole vectors is computed beyond its end; values there are never read as frames. Each frame
//! is computed by the same operations in the same order wherever it lies in a block, so that results do not depend on how
//! a signal is cut, to the bit.

mod activation;
mod affine;
mod elementwise;
mod plain;
mod ring;
mod rows;

pub use crate::activation::Activation;
pub use affine::{Affine, AffineShape, Base, Input};
pub use elementwise::{accumulate, blend, modulate, multiply};
pub use plain::{PlainLayer, PlainWeights};
pub use ring::PlanarRing;
pub use rows::{PlanarBlock, Rows, RowsMut};
