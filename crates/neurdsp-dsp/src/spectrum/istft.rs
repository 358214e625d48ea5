//! The inverse short-time Fourier transform: overlap-add, divided by the sum of the squared windows, which has a floor.
//!
//! D. W. Griffin and J. S. Lim, "Signal estimation from modified short-time Fourier transform", IEEE Trans. ASSP 32 (1984).

use super::stft::StftConfig;
use crate::blocks::exchange::{blocks_together, take_spectra};
use crate::error::{Error, Result, check_length};
use crate::kernels::exchange::parts;
use crate::limits::{MAX_N_FFT, check_size, keeps_memory};
use crate::sample::{Input, Output, Sample};
use crate::transform::{Synthesis, TransformScratch};
use crate::window::pad_center;
use neurdsp_simd::AlignedBuf;
use neurdsp_simd::parallel::{self, Idle};
use realfft::num_complex::Complex;
use std::ops::Range;

/// Samples that are summed at once, which bounds what a task allocates.
const MAX_STRETCH: usize = 1 << 22;

/// The least divisor, relative to the largest sum of squared windows. Where less of a window reaches, rounding errors and
/// what a changed spectrum leaves there would be divided by next to nothing; the signal fades out instead.
const LEAST_SUM: f64 = 1e-3;

/// The parameters of an inverse STFT.
#[derive(Clone, Debug, PartialEq)]
pub struct IstftConfig {
    /// Length of the transform in samples.
    pub n_fft: usize,
    /// Distance between frames in samples.
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
    re: AlignedBuf<T>,
    im: AlignedBuf<T>,
    sums: AlignedBuf<T>,
    /// As many hops as there are lanes, one after the other.
    hops: AlignedBuf<T>,
    transform: TransformScratch<T>,
}

/// A planned inverse transform that computes in `T`.
pub struct Istft<T: Sample> {
    config: IstftConfig,
    squares: Vec<f64>,
    /// The least sum of them that is divided by.
    floor: f64,
    /// One over the sum of the squared windows at the positions of one hop, where no frame is missing.
    inner: Vec<T>,
    transform: Box<dyn Synthesis<T>>,
    idle: Idle<Workspace<T>>,
}

impl<T: Sample> Istft<T> {
    /// Plans the inverse.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if a value of `config` is outside its domain.
    pub fn new(config: IstftConfig) -> Result<Self> {
        let IstftConfig { n_fft, hop_length, trim, .. } = config;
        check_size("n_fft", n_fft)?;
        check_size("hop_length", hop_length)?;
        if config.window.is_empty() {
            return Err(Error::parameter("win_length", 0, format!("it must be from 1 to n_fft = {n_fft}")));
        }
        if trim > MAX_N_FFT {
            return Err(Error::parameter("trim", trim, format!("it must be at most {MAX_N_FFT}")));
        }
        let window = pad_center(&config.window, n_fft)?;
        let squares: Vec<f64> = window.iter().map(|w| w * w).collect();
        let sums: Vec<f64> =
            (0..hop_length).map(|i| squares.iter().skip(i).step_by(hop_length).sum()).collect();
        let floor = LEAST_SUM * sums.iter().copied().fold(0.0, f64::max);
        let inner = sums.into_iter().map(|sum| T::of(reciprocal(sum, floor))).collect();
        let transform = T::synthesis(&window, hop_length);
        Ok(Self { config, squares, floor, inner, transform, idle: Idle::new(keeps_memory(n_fft)) })
    }

    /// Length of the signal of `n_frames` frames.
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
    /// [`Error::Length`] if a spectrum is not a whole number of frames; [`Error::NotFinite`] about a frame that reaches the
    /// output. After an error the outputs hold part of a result or their previous contents.
    pub fn process_batch<I: Input<T>, O: Output<T>>(
        &self,
        batch: Vec<(&[Complex<I>], &mut [O])>,
        n_threads: usize,
    ) -> Result<()> {
        let n_bins = self.config.n_fft / 2 + 1;
        let (mut tasks, mut spectra) = (Vec::new(), Vec::new());
        for (spectrum, samples) in batch {
            if spectrum.is_empty() {
                return Err(Error::Empty);
            }
            let n_frames = spectrum.len() / n_bins;
            check_length("the spectrum", spectrum.len(), (n_frames * n_bins).max(n_bins))?;
            spectra.push((spectrum, n_frames));
            // Frames at a seam are computed twice, so that no thread waits for another.
            let pieces = if n_threads <= 1 { 1 } else { (n_frames / 64).clamp(1, 4 * n_threads) };
            let length = samples.len().div_ceil(pieces).clamp(1, MAX_STRETCH);
            let stretches = samples.chunks_mut(length).enumerate();
            tasks.extend(stretches.map(|(i, stretch)| (spectrum, n_frames, i * length, stretch)));
        }
        let finite = parallel::for_all(
            n_threads,
            tasks,
            &self.idle,
            || self.workspace(),
            |workspace, (spectrum, n_frames, start, stretch)| {
                self.stretch(spectrum, n_frames, start, stretch, workspace)
            },
        );
        if finite {
            return Ok(());
        }
        spectra.into_iter().try_for_each(|(spectrum, n_frames)| check_finite(spectrum, n_frames))
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
        let spectrum = AlignedBuf::zeroed(blocks_together(2 * block_len) * block_len);
        let hops = AlignedBuf::zeroed(self.config.hop_length.min(self.config.n_fft) * lanes);
        let (sums, transform) = (self.transform.sums(), self.transform.scratch());
        Workspace { re: spectrum.clone(), im: spectrum, sums, hops, transform }
    }

