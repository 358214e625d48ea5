//! What the processor offers: vectors, denormal control and threads.
//!
//! - Vectors: [`Vector`] and [`Lanes`] are the operations, [`Isa`] is the choice among instruction sets, [`dispatch!`] and
//!   [`kernels!`] make entry points, and [`math`], [`exp`] and [`ln`] are elementary functions. [`AlignedBuf`] holds their data.
//! - [`FlushDenormals`] treats denormals as zero for a scope.
//! - [`parallel`] runs threads for the length of one call.
//!
//! A kernel is written once, generic over [`Vector`], marked `#[inline(always)]`, and called from one entry point for each
//! instruction set. The entry points carry `#[target_feature]`; [`Isa::detect`] picks among them when an object is built,
//! so that a build for plain x86-64 is fast on newer processors too:
//!
//! ```
//! use neurdsp_simd::{Isa, dispatch};
//!
//! dispatch! {
//!     /// Doubles every sample.
//!     fn double(samples: &mut [f32]) = double_generic
//! }
//!
//! #[inline(always)]
//! unsafe fn double_generic<V: neurdsp_simd::Vector<f32>>(samples: &mut [f32]) {
//!     let mut blocks = samples.chunks_exact_mut(V::LANES);
//!     for block in &mut blocks {
//!         // SAFETY: a block holds `LANES` samples; the caller vouches for the instruction set.
//!         unsafe { V::load(block.as_ptr()).add(V::load(block.as_ptr())).store(block.as_mut_ptr()) }
//!     }
//!     for sample in blocks.into_remainder() {
//!         *sample += *sample;
//!     }
//! }
//!
//! let mut samples = [1.0f32, 2.0, 3.0];
//! double(Isa::detect(), &mut samples);
//! assert_eq!(samples, [2.0, 4.0, 6.0]);
//! ```

mod aligned;
mod denormals;
mod dispatch;
mod exp;
mod isa;
mod lanes;
mod log;
pub mod math;
pub mod parallel;
mod peak;
mod scalar;
mod team;
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;
#[cfg(target_arch = "x86_64")]
mod x86_lanes;

pub use aligned::AlignedBuf;
pub use denormals::FlushDenormals;
pub use exp::exp;
pub use isa::Isa;
pub use lanes::{Lanes, opaque, prefetch, store_fence};
pub use log::{ln, ln_of};
pub use peak::fma_burst;
pub use scalar::Scalar;
pub use team::Team;
pub use vector::{Real, Vector};
#[cfg(target_arch = "x86_64")]
pub use x86::{F32x8, F32x16, F64x4, F64x8};
