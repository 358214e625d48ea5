//! The inverse short-time Fourier transform: overlap-add, divided by the sum of the squared windows.
//!
//! D. W. Griffin and J. S. Lim, "Signal estimation from modified short-time Fourier transform", IEEE Trans. ASSP 32 (1984).

use crate::error::{Error, Result, check_length};
use crate::exchange::{blocks_together, parts, take_spectra};
use crate::lanes::Buffer;
use crate::parallel::{self, Pool};
use crate::sample::{Input, Output, Sample};
use crate::stft::{MAX_N_FFT, StftConfig};
use crate::transform::{Synthesis, TransformScratch};
use crate::window::pad_center;
use realfft::num_complex::Complex;
use std::ops::Range;

/// Which frames, which window, which part of the result.
#[derive(Clone, Debug, PartialEq)]
pub struct IstftConfig {
    /// Length of the transform in samples.
    pub n_fft: usize,
    /// Distance of the frames in samples.
    pub hop_length: usize,
    /// At most `n_fft` coefficients; fewer lie in the middle of the frame.
    pub window: Vec<f64>,
    /// Samples cut off at each end: the padding of the forward transform.
    pub trim: usize,
}

impl From<&StftConfig> for IstftConfig {
    fn from(config: &StftConfig) -> Self {
        let StftConfig { n_fft, hop_length, pad, .. } = *config;
        Self { n_fft, hop_length, window: config.window.clone(), trim: pad }
    }
}

/// Working memory for one thread.
struct Workspace<T> {
    re: Buffer<T>,
    im: Buffer<T>,
    frames: Buffer<T>,
    transform: TransformScratch<T>,
}

/// A planned inverse transform that computes in `T`.
pub struct Istft<T: Sample> {
    config: IstftConfig,
    squares: Vec<f64>,
    /// One over the sum of the squared windows at the positions of one hop, where all frames are there.
    inner: Vec<T>,
    transform: Box<dyn Synthesis<T>>,
    idle: Pool<Workspace<T>>,
}

impl<T: Sample> Istft<T> {
    /// Plans the inverse.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if `config` holds a value outside its domain.
    pub fn new(config: IstftConfig) -> Result<Self> {
        let IstftConfig { n_fft, hop_length, trim, .. } = config;
        for (name, value) in [("n_fft", n_fft), ("hop_length", hop_length)] {
            if value == 0 || value > MAX_N_FFT {
                return Err(Error::parameter(name, value, format!("it must be from 1 to {MAX_N_FFT}")));
            }
        }
        if config.window.is_empty() {
            return Err(Error::parameter("win_length", 0, format!("it must be from 1 to n_fft = {n_fft}")));
        }
        if trim > MAX_N_FFT {
            return Err(Error::parameter("trim", trim, format!("it must be at most {MAX_N_FFT}")));
        }
        let window = pad_center(&config.window, n_fft)?;
        let squares: Vec<f64> = window.iter().map(|w| w * w).collect();
        let sum = |i| squares.iter().skip(i).step_by(hop_length).sum();
        let inner = (0..hop_length).map(|i| T::of(reciprocal(sum(i)))).collect();
        let transform = T::synthesis(&window, hop_length);
        Ok(Self { config, squares, inner, transform, idle: Pool::new(n_fft) })
    }

    /// Samples that `n_frames` frames make.
    #[must_use]
    pub fn n_samples(&self, n_frames: usize) -> usize {
        let whole = self.config.n_fft + n_frames.saturating_sub(1) * self.config.hop_length;
        whole.saturating_sub(2 * self.config.trim)
    }

    /// The signals of several spectra, `n_bins` rows of frames each, on up to `n_threads` threads.
    ///
    /// An output may be shorter or longer than [`n_samples`](Self::n_samples): it is cut, or filled with zeros. The result
    /// is the same, bit for bit, whatever the number of threads.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if a spectrum is not a whole number of frames; [`Error::NotFinite`].
    pub fn process_batch<I: Input<T>, O: Output<T>>(
        &self,
        batch: Vec<(&[Complex<I>], &mut [O])>,
        n_threads: usize,
    ) -> Result<()> {
        let n_bins = self.config.n_fft / 2 + 1;
        let mut tasks = Vec::new();
        for (spectrum, samples) in batch {
            if spectrum.is_empty() {
                return Err(Error::Empty);
            }
            let n_frames = spectrum.len() / n_bins;
            check_length("the spectrum", spectrum.len(), (n_frames * n_bins).max(n_bins))?;
            if !I::all_finite(parts(spectrum)) {
                let bad = |part: &I| !part.as_f64().is_finite();
                let at = parts(spectrum).iter().position(bad).unwrap_or(0);
                let value = parts(spectrum)[at].as_f64();
                return Err(Error::NotFinite { index: at / 2 % n_frames, value });
            }
            // Frames at a seam are computed twice, so that no thread waits for another.
            let pieces = if n_threads <= 1 { 1 } else { (n_frames / 64).clamp(1, 4 * n_threads) };
            let length = samples.len().div_ceil(pieces).max(1);
            let stretches = samples.chunks_mut(length).enumerate();
            tasks.extend(stretches.map(|(i, stretch)| (spectrum, n_frames, i * length, stretch)));
        }
        parallel::for_each(
            n_threads,
            tasks,
            &self.idle,
            || self.workspace(),
            |workspace, (spectrum, n_frames, start, stretch)| {
                self.stretch(spectrum, n_frames, start, stretch, workspace);
            },
        );
        Ok(())
    }

