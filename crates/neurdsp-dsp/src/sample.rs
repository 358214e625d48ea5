//! The two sample types, `f32` and `f64`, as what a transform reads, computes in and writes.

use crate::error::{Error, Result};
use crate::kernels::{Float, Kernels};
use crate::transform::{self, Analysis, Synthesis};
use neurdsp_simd::{Isa, Real};
use realfft::FftNum;

/// `f32` or `f64`: the type that a transform computes in. Sealed.
pub trait Sample: Real + FftNum + Float + Input<Self> + Output<Self> {
    /// The nearest value of this type.
    fn of(value: f64) -> Self;
    /// Samples as they lie in memory.
    #[doc(hidden)]
    fn bytes(samples: &[Self]) -> &[u8];
    /// The samples, if this type is `f32`.
    #[doc(hidden)]
    fn from_singles(samples: &mut [f32]) -> Option<&mut [Self]>;
    /// The samples, if this type is `f64`.
    #[doc(hidden)]
    fn from_doubles(samples: &mut [f64]) -> Option<&mut [Self]>;
    // Not generic on purpose: a generic function is compiled anew in every crate that calls it, and realfft is large.
    /// The fastest analysis for this window, as long as the transform, and frames that are `stride` samples apart.
    #[doc(hidden)]
    fn analysis(window: &[f64], stride: usize) -> Box<dyn Analysis<Self>>;
    /// The fastest synthesis for this window, as long as the transform, and frames that are `stride` samples apart.
    #[doc(hidden)]
    fn synthesis(window: &[f64], stride: usize) -> Box<dyn Synthesis<Self>>;
}

/// A type that audio may come in, for a transform that computes in `T`. Sealed.
pub trait Input<T>: Real {
    /// The sample in the type of the computation.
    fn convert(self) -> T;
    /// The samples as they are, if they are of the type of the computation.
    fn direct(samples: &[Self]) -> Option<&[T]>;
    /// Whether no sample is NaN or beyond `limit` in magnitude.
    fn all_within(samples: &[Self], limit: f64) -> bool;
    /// The sample in double precision, as error messages show it.
    fn as_f64(self) -> f64 {
        self.to_f64()
    }
}

/// A type that results of a computation in `T` may be written in. Sealed.
pub trait Output<T>: Real {
    /// The largest finite value.
    const LARGEST: f64;
    /// The nearest value of this type.
    fn round_from(value: T) -> Self;
    /// The results as they are, if they are of the type of the computation.
    fn direct_mut(results: &mut [Self]) -> Option<&mut [T]>;
}

/// Whether results in `O` are of the type of the computation, `T`.
pub(crate) fn is_direct<T, O: Output<T>>() -> bool {
    O::direct_mut(&mut []).is_some()
}

macro_rules! sample {
    ($t:ty, $from_singles:expr, $from_doubles:expr) => {
        impl Sample for $t {
            #[inline(always)]
            fn of(value: f64) -> Self {
                Real::from_f64(value)
            }
            fn bytes(samples: &[Self]) -> &[u8] {
                bytemuck::cast_slice(samples)
            }
            #[inline(always)]
            fn from_singles(samples: &mut [f32]) -> Option<&mut [Self]> {
                $from_singles(samples)
            }
            #[inline(always)]
            fn from_doubles(samples: &mut [f64]) -> Option<&mut [Self]> {
                $from_doubles(samples)
            }
            #[inline(never)]
            fn analysis(window: &[f64], stride: usize) -> Box<dyn Analysis<Self>> {
                transform::fastest_analysis::<$t>(window, stride)
            }
            #[inline(never)]
            fn synthesis(window: &[f64], stride: usize) -> Box<dyn Synthesis<Self>> {
                transform::fastest_synthesis::<$t>(window, stride)
            }
        }
    };
}

sample!(f32, Some, |_| None);
sample!(f64, |_| None, Some);

macro_rules! input {
    ($from:ty, $to:ty, $direct:expr) => {
        impl Input<$to> for $from {
            #[inline(always)]
            fn convert(self) -> $to {
                self.into()
            }
            #[inline(always)]
            fn direct(samples: &[Self]) -> Option<&[$to]> {
                $direct(samples)
            }
            fn all_within(samples: &[Self], limit: f64) -> bool {
                <$from>::within(Isa::detect(), samples, limit.min(<$from>::MAX.into()) as $from)
            }
        }
    };
}

input!(f32, f32, Some);
input!(f64, f64, Some);
input!(f32, f64, |_| None);

macro_rules! output {
    ($to:ty, $direct:ident) => {
        impl<T: Sample> Output<T> for $to {
            const LARGEST: f64 = <$to>::MAX as f64;
            #[inline(always)]
            fn round_from(value: T) -> Self {
                Real::to_f64(value) as $to
            }
            #[inline(always)]
            fn direct_mut(results: &mut [Self]) -> Option<&mut [T]> {
                T::$direct(results)
            }
        }
    };
}

output!(f32, from_singles);
output!(f64, from_doubles);

/// Refuses samples that are NaN, infinite, or beyond `limit` in magnitude.
pub(crate) fn check_samples<T, I: Input<T>>(samples: &[I], limit: f64) -> Result<()> {
    if I::all_within(samples, limit) {
        return Ok(());
    }
    let first = |bad: &dyn Fn(f64) -> bool| {
        samples.iter().map(|sample| sample.as_f64()).enumerate().find(|(_, value)| bad(*value))
    };
    if let Some((index, value)) = first(&|value| !value.is_finite()) {
        return Err(Error::NotFinite { index, value });
    }
    match first(&|value| value.abs() > limit) {
        Some((index, value)) => Err(Error::TooLarge { index, value, limit }),
        None => Ok(()),
    }
}
