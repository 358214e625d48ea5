//! An STFT with long frames of analysis and short ones of synthesis, for processing spectra with little delay.

use crate::error::{Error, Result};
use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use std::f64::consts::PI;
use std::sync::Arc;

/// The two transforms of one frame.
///
/// A frame of analysis has `n_fft` samples and ends with the newest one; synthesis gives its last two hops. Overlapped by a
/// hop and added, frames that were not changed give the signal back, two hops after it came in.
///
/// Source: D. Mauler, R. Martin, "A low delay, variable resolution, perfect reconstruction spectral analysis-synthesis
/// system for speech enhancement", EUSIPCO 2007.
///
/// # Example
///
/// ```
/// use neurdsp_dsp::live::LowDelayStft;
///
/// let (n_fft, hop) = (64, 16);
/// let mut stft = LowDelayStft::new(n_fft, hop)?;
/// let signal: Vec<f32> = (0..n_fft + hop).map(|i| (i as f32 * 0.3).sin()).collect();
/// let (mut re, mut im) = (vec![0.0; stft.n_bins()], vec![0.0; stft.n_bins()]);
/// let mut frames = [vec![0.0; 2 * hop], vec![0.0; 2 * hop]];
/// for (i, frame) in frames.iter_mut().enumerate() {
///     stft.analyse(&signal[i * hop..][..n_fft], &mut re, &mut im);
///     stft.synthesise(&re, &im, frame);
/// }
/// // The hop that both have is complete.
/// assert!((frames[0][hop] + frames[1][0] - signal[n_fft - hop]).abs() < 1e-6);
/// # Ok::<(), neurdsp_dsp::Error>(())
/// ```
pub struct LowDelayStft {
    /// One value for each sample of a frame.
    analysis: Vec<f32>,
    /// One value for each sample of two hops, with the scale of the inverse transform.
    synthesis: Vec<f32>,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    frame: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
}

impl std::fmt::Debug for LowDelayStft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (n_fft, hop) = (self.n_fft(), self.hop());
        f.debug_struct("LowDelayStft").field("n_fft", &n_fft).field("hop", &hop).finish_non_exhaustive()
    }
}

impl LowDelayStft {
    /// The longest frame.
    pub const MAX_N_FFT: usize = 1 << 16;

    /// Plans transforms of `n_fft` samples whose frames are `hop` samples apart.
    ///
    /// # Errors
    /// `n_fft` is odd, above [`MAX_N_FFT`](Self::MAX_N_FFT), or not at least two hops of a sample or more.
    pub fn new(n_fft: usize, hop: usize) -> Result<LowDelayStft> {
        if !n_fft.is_multiple_of(2) || n_fft > Self::MAX_N_FFT || hop == 0 || 2 * hop > n_fft {
            let allowed = format!(
                "it must be even, two hops of {hop} samples at least, and at most {}",
                Self::MAX_N_FFT
            );
            return Err(Error::parameter("n_fft", n_fft, allowed));
        }
        let rise = n_fft - hop;
        // A slow rise and the fall of a window of two hops; their product over the last two hops is that window.
        let slow = |i: usize| (0.5 - 0.5 * (PI * (i as f64 + 0.5) / rise as f64).cos()).sqrt();
        let short = |i: usize| 0.5 - 0.5 * (PI * (i as f64 + 0.5) / hop as f64).cos();
        let fall = (hop..2 * hop).map(|i| short(i).sqrt());
        let rise_again = (0..hop).map(|i| short(i) / slow(rise - hop + i));
        let scale = 1.0 / n_fft as f64;
        let mut planner = RealFftPlanner::<f32>::new();
        let (forward, inverse) = (planner.plan_fft_forward(n_fft), planner.plan_fft_inverse(n_fft));
        let n_scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        Ok(LowDelayStft {
            analysis: (0..rise).map(slow).chain(fall.clone()).map(|value| value as f32).collect(),
            synthesis: rise_again.chain(fall).map(|value| (value * scale) as f32).collect(),
            frame: forward.make_input_vec(),
            spectrum: forward.make_output_vec(),
            scratch: vec![Complex::default(); n_scratch],
            forward,
            inverse,
        })
    }

