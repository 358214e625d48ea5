//! The Fourier transform of several frames at once: the seam between the plans and the kernels.
//!
//! A plan asks [`analysis`] or [`synthesis`] for a transform of its length and never knows which one it got. A transform
//! works on *blocks*: `lanes` frames side by side, so that row `bin` of its result holds one value for each frame and all
//! later stages (filterbank, logarithm, stores) work on whole registers. Each lane must be computed on its own, so that a
//! frame's result does not depend on its neighbours: that is what keeps threads, batches and streams bit-identical.

use crate::lanes::{LaneFft, LaneReal, Shares};
use crate::mel::Bands;
use crate::sample::Sample;
use crate::spectrogram::Magnitude;
use neurdsp_simd::{AlignedBuf, Isa};
use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use std::sync::Arc;

/// Working memory of a transform.
#[derive(Clone, Debug)]
pub struct TransformScratch<T> {
    /// What the transform of several frames at once works in.
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
    magnitude: Magnitude,
    /// The part of each bin, where bins are added to their bands as they come out of the transform.
    shares: Option<Shares<T>>,
}

/// Windowed real FFT of a block of frames.
///
/// Frame `l` of a block is `samples[l * stride..l * stride + n_fft]`, and `samples` holds all `lanes` frames, but the
/// caller may want only the first `count` and ignore the other lanes. Results are `[n_fft / 2 + 1][lanes]`.
pub trait Analysis<T: Sample>: Send + Sync {
    /// Frames in a block.
    fn lanes(&self) -> usize;
    /// Working memory for one thread.
    fn scratch(&self) -> TransformScratch<T>;
    /// The magnitudes of the first `n_bins` bins; what follows them in `to` is undefined.
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
    /// The sums over the bands of a plan that this transform has made, `[bands + 1][lanes]`; the last row is undefined.
    /// `bins` has room for the magnitudes of all bins.
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
    /// that this transform has made, `[bands + 1][lanes]` with zeros in the last row; `false` where it cannot.
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
/// Frames are added block by block, and after each block the hops that its frames begin are complete, and are taken out.
pub trait Synthesis<T: Sample>: Send + Sync {
    /// Frames in a block.
    fn lanes(&self) -> usize;
    /// Working memory for one thread.
    fn scratch(&self) -> TransformScratch<T>;
    /// Sums of no frame yet, in a form of the transform's own.
    fn sums(&self) -> AlignedBuf<T>;
    /// Adds the first `count` of the frames whose real and imaginary parts are given, `[n_fft / 2 + 1][lanes]`; those of the
    /// others are zero. The imaginary parts at zero and at half the sample rate count as zero.
    fn add(&self, re: &[T], im: &[T], count: usize, sums: &mut [T], scratch: &mut TransformScratch<T>);
    /// Takes as many hops as there are lanes out of the sums, times `weights`, to `to[lane * stride..]`: of each the positions
    /// that frames reach, at most `n_fft`.
    fn emit(&self, sums: &mut [T], weights: Option<&[T]>, to: &mut [T], stride: usize);
}

pub(crate) fn fastest_analysis<T: Sample + LaneReal>(window: &[f64], stride: usize) -> Box<dyn Analysis<T>> {
    match lane_fft(window, stride) {
        Some(plan) => Box::new(plan),
        None => Box::new(RealFftAnalysis::<T>::new(window)),
    }
}

pub(crate) fn fastest_synthesis<T: Sample + LaneReal>(
    window: &[f64],
    stride: usize,
) -> Box<dyn Synthesis<T>> {
    match lane_fft(window, stride) {
        Some(plan) => Box::new(plan),
        None => Box::new(RealFftSynthesis::<T>::new(window, stride)),
    }
}

/// One frame to a lane, for the lengths that have codelets, where registers have more lanes than one.
///
/// Without them realfft is faster: it has kernels of its own for narrow registers.
fn lane_fft<T: LaneReal>(window: &[f64], stride: usize) -> Option<LaneFft<T>> {
    let isa = Isa::detect();
    if isa.has_avx2() { LaneFft::new(isa, window, stride) } else { None }
}

impl<T: Sample + LaneReal> Analysis<T> for LaneFft<T> {
    fn lanes(&self) -> usize {
        self.lanes()
    }

    fn scratch(&self) -> TransformScratch<T> {
        lane_scratch(self)
    }

