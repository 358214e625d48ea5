//! The Fourier transform of several frames at once: the seam between the plans and the kernels.
//!
//! A plan asks for the fastest [`Analysis`] or [`Synthesis`] of its length and never knows which one it got. A transform
//! works on *blocks*: `lanes` frames side by side, so that row `bin` of its result holds one value for each frame and all
//! later stages (filterbank, logarithm, stores) work on whole registers. Each lane is computed on its own, so that a
//! frame's result does not depend on its neighbours: that keeps threads, batches and streams bit-identical.

mod any_length;
mod fastest;
mod lane_blocks;
mod lane_fft;
mod magnitude;
mod seam;

pub(crate) use fastest::{fastest_analysis, fastest_synthesis};
pub use magnitude::Magnitude;
pub use seam::{Analysis, BandPlan, Synthesis, TransformScratch};
