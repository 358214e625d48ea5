//! The seam between the plans and the kernels: what a transform of a block of frames offers.

use super::magnitude::Magnitude;
use crate::kernels::Float;
use crate::kernels::fft::bands::Share;
use crate::mel::Bands;
use neurdsp_simd::{AlignedBuf, Isa};
use realfft::num_complex::Complex;

/// Working memory of a transform.
#[derive(Clone, Debug)]
pub struct TransformScratch<T> {
    /// Scratch of the transform of several frames at once.
    pub(crate) lanes: AlignedBuf<T>,
    /// Real values.
    pub real: Vec<T>,
    /// Complex values: a spectrum.
    pub spectrum: Vec<Complex<T>>,
    /// Complex values: the inner scratch of an FFT.
    pub complex: Vec<Complex<T>>,
}

/// Bands, and how a transform sums them.
pub struct BandPlan<T> {
    pub(crate) bands: Bands<T>,
    pub(crate) magnitude: Magnitude,
    /// The shares of each bin, if bins are added to their bands as they come out of the transform.
    pub(crate) shares: Option<Shares<T>>,
}

/// Windowed real FFT of a block of frames.
///
/// Frame `l` of a block is `samples[l * stride..l * stride + n_fft]`, and `samples` holds all `lanes` frames, but the
/// caller may want only the first `count`. Results are `[n_fft / 2 + 1][lanes]`.
pub trait Analysis<T: Float>: Send + Sync {
    /// Frames in a block.
    fn lanes(&self) -> usize;
    /// Working memory for one thread.
    fn scratch(&self) -> TransformScratch<T>;
    /// The magnitudes of the first `n_bins` bins; values after them in `to` are undefined.
    #[allow(clippy::too_many_arguments)]
    fn magnitudes(
        &self,
        samples: &[T],
        stride: usize,
        count: usize,
        magnitude: Magnitude,
        n_bins: usize,
        to: &mut [T],
        scratch: &mut TransformScratch<T>,
    );
    /// Plans sums of magnitudes over bands.
    fn plan_bands(&self, bands: Bands<T>, magnitude: Magnitude) -> BandPlan<T> {
        BandPlan { bands, magnitude, shares: None }
    }
    /// The sums over the bands of a plan made by this transform, `[bands + 1][lanes]`; the last row is undefined.
    /// `bins` is scratch with room for the magnitudes of all bins.
    #[allow(clippy::too_many_arguments)]
    fn bands(
        &self,
        samples: &[T],
        stride: usize,
        count: usize,
        plan: &BandPlan<T>,
        bins: &mut [T],
        sums: &mut [T],
        scratch: &mut TransformScratch<T>,
    ) {
        let lanes = self.lanes();
        self.magnitudes(samples, stride, count, plan.magnitude, bins.len() / lanes, bins, scratch);
        T::band_sums(Isa::detect(), &plan.bands, bins, lanes, sums);
    }
    /// Multiplies spectra, `[n_bins][lanes]`, by twice the gradients over their powers, from those over the bands of a plan
    /// that this transform has made, `[bands + 1][lanes]` with zeros in the last row; `false` if this transform cannot.
    fn pull(&self, _plan: &BandPlan<T>, _gradient: &[T], _re: &mut [T], _im: &mut [T]) -> bool {
        false
    }
    /// Real and imaginary parts; those of two bins are `step` values apart.
    #[allow(clippy::too_many_arguments)]
    fn spectrum(
        &self,
        samples: &[T],
        stride: usize,
        count: usize,
        re: &mut [T],
        im: &mut [T],
        step: usize,
        scratch: &mut TransformScratch<T>,
    );
}

/// Inverse real FFT of a block of frames, times a window, overlapped and added.
///
/// Frames are added block by block, and after each block the hops that begin with its frames are complete and are taken
/// out.
pub trait Synthesis<T: Float>: Send + Sync {
    /// Frames in a block.
    fn lanes(&self) -> usize;
    /// Working memory for one thread.
    fn scratch(&self) -> TransformScratch<T>;
    /// Empty sums, in the transform's own layout.
    fn sums(&self) -> AlignedBuf<T>;
    /// Adds the first `count` of the frames whose real and imaginary parts are given, `[n_fft / 2 + 1][lanes]`; those
    /// of the others are zero. The imaginary parts at zero and at half the sample rate count as zero.
    fn add(&self, re: &[T], im: &[T], count: usize, sums: &mut [T], scratch: &mut TransformScratch<T>);
    /// Takes as many hops as there are lanes out of the sums, times `weights`, to `to[lane * stride..]`: of each the
    /// positions that frames reach, at most `n_fft`.
    fn emit(&self, sums: &mut [T], weights: Option<&[T]>, to: &mut [T], stride: usize);
}

/// The bands of the bins of one transform.
#[derive(Clone, Debug)]
pub(crate) struct Shares<T> {
    /// Of both bins of a pair, in the order of the pairs. Every band in them is below `n_sums`.
    pub(crate) of_pairs: Vec<[Share<T>; 2]>,
    /// Of each bin in ascending order.
    pub(crate) of_bins: Vec<Share<T>>,
    /// The bands, and one more for bins in no band.
    pub(crate) n_sums: usize,
}