    fn magnitudes(
        &self,
        samples: &[T],
        stride: usize,
        _count: usize,
        magnitude: Magnitude,
        n_bins: usize,
        to: &mut [T],
        scratch: &mut TransformScratch<T>,
    ) {
        let root = magnitude.root();
        self.magnitudes(samples, stride, n_bins, root, to, &mut scratch.lanes);
        if root.is_none() {
            magnitude.of_squares(&mut to[..n_bins * self.lanes()]);
        }
    }

    fn plan_bands(&self, bands: Bands<T>, magnitude: Magnitude) -> BandPlan<T> {
        let in_registers = !matches!(magnitude, Magnitude::Exponent(_));
        let shares = if in_registers { self.shares(&bands) } else { None };
        BandPlan { bands, magnitude, shares }
    }

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
        if let Some(shares) = &plan.shares {
            return self.bands(samples, stride, shares, plan.magnitude.root(), sums, &mut scratch.lanes);
        }
        let (n_bins, lanes) = (bins.len() / self.lanes(), self.lanes());
        Analysis::magnitudes(self, samples, stride, count, plan.magnitude, n_bins, bins, scratch);
        T::band_sums(Isa::detect(), &plan.bands, bins, lanes, sums);
    }

    fn pull(&self, plan: &BandPlan<T>, gradient: &[T], re: &mut [T], im: &mut [T]) -> bool {
        let shares = plan.shares.as_ref().filter(|_| plan.magnitude == Magnitude::Power);
        shares.is_some_and(|shares| {
            self.pull(shares, gradient, re, im);
            true
        })
    }

    fn spectrum(
        &self,
        samples: &[T],
        stride: usize,
        _count: usize,
        re: &mut [T],
        im: &mut [T],
        step: usize,
        scratch: &mut TransformScratch<T>,
    ) {
        self.spectrum(samples, stride, re, im, step, &mut scratch.lanes);
    }
}

impl<T: Sample + LaneReal> Synthesis<T> for LaneFft<T> {
    fn lanes(&self) -> usize {
        self.lanes()
    }

    fn scratch(&self) -> TransformScratch<T> {
        lane_scratch(self)
    }

    fn sums(&self) -> AlignedBuf<T> {
        self.sums()
    }

    fn add(&self, re: &[T], im: &[T], _count: usize, sums: &mut [T], scratch: &mut TransformScratch<T>) {
        self.add(re, im, sums, &mut scratch.lanes);
    }

    fn emit(&self, sums: &mut [T], weights: Option<&[T]>, to: &mut [T], stride: usize) {
        self.emit(sums, weights, to, stride);
    }
}

fn lane_scratch<T: LaneReal>(plan: &LaneFft<T>) -> TransformScratch<T> {
    TransformScratch { lanes: plan.scratch(), real: Vec::new(), spectrum: Vec::new(), complex: Vec::new() }
}

/// Any length, by realfft, frame after frame.
struct RealFftAnalysis<T: Sample> {
    window: Vec<T>,
    fft: Arc<dyn RealToComplex<T>>,
}

impl<T: Sample> RealFftAnalysis<T> {
    fn new(window: &[f64]) -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(window.len());
        Self { window: window.iter().map(|w| T::of(*w)).collect(), fft }
    }

    /// Hands the spectrum of every frame to `store`.
    #[inline(always)]
    fn each(
        &self,
        samples: &[T],
        stride: usize,
        count: usize,
        scratch: &mut TransformScratch<T>,
        mut store: impl FnMut(usize, &[Complex<T>]),
    ) {
        let n_fft = self.window.len();
        for lane in 0..count {
            let frame = &samples[lane * stride..lane * stride + n_fft];
            for ((windowed, sample), weight) in scratch.real.iter_mut().zip(frame).zip(&self.window) {
                *windowed = *sample * *weight;
            }
            let done =
                self.fft.process_with_scratch(&mut scratch.real, &mut scratch.spectrum, &mut scratch.complex);
            debug_assert!(done.is_ok(), "the scratch has the plan's own lengths");
            store(lane, &scratch.spectrum);
        }
    }
}

impl<T: Sample> Analysis<T> for RealFftAnalysis<T> {
    fn lanes(&self) -> usize {
        T::LANES
    }