    /// Samples of a frame of analysis.
    #[must_use]
    pub fn n_fft(&self) -> usize {
        self.analysis.len()
    }

    /// Bins of a spectrum.
    #[must_use]
    pub fn n_bins(&self) -> usize {
        self.n_fft() / 2 + 1
    }

    /// Distance of frames in samples.
    #[must_use]
    pub fn hop(&self) -> usize {
        self.synthesis.len() / 2
    }

    /// The spectrum of a frame of [`n_fft`](Self::n_fft) samples, as real and imaginary parts of
    /// [`n_bins`](Self::n_bins) bins. Of other lengths, what all have is processed.
    pub fn analyse(&mut self, samples: &[f32], re: &mut [f32], im: &mut [f32]) {
        for ((to, sample), weight) in self.frame.iter_mut().zip(samples).zip(&self.analysis) {
            *to = sample * weight;
        }
        // All lengths are those of the plan, the only thing that it checks.
        let _ = self.forward.process_with_scratch(&mut self.frame, &mut self.spectrum, &mut self.scratch);
        for ((value, re), im) in self.spectrum.iter().zip(re).zip(im) {
            (*re, *im) = (value.re, value.im);
        }
    }

    /// The last two hops of the frame that has this spectrum, windowed. The imaginary parts of the first and the last bin
    /// count as zero.
    pub fn synthesise(&mut self, re: &[f32], im: &[f32], to: &mut [f32]) {
        for ((value, re), im) in self.spectrum.iter_mut().zip(re).zip(im) {
            *value = Complex { re: *re, im: *im };
        }
        if let [first, .., last] = self.spectrum.as_mut_slice() {
            (first.im, last.im) = (0.0, 0.0);
        }
        let _ = self.inverse.process_with_scratch(&mut self.spectrum, &mut self.frame, &mut self.scratch);
        let tail = self.frame.len() - self.synthesis.len();
        for ((to, sample), weight) in to.iter_mut().zip(&self.frame[tail..]).zip(&self.synthesis) {
            *to = sample * weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LowDelayStft;

    #[test]
    fn unchanged_frames_give_the_signal_back_two_hops_later() {
        for (n_fft, hop) in [(2048, 256), (64, 16), (64, 32), (96, 24), (2, 1)] {
            let mut stft = LowDelayStft::new(n_fft, hop).unwrap();
            let signal: Vec<f32> = (0..n_fft + 9 * hop).map(|i| ((i * i) as f32 * 0.37).sin()).collect();
            let (mut re, mut im) = (vec![0.0; stft.n_bins()], vec![0.0; stft.n_bins()]);
            let (mut frame, mut sum) = (vec![0.0; 2 * hop], vec![0.0; hop]);
            for at in (0..=8 * hop).step_by(hop) {
                stft.analyse(&signal[at..at + n_fft], &mut re, &mut im);
                stft.synthesise(&re, &im, &mut frame);
                if at > 0 {
                    let wanted = &signal[at + n_fft - 2 * hop..][..hop];
                    for ((y, x), z) in frame.iter().zip(wanted).zip(&sum) {
                        assert!((y + z - x).abs() < 1e-6, "{n_fft}, {hop}: {} is not {x}", y + z);
                    }
                }
                sum.copy_from_slice(&frame[hop..]);
            }
        }
    }

    #[test]
    fn lengths_without_two_hops_are_refused() {
        for (n_fft, hop) in [(0, 1), (63, 16), (64, 33), (64, 0), (1 << 17, 16)] {
            assert!(LowDelayStft::new(n_fft, hop).is_err(), "{n_fft}, {hop}");
        }
    }
}
