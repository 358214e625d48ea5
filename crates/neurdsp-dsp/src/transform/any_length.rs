//! Transforms of any length, by realfft, frame after frame.

use super::magnitude::Magnitude;
use super::seam::{Analysis, Synthesis, TransformScratch};
use crate::kernels::Float;
use neurdsp_simd::{AlignedBuf, Real};
use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use std::sync::Arc;

/// Frames in a block: one wide register, or two narrow ones.
const fn lanes<T>() -> usize {
    64 / size_of::<T>()
}

/// The forward transform.
pub(super) struct RealFftAnalysis<T: Float> {
    window: Vec<T>,
    fft: Arc<dyn RealToComplex<T>>,
}

impl<T: Float> RealFftAnalysis<T> {
    pub(super) fn new(window: &[f64]) -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(window.len());
        Self { window: window.iter().map(|w| Real::from_f64(*w)).collect(), fft }
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

impl<T: Float> Analysis<T> for RealFftAnalysis<T> {
    fn lanes(&self) -> usize {
        lanes::<T>()
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
        let to = &mut to[..n_bins * lanes::<T>()];
        self.each(samples, stride, count, scratch, |lane, spectrum| {
            for (row, value) in to.chunks_exact_mut(lanes::<T>()).zip(spectrum) {
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

/// The inverse transform. The sums are the signal itself, from the first hop of a block on.
pub(super) struct RealFftSynthesis<T: Float> {
    /// With the 1 / n_fft of the inverse transform.
    window: Vec<T>,
    /// Distance of the frames, at most their length.
    hop: usize,
    fft: Arc<dyn ComplexToReal<T>>,
}

impl<T: Float> RealFftSynthesis<T> {
    pub(super) fn new(window: &[f64], stride: usize) -> Self {
        let (fft, hop) =
            (RealFftPlanner::new().plan_fft_inverse(window.len()), stride.clamp(1, window.len()));
        Self { window: window.iter().map(|w| Real::from_f64(*w / window.len() as f64)).collect(), hop, fft }
    }
}

impl<T: Float> Synthesis<T> for RealFftSynthesis<T> {
    fn lanes(&self) -> usize {
        lanes::<T>()
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
        AlignedBuf::zeroed((lanes::<T>() - 1) * self.hop + self.window.len())
    }

    fn add(&self, re: &[T], im: &[T], count: usize, sums: &mut [T], scratch: &mut TransformScratch<T>) {
        let n_fft = self.window.len();
        for lane in 0..count {
            let rows = re.chunks_exact(lanes::<T>()).zip(im.chunks_exact(lanes::<T>()));
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
                *sum += *sample * *weight;
            }
        }
    }

    fn emit(&self, sums: &mut [T], weights: Option<&[T]>, to: &mut [T], stride: usize) {
        for (lane, hop) in sums.chunks_exact(self.hop).take(lanes::<T>()).enumerate() {
            let to = &mut to[lane * stride..][..self.hop];
            to.copy_from_slice(hop);
            if let Some(weights) = weights {
                to.iter_mut().zip(weights).for_each(|(value, weight)| *value = *value * *weight);
            }
        }
        let (taken, left) = (lanes::<T>() * self.hop, sums.len() - lanes::<T>() * self.hop);
        sums.copy_within(taken.., 0);
        sums[left..].fill(T::zero());
    }
}