    /// The signal of a spectrum of `n_bins` rows of frames.
    ///
    /// # Errors
    ///
    /// As [`process_batch`](Self::process_batch).
    pub fn process(&self, spectrum: &[Complex<T>]) -> Result<Vec<T>> {
        let n_frames = spectrum.len() / (self.config.n_fft / 2 + 1);
        let mut samples = vec![T::zero(); self.n_samples(n_frames)];
        self.process_batch(vec![(spectrum, &mut samples[..])], 1)?;
        Ok(samples)
    }

    fn workspace(&self) -> Workspace<T> {
        let lanes = self.transform.lanes();
        let block_len = (self.config.n_fft / 2 + 1) * lanes;
        let spectrum = Buffer::zeros(blocks_together(block_len) * block_len);
        let frames = Buffer::zeros(self.config.n_fft * lanes);
        Workspace { re: spectrum.clone(), im: spectrum, frames, transform: self.transform.scratch() }
    }

    /// The samples from `start` on, each summed over its frames from the first to the last.
    fn stretch<I: Input<T>, O: Output<T>>(
        &self,
        spectrum: &[Complex<I>],
        n_frames: usize,
        start: usize,
        samples: &mut [O],
        workspace: &mut Workspace<T>,
    ) {
        let Workspace { re, im, frames, transform: scratch } = workspace;
        let IstftConfig { n_fft, hop_length, trim, .. } = self.config;
        let lanes = self.transform.lanes();
        let block_len = (n_fft / 2 + 1) * lanes;
        // Positions before trimming.
        let wanted = start + trim..start + trim + samples.len();
        let mut sums = vec![T::zero(); samples.len()];
        let touching = touching(&wanted, n_fft, hop_length, n_frames);
        let mut first = touching.start;
        while first < touching.end {
            let left = touching.end - first;
            let n_blocks = (left / lanes).clamp(1, re.len() / block_len);
            let (count, len) = (left.min(n_blocks * lanes), n_blocks * block_len);
            take_spectra(spectrum, n_frames, first, count, lanes, &mut re[..len], &mut im[..len]);
            let blocks = re.chunks_exact(block_len).zip(im.chunks_exact(block_len)).take(n_blocks);
            for (index, (re, im)) in blocks.enumerate() {
                let count = lanes.min(count - index * lanes);
                self.transform.frames(re, im, count, frames, scratch);
                for (lane, frame) in frames.chunks_exact(n_fft).take(count).enumerate() {
                    let at = (first + index * lanes + lane) * hop_length;
                    let (from, to) = (at.max(wanted.start), (at + n_fft).min(wanted.end));
                    let inside = sums[from - wanted.start..to - wanted.start].iter_mut();
                    for (sum, sample) in inside.zip(&frame[from - at..to - at]) {
                        *sum = *sum + *sample;
                    }
                }
            }
            first += count;
        }
        // Where all frames are there, the sum of the squared windows repeats from hop to hop.
        let end = wanted.end;
        let inner = (n_fft - 1).clamp(wanted.start, end)..(n_frames * hop_length).clamp(wanted.start, end);
        let mut position = wanted.start;
        while position < end {
            let at = position - wanted.start;
            if inner.contains(&position) {
                let phase = position % hop_length;
                let length = (hop_length - phase).min(inner.end - position);
                let weights = &self.inner[phase..phase + length];
                for ((sample, sum), weight) in samples[at..].iter_mut().zip(&sums[at..]).zip(weights) {
                    *sample = O::round_from(*sum * *weight);
                }
                position += length;
            } else {
                let frames = touching_range(position, n_fft, hop_length, n_frames);
                let weight = frames.map(|frame| self.squares[position - frame * hop_length]).sum();
                samples[at] = O::round_from(sums[at] * T::of(reciprocal(weight)));
                position += 1;
            }
        }
    }
}

/// One over a sum of squared windows, or one where there is nothing to divide by.
fn reciprocal(weight: f64) -> f64 {
    if weight > f64::from(f32::MIN_POSITIVE) { 1.0 / weight } else { 1.0 }
}

/// The frames that reach into a stretch of positions.
fn touching(positions: &Range<usize>, n_fft: usize, hop_length: usize, n_frames: usize) -> Range<usize> {
    if positions.is_empty() {
        return 0..0;
    }
    let first = touching_range(positions.start, n_fft, hop_length, n_frames).start;
    let last = touching_range(positions.end - 1, n_fft, hop_length, n_frames).end;
    first..last.max(first)
}

/// The frames that reach over one position.
fn touching_range(position: usize, n_fft: usize, hop_length: usize, n_frames: usize) -> Range<usize> {
    let first = (position + 1).saturating_sub(n_fft).div_ceil(hop_length);
    let end = (position / hop_length + 1).min(n_frames);
    first.min(end)..end
}
