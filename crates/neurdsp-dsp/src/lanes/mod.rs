//! The Fourier transform of several frames at once, one frame to a SIMD lane.
//!
//! Frames of a spectrogram are independent, so the cheapest way to use a wide register is to put as many frames side by
//! side as it has lanes: the transform then needs no shuffle at all, only those that bring samples in. A real transform of
//! `n_fft` samples is a complex one of half the length (Sorensen et al., "Real-valued fast Fourier transform algorithms",
//! IEEE Trans. ASSP 35, 1987), done in two passes of unrolled codelets (`roots`, `butterfly`, `codelet`), and the split of
//! its result into the two halves of the spectrum is fused with the squared magnitude (`split`).
//!
//! Every lane does the same arithmetic whatever its neighbours hold, and every operation is rounded in the same way on
//! every instruction set. So a frame has one result, bit for bit: alone or in a batch, in any lane, on any machine.
//!
//! [`LaneFft::new`] knows the lengths whose half is a product of two codelets (among them 256, 320, 400, 480, 512, 640,
//! 800, 960, 1024, 1200, 1280, 1920, 2048, 2400, 4096) and says `None` to all others.

mod butterfly;
mod codelet;
mod overlap;
mod phases;
mod plan;
mod real;
mod roots;
mod split;

pub(crate) use plan::{LaneFft, Shares};
pub(crate) use real::LaneReal;
