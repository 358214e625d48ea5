//! The Fourier transform of several frames at once, one frame to a SIMD lane.
//!
//! Frames of a spectrogram are independent, so the cheapest way to use a wide register is to put as many frames side by
//! side as it has lanes: the transform then needs no shuffles, except to bring samples in. A real transform of `n_fft`
//! samples is a complex one of half the length (Sorensen et al., "Real-valued fast Fourier transform algorithms", IEEE
//! Trans. ASSP 35, 1987), done in two passes of unrolled codelets (`roots`, `butterfly`, `codelet`). Splitting its result
//! into the two halves of the spectrum is fused with the squared magnitude (`split`) and with the mel filterbank (`bands`).
//! `phases` brings frames in, `overlap` takes them out by overlap-add. `transform::lane_fft` plans all of it.
//!
//! Every lane does the same arithmetic whatever its neighbours hold, and every operation is rounded in the same way on
//! every instruction set. So a frame has one result, bit for bit: alone or in a batch, in any lane, on any machine.

pub(crate) mod bands;
mod butterfly;
pub(crate) mod codelet;
pub(crate) mod overlap;
pub(crate) mod phases;
pub(crate) mod roots;
pub(crate) mod split;
