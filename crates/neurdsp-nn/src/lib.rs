//! Neural network kernels for streaming inference, and in [`train`] those to train with. No audio here.
//!
//! Convolutional layers come in two shapes, since neither is the faster for all sizes:
//!
//! - Vectors along time, in [`planar`]: signals are rows of frames, one a channel. No number of channels wastes lanes, and
//!   every layer of the `.nam` format can be put together from its parts.
//! - Vectors across channels: a frame is the `channels` values of one instant, padded with zeros to a stride that fills
//!   whole vectors (see [`frame_stride`]). [`FrameRing`] keeps the past frames of a layer so that any window of it is
//!   contiguous; [`ResidualConv1d`] is a causal dilated convolution over such a ring with its bias, activation and residual
//!   fused; [`Expand`] and [`Reduce`] go between one signal and many channels. Where channels fill whole vectors the past
//!   lies closer together, which counts once it no longer fits the cache.
//!
//! [`Lstm`] is a recurrent layer, its units across the lanes.
//!
//! Everything is allocated at construction. What runs afterwards neither allocates nor fails, and computes each frame by
//! the same operations in the same order whatever the number of frames in a call, so that results do not depend on how a
//! signal is cut into blocks, to the bit.

mod conv1d;
mod error;
mod lstm;
pub mod planar;
mod pointwise;
mod ring;
pub mod train;

pub use conv1d::ResidualConv1d;
pub use error::Error;
pub use lstm::Lstm;
pub use pointwise::{Expand, Reduce};
pub use ring::FrameRing;

use neurdsp_simd::Isa;

/// Frames that one call of a kernel handles at most; longer signals are cut.
pub const MAX_FRAMES: usize = 64;

/// Most channels that a layer may have.
pub const MAX_CHANNELS: usize = 1024;

/// How far apart frames of `channels` values lie: `channels` rounded up to whole vectors of `isa`, and to four.
///
/// # Examples
///
/// ```
/// use neurdsp_simd::Isa;
///
/// assert_eq!(neurdsp_nn::frame_stride(18, Isa::Scalar), 20);
/// ```
#[must_use]
pub fn frame_stride(channels: usize, isa: Isa) -> usize {
    channels.next_multiple_of(lanes(isa).max(4))
}

/// Most frames that a layer may remember.
pub(crate) const MAX_HISTORY: usize = 1 << 26;

/// Values in the widest `f32` vector of `isa`.
fn lanes(isa: Isa) -> usize {
    if isa.has_avx512() {
        16
    } else if isa.has_avx2() {
        8
    } else {
        1
    }
}

/// Refuses a number of channels that no layer can have.
fn check_channels(channels: usize) -> Result<(), Error> {
    if (1..=MAX_CHANNELS).contains(&channels) { Ok(()) } else { Err(Error::Channels { got: channels }) }
}

/// Refuses a parameter of the wrong length.
fn check_len(name: &'static str, got: usize, expected: usize) -> Result<(), Error> {
    if got == expected { Ok(()) } else { Err(Error::Length { name, expected, got }) }
}
