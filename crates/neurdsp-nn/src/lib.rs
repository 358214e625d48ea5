//! Neural network kernels for streaming inference. No audio here.
//!
//! Convolutional layers are in [`planar`]: signals are rows of frames, and vectors run along time.
//!
//! Everything is allocated at construction. What runs afterwards neither allocates nor fails, and computes each frame by
//! the same operations in the same order whatever the number of frames in a call, so that results do not depend on how a
//! signal is cut into blocks, to the bit.

mod error;
pub mod planar;

pub use error::Error;

use neurdsp_simd::Isa;

/// Frames that one call of a kernel handles at most; longer signals are cut.
pub const MAX_FRAMES: usize = 64;

/// Most channels that a layer may have.
pub const MAX_CHANNELS: usize = 1024;

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
