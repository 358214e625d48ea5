//! Kernels that give the same bits on every processor.
//!
//! A kick of a seed must be the same file wherever it is made. So nothing here calls a library of elementary functions,
//! whose last bits differ from system to system, and products and sums are rounded one by one, since not every processor
//! can fuse them: [`functions`] are single values in double precision, the others work on slices. [`Dense::exact`] is the
//! layer that goes with them.
//!
//! [`Dense::exact`]: crate::dense::Dense::exact

pub mod functions;
mod inverse;
mod noise;
mod slices;

pub use inverse::{InverseReal, InverseScratch};
pub use noise::{Envelope, counted, counted_spectra, mixed, split};
pub use slices::{Saturation, add_cosines, add_saturated, exp, silu};

#[cfg(test)]
mod tests;
