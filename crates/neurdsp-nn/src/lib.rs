//! Neural network kernels, for streaming inference and for training. No audio here.
//!
//! Convolutional layers come in two layouts, since neither is the faster for all sizes:
//!
//! - Vectors along time, in [`planar`]: signals are rows of frames, one for each channel. No number of channels wastes
//!   lanes, and every layer of the `.nam` format can be put together from its parts.
//! - Vectors across channels, in `frames`: [`FrameRing`], [`ResidualConv1d`], [`Expand`] and [`Reduce`]. Where channels
//!   fill whole vectors the past lies closer together, which counts once it no longer fits the cache.
//!
//! [`image`] has two-dimensional layers, and those of vocoders; [`exact`] has kernels that give the same bits everywhere.
//!
//! [`Lstm`] is a recurrent layer with its units across the lanes, [`dense`] has the layers of networks that see a frame of
//! a spectrum at a time, [`int8`] those of 8-bit integers, [`Activation`] names every activation function, and [`train`] holds the kernels for training.
//!
//! Everything is allocated at construction. What runs afterwards neither allocates nor fails, and computes each frame by
//! the same operations in the same order whatever the number of frames in a call, so that results do not depend on how a
//! signal is cut into blocks, to the bit.
//!
//! ```
//! use neurdsp_nn::Activation;
//! use neurdsp_nn::planar::{Affine, AffineShape, Base, Input, PlanarBlock, PlanarRing};
//! use neurdsp_simd::Isa;
//!
//! // One layer of a WaveNet, one channel: tanh(0.5 x[t - 2] + x[t]).
//! let (isa, shape) = (Isa::detect(), AffineShape { taps: 2, dilation: 2, ..AffineShape::pointwise(1, 1) });
//! let convolution = Affine::new(&shape, &[0.5, 1.0], &[], &[], isa)?;
//! let (mut past, mut output) = (PlanarRing::new(1, shape.history())?, PlanarBlock::new(1));
//! past.incoming().row_mut(0)[..3].copy_from_slice(&[1.0, 0.0, 0.5]);
//! past.commit(3);
//! convolution.run(Input::Ring(&past), None, Base::Zero, &mut output.rows_mut(), 3);
//! Activation::Tanh.run(isa, &mut output.rows_mut(), None, 3);
//! past.advance(3);
//! assert!((output.rows().row(0)[2] - 1f32.tanh()).abs() < 1e-6);
//! # Ok::<(), neurdsp_nn::Error>(())
//! ```

mod activation;
mod bounds;
pub mod dense;
mod error;
pub mod exact;
mod frames;
pub mod image;
pub mod int8;
mod lstm;
pub mod planar;
pub mod train;

pub use activation::Activation;
pub use bounds::{MAX_CHANNELS, MAX_FRAMES};
pub use error::Error;
pub use frames::{Expand, FrameRing, Reduce, ResidualConv1d, frame_stride};
pub use lstm::Lstm;
