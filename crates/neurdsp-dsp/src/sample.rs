//! The two sample types, `f32` and `f64`, and what the transforms need of them.

use crate::kernels;
use crate::mel::Bands;
use crate::range;
use crate::transform::{self, Analysis, Synthesis};
use neurdsp_simd::{Isa, Real};
use realfft::FftNum;

/// `f32` or `f64`: the type that a transform computes in. Sealed.
pub trait Sample: Real + FftNum + Default + Input<Self> + Output<Self> + sealed::Sealed {
    /// Frames that the fallback transform takes at once: one wide register, or two narrow ones.
    const LANES: usize;
    /// The nearest value of this type.
    fn of(value: f64) -> Self;
    /// Samples as they lie in memory.
    #[doc(hidden)]
    fn bytes(samples: &[Self]) -> &[u8];
    // Not generic on purpose: a generic function is compiled anew in every crate that calls it, and realfft is large.
    /// The fastest analysis for this window, of the length of the transform, and frames that are `stride` samples apart.
    #[doc(hidden)]
    fn analysis(window: &[f64], stride: usize) -> Box<dyn Analysis<Self>>;
    /// The fastest synthesis for this window and frames that are `stride` samples apart.
    #[doc(hidden)]
    fn synthesis(window: &[f64], stride: usize) -> Box<dyn Synthesis<Self>>;
    /// For each band, adds up its rows of `lanes` values times the weights, every lane on its own.
    #[doc(hidden)]
    fn band_sums(isa: Isa, bands: &Bands<Self>, rows: &[Self], lanes: usize, sums: &mut [Self]);
    /// The transpose of [`band_sums`](Self::band_sums): adds to the rows of each band its sum times the weights.
    #[doc(hidden)]
    fn band_spread(isa: Isa, bands: &Bands<Self>, sums: &[Self], lanes: usize, rows: &mut [Self]);
    /// The squared magnitudes of complex numbers.
    #[doc(hidden)]
    fn powers(isa: Isa, re: &[Self], im: &[Self], powers: &mut [Self]);
    /// Complex numbers times real factors.
    #[doc(hidden)]
    fn scale(isa: Isa, factors: &[Self], re: &mut [Self], im: &mut [Self]);
    /// Replaces each value by `scale * ln(max(value, floor) + offset)`.
    #[doc(hidden)]
    fn log_in_place(isa: Isa, values: &mut [Self], floor: Self, offset: Self, scale: Self);
    /// As [`limit_range`](crate::limit_range).
    #[doc(hidden)]
    fn limit_range(isa: Isa, values: &mut [Self], depth: Self, offset: Self, scale: Self);
}

/// A type that audio may come in, for a transform that computes in `T`.
pub trait Input<T>: Copy + Send + Sync + 'static {
    /// The sample in the type of the computation.
    fn convert(self) -> T;
    /// The samples as they are, where the types agree and nothing need be converted.
    fn direct(samples: &[Self]) -> Option<&[T]>;
    /// Whether no sample is NaN or beyond `limit` in size.
    fn all_within(samples: &[Self], limit: f64) -> bool;
    /// The sample as the error message shows it.
    fn as_f64(self) -> f64;
}

/// A type that results of a computation in `T` may be wanted in.
pub trait Output<T>: Copy + Send + Sync + Default + 'static {
    /// The largest finite value.
    const LARGEST: f64;
    /// The nearest value of this type.
    fn round_from(value: T) -> Self;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

macro_rules! sample {
    ($t:ty, $lanes:literal, $bands:ident, $spread:ident, $powers:ident, $scale:ident, $log:ident, $limit:ident) => {
        impl Sample for $t {
            const LANES: usize = $lanes;
            #[inline(always)]
            fn of(value: f64) -> Self {
                Real::from_f64(value)
            }
            fn bytes(samples: &[Self]) -> &[u8] {
                bytemuck::cast_slice(samples)
            }
            #[inline(never)]
            fn analysis(window: &[f64], stride: usize) -> Box<dyn Analysis<Self>> {
                transform::fastest_analysis::<$t>(window, stride)
            }
            #[inline(never)]
            fn synthesis(window: &[f64], stride: usize) -> Box<dyn Synthesis<Self>> {
                transform::fastest_synthesis::<$t>(window, stride)
            }
            fn band_sums(isa: Isa, bands: &Bands<Self>, rows: &[Self], lanes: usize, sums: &mut [Self]) {
                kernels::$bands(isa, bands, rows, lanes, sums);
            }
            fn band_spread(isa: Isa, bands: &Bands<Self>, sums: &[Self], lanes: usize, rows: &mut [Self]) {
                kernels::$spread(isa, bands, sums, lanes, rows);
            }
            fn powers(isa: Isa, re: &[Self], im: &[Self], powers: &mut [Self]) {
                kernels::$powers(isa, re, im, powers);
            }
            fn scale(isa: Isa, factors: &[Self], re: &mut [Self], im: &mut [Self]) {
                kernels::$scale(isa, factors, re, im);
            }
            fn log_in_place(isa: Isa, values: &mut [Self], floor: Self, offset: Self, scale: Self) {
                kernels::$log(isa, values, floor, offset, scale);
            }
            fn limit_range(isa: Isa, values: &mut [Self], depth: Self, offset: Self, scale: Self) {
                range::$limit(isa, values, depth, offset, scale);
            }
        }
    };
}

sample!(f32, 16, band_sums_f32, band_spread_f32, powers_f32, scale_f32, log_f32, limit_f32);
sample!(f64, 8, band_sums_f64, band_spread_f64, powers_f64, scale_f64, log_f64, limit_f64);

macro_rules! input {
    ($from:ty, $to:ty, $direct:expr, $within:ident) => {
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
                kernels::$within(Isa::detect(), samples, limit.min(<$from>::MAX.into()) as $from)
            }
            fn as_f64(self) -> f64 {
                self.into()
            }
        }
    };
}

input!(f32, f32, Some, within_f32);
input!(f64, f64, Some, within_f64);
input!(f32, f64, |_| None, within_f32);

impl<T: Sample> Output<T> for f32 {
    const LARGEST: f64 = f32::MAX as f64;
    #[inline(always)]
    fn round_from(value: T) -> Self {
        Real::to_f64(value) as f32
    }
}

impl<T: Sample> Output<T> for f64 {
    const LARGEST: f64 = f64::MAX;
    #[inline(always)]
    fn round_from(value: T) -> Self {
        Real::to_f64(value)
    }
}
