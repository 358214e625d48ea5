//! Every vector kernel of the spectral transforms, in both precisions. All that is unsafe about them is in this folder.

pub(crate) mod exchange;
pub(crate) mod fft;
pub(crate) mod weave;

mod elementwise;
mod log;
mod mel;
mod range;

use crate::mel::Bands;
use exchange::Exchange;
use fft::bands::{BandSums, Pull};
use fft::codelet::Codelets;
use fft::overlap::{Add, Emit};
use fft::phases::Fill;
use fft::split::{Join, Magnitudes, Parts, Split};
use neurdsp_simd::Real;
use realfft::FftNum;
use weave::Weave;

/// `f32` or `f64`: a number with its kernels.
pub trait Float: Real + FftNum + Kernels<Self> + Codelets {}

impl Float for f32 {}
impl Float for f64 {}

neurdsp_simd::kernels! {
    /// The kernels of one precision. Sealed: the module is private.
    pub trait Kernels<T> {
        /// For each band, adds up its rows of `lanes` values times the weights, every lane on its own.
        fn band_sums(bands: &Bands<T>, rows: &[T], lanes: usize, sums: &mut [T]) = mel::band_sums;
        /// The transpose of [`band_sums`](Self::band_sums): adds to the rows of each band its sum times the weights.
        fn band_spread(bands: &Bands<T>, sums: &[T], lanes: usize, rows: &mut [T]) = mel::band_spread;
        /// The squared magnitudes of complex numbers.
        fn powers(re: &[T], im: &[T], powers: &mut [T]) = elementwise::powers;
        /// Complex numbers times real factors.
        fn scale(factors: &[T], re: &mut [T], im: &mut [T]) = elementwise::scale;
        /// Whether no sample is NaN or beyond `limit` in magnitude.
        fn within(samples: &[T], limit: T) -> bool = elementwise::within;
        /// Replaces each value by `scale * ln(max(value, floor) + offset)`.
        fn log_in_place(values: &mut [T], floor: T, offset: T, scale: T) = log::log;
        /// As [`limit_range`](crate::limit_range).
        fn limit_range(values: &mut [T], depth: T, offset: T, scale: T) = range::limit_range;

        /// Writes blocks to rows.
        fn store(exchange: Exchange<T>) = exchange::store;
        /// Reads complex rows into blocks; whether all that it read is finite.
        fn unweave(exchange: Exchange<T>) -> bool = exchange::unweave;
        /// Writes blocks of spectra to complex rows.
        fn weave(weave: Weave<T>) = weave::weave;

        /// Brings the frames of a block into the lanes.
        fn fill(fill: Fill<T>) = fft::phases::fill;
        /// The magnitudes of some pairs of bins.
        fn split_magnitudes(split: Split<T>, out: Magnitudes<T>) = fft::split::magnitudes;
        /// Adds some pairs of bins to their bands.
        fn split_bands(split: Split<T>, out: BandSums<T>) = fft::bands::band_sums;
        /// The complex values of some pairs of bins.
        fn split_spectrum(split: Split<T>, out: Parts<T>) = fft::split::spectrum;
        /// The transpose of [`split_bands`](Self::split_bands), applied to spectra.
        fn pull(pull: Pull<T>) = fft::bands::pull;
        /// The complex numbers whose transform gives the frames of a spectrum.
        fn join(join: Join<T>) = fft::split::join;
        /// Windows frames and adds them to the sums.
        fn overlap_add(add: Add<T>) = fft::overlap::add;
        /// Takes complete hops out of the sums.
        fn overlap_emit(emit: Emit<T>) = fft::overlap::emit;
    }
}