    /// Computes the samples from `start` on, each summed over its frames from first to last; returns `false` at the
    /// first frames that are not finite.
    fn stretch<I: Input<T>, O: Output<T>>(
        &self,
        spectrum: &[Complex<I>],
        n_frames: usize,
        start: usize,
        samples: &mut [O],
        workspace: &mut Workspace<T>,
    ) -> bool {
        let IstftConfig { n_fft, hop_length, trim, .. } = self.config;
        let lanes = self.transform.lanes();
        let block_len = (n_fft / 2 + 1) * lanes;
        // Positions before trimming, and those where no frame is missing.
        let wanted = start + trim..start + trim + samples.len();
        let inner = (n_fft - 1).clamp(wanted.start, wanted.end)
            ..(n_frames * hop_length).clamp(wanted.start, wanted.end);
        let mut out = Stretch { wanted: wanted.clone(), inner, n_frames, samples, done: 0 };
        workspace.sums.fill(T::zero());
        let touching = touching(&wanted, n_fft, hop_length, n_frames);
        let mut first = touching.start;
        while first < touching.end {
            let Workspace { re, im, sums, transform: scratch, .. } = workspace;
            let left = touching.end - first;
            let n_blocks = (left / lanes).clamp(1, re.len() / block_len);
            let (count, len) = (left.min(n_blocks * lanes), n_blocks * block_len);
            if !take_spectra(spectrum, n_frames, first, count, lanes, &mut re[..len], &mut im[..len]) {
                return false;
            }
            for index in 0..n_blocks {
                let block = index * block_len..(index + 1) * block_len;
                let count = lanes.min(count - index * lanes);
                self.transform.add(&re[block.clone()], &im[block], count, sums, scratch);
                self.put_hops(first + index * lanes, sums, &mut workspace.hops, &mut out);
            }
            first += n_blocks * lanes;
        }
        // The last frames reach over hops in which none begins.
        while first * hop_length < wanted.end && first < n_frames + n_fft.div_ceil(hop_length) {
            self.put_hops(first, &mut workspace.sums, &mut workspace.hops, &mut out);
            first += lanes;
        }
        out.samples[out.done..].fill(O::default());
        true
    }

    /// Takes as many hops as there are lanes, from hop `first` on, out of the sums, and writes the wanted part.
    fn put_hops<O: Output<T>>(&self, first: usize, sums: &mut [T], hops: &mut [T], out: &mut Stretch<'_, O>) {
        let IstftConfig { n_fft, hop_length, .. } = self.config;
        let (lanes, length) = (self.transform.lanes(), hop_length.min(n_fft));
        let Range { start, end } = out.wanted;
        let whole = first * hop_length..(first + lanes) * hop_length;
        if hop_length <= n_fft && out.inner.start <= whole.start && whole.end <= out.inner.end {
            let to = &mut out.samples[whole.start - start..whole.end - start];
            if let Some(to) = O::direct_mut(to) {
                self.transform.emit(sums, Some(&self.inner), to, hop_length);
                out.done = whole.end - start;
                return;
            }
        }
        self.transform.emit(sums, None, hops, length);
        for (hop, values) in (first..).zip(hops.chunks_exact(length).take(lanes)) {
            let at = hop * hop_length;
            let reached = at.clamp(start, end)..(at + length).clamp(start, end);
            if reached.is_empty() {
                continue;
            }
            // Frames that do not touch have silence between them.
            out.samples[out.done..reached.start - start].fill(O::default());
            out.done = reached.end - start;
            let samples = &mut out.samples[reached.start - start..reached.end - start];
            let values = values[reached.start - at..].iter().zip(&self.inner[reached.start - at..]);
            if out.inner.start <= reached.start && reached.end <= out.inner.end {
                for (sample, (value, weight)) in samples.iter_mut().zip(values) {
                    *sample = O::round_from(*value * *weight);
                }
            } else {
                for ((sample, (value, weight)), position) in samples.iter_mut().zip(values).zip(reached) {
                    let weight = if out.inner.contains(&position) {
                        *weight
                    } else {
                        let frames = touching_range(position, n_fft, hop_length, out.n_frames);
                        let squares = frames.map(|frame| self.squares[position - frame * hop_length]);
                        T::of(reciprocal(squares.sum(), self.floor))
                    };
                    *sample = O::round_from(*value * weight);
                }
            }
        }
    }
}

/// A part of a signal that is being written.
struct Stretch<'a, O> {
    /// Its positions before trimming.
    wanted: Range<usize>,
    /// The positions where no frame is missing.
    inner: Range<usize>,
    n_frames: usize,
    samples: &'a mut [O],
    /// Samples written so far.
    done: usize,
}

/// Finds the first frame that is not finite, row after row.
fn check_finite<T, I: Input<T>>(spectrum: &[Complex<I>], n_frames: usize) -> Result<()> {
    let mut values = parts(spectrum).iter().map(|part| part.as_f64()).enumerate();
    match values.find(|(_, value)| !value.is_finite()) {
        Some((at, value)) => Err(Error::NotFinite { index: at / 2 % n_frames, value }),
        None => Ok(()),
    }
}

/// One over a sum of squared windows that is at least `floor`, or one if both are almost zero.
fn reciprocal(sum: f64, floor: f64) -> f64 {
    let divisor = sum.max(floor);
    if divisor > f64::from(f32::MIN_POSITIVE) { 1.0 / divisor } else { 1.0 }
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