    fn scratch(&self) -> TransformScratch<T> {
        let (real, spectrum) = (self.fft.make_input_vec(), self.fft.make_output_vec());
        TransformScratch {
            lanes: AlignedBuf::default(),
            real,
            spectrum,
            complex: self.fft.make_scratch_vec(),
        }
    }

    fn magnitudes(
        &self,
        samples: &[T],
        stride: usize,
        count: usize,
        magnitude: Magnitude,
        n_bins: usize,
        to: &mut [T],
        scratch: &mut TransformScratch<T>,
    ) {
        let to = &mut to[..n_bins * T::LANES];
        self.each(samples, stride, count, scratch, |lane, spectrum| {
            for (row, value) in to.chunks_exact_mut(T::LANES).zip(spectrum) {
                row[lane] = value.re.mul_add(value.re, value.im * value.im);
            }
        });
        magnitude.of_squares(to);
    }

    fn spectrum(
        &self,
        samples: &[T],
        stride: usize,
        count: usize,
        re: &mut [T],
        im: &mut [T],
        step: usize,
        scratch: &mut TransformScratch<T>,
    ) {
        self.each(samples, stride, count, scratch, |lane, spectrum| {
            let rows = re.chunks_mut(step).zip(im.chunks_mut(step));
            for ((re, im), value) in rows.zip(spectrum) {
                re[lane] = value.re;
                im[lane] = value.im;
            }
        });
    }
}

/// Any length, by realfft, frame after frame. The sums are the signal itself, from the first hop of a block on.
struct RealFftSynthesis<T: Sample> {
    /// With the 1 / n_fft of the inverse transform.
    window: Vec<T>,
    /// Distance of the frames, at most their length.
    hop: usize,
    fft: Arc<dyn ComplexToReal<T>>,
}

impl<T: Sample> RealFftSynthesis<T> {
    fn new(window: &[f64], stride: usize) -> Self {
        let (fft, hop) =
            (RealFftPlanner::new().plan_fft_inverse(window.len()), stride.clamp(1, window.len()));
        Self { window: window.iter().map(|w| T::of(*w / window.len() as f64)).collect(), hop, fft }
    }
}

impl<T: Sample> Synthesis<T> for RealFftSynthesis<T> {
    fn lanes(&self) -> usize {
        T::LANES
    }

    fn scratch(&self) -> TransformScratch<T> {
        let (real, spectrum) = (self.fft.make_output_vec(), self.fft.make_input_vec());
        TransformScratch {
            lanes: AlignedBuf::default(),
            real,
            spectrum,
            complex: self.fft.make_scratch_vec(),
        }
    }

    fn sums(&self) -> AlignedBuf<T> {
        AlignedBuf::zeroed((T::LANES - 1) * self.hop + self.window.len())
    }

    fn add(&self, re: &[T], im: &[T], count: usize, sums: &mut [T], scratch: &mut TransformScratch<T>) {
        let n_fft = self.window.len();
        for lane in 0..count {
            let rows = re.chunks_exact(T::LANES).zip(im.chunks_exact(T::LANES));
            for (value, (re, im)) in scratch.spectrum.iter_mut().zip(rows) {
                *value = Complex::new(re[lane], im[lane]);
            }
            scratch.spectrum[0].im = T::zero();
            if n_fft.is_multiple_of(2) {
                scratch.spectrum[n_fft / 2].im = T::zero();
            }
            let frame = &mut scratch.real;
            let done = self.fft.process_with_scratch(&mut scratch.spectrum, frame, &mut scratch.complex);
            debug_assert!(done.is_ok(), "the scratch has the plan's own lengths");
            let sums = sums[lane * self.hop..].iter_mut();
            for ((sum, sample), weight) in sums.zip(frame.iter()).zip(&self.window) {
                *sum = *sum + *sample * *weight;
            }
        }
    }

    fn emit(&self, sums: &mut [T], weights: Option<&[T]>, to: &mut [T], stride: usize) {
        for (lane, hop) in sums.chunks_exact(self.hop).take(T::LANES).enumerate() {
            let to = &mut to[lane * stride..][..self.hop];
            to.copy_from_slice(hop);
            if let Some(weights) = weights {
                to.iter_mut().zip(weights).for_each(|(value, weight)| *value = *value * *weight);
            }
        }
        let (taken, left) = (T::LANES * self.hop, sums.len() - T::LANES * self.hop);
        sums.copy_within(taken.., 0);
        sums[left..].fill(T::zero());
    }
}
