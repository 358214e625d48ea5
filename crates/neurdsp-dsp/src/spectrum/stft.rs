//! The short-time Fourier transform.

use super::adjoint::Adjoint;
use super::workspace::Workspace;
use crate::blocks::FrameFilter;
use crate::blocks::exchange::blocks_together;
use crate::blocks::framing::{Framing, Signal};
use crate::blocks::rows::{Rows, split_frames};
use crate::blocks::weave::{Staging, put_spectra};
use crate::error::{Error, Result, check_length};
use crate::limits::{MAX_N_FFT, check_size, keeps_memory};
use crate::padding::PadMode;
use crate::sample::{Input, Output, Sample, check_samples};
use crate::transform::{Analysis, Synthesis};
use crate::window::{Window, pad_center};
use neurdsp_simd::AlignedBuf;
use neurdsp_simd::parallel::{self, Idle};
use realfft::num_complex::Complex;
use std::sync::OnceLock;

/// The parameters of an STFT.
#[derive(Clone, Debug, PartialEq)]
pub struct StftConfig {
    /// Length of the transform in samples.
    pub n_fft: usize,
    /// Distance between frames in samples.
    pub hop_length: usize,
    /// One coefficient for each sample of a frame, at most `n_fft`; a shorter window lies in the middle of its frame.
    pub window: Vec<f64>,
    /// Samples of padding at each end; `n_fft / 2` centres the frames on their times.
    pub pad: usize,
    /// The values of the padding.
    pub pad_mode: PadMode,
    /// Processing of a frame before its window. If set, a frame has only as many samples as the window, followed by zeros.
    pub filter: Option<FrameFilter>,
    /// Whether the last frame is left out, as in Whisper.
    pub drop_last: bool,
}

impl StftConfig {
    /// librosa's defaults: a periodic Hann window, a hop of a quarter, centred frames padded with zeros.
    #[must_use]
    pub fn new(n_fft: usize) -> Self {
        Self {
            n_fft,
            hop_length: (n_fft / 4).max(1),
            window: Window::Hann.periodic(n_fft.min(MAX_N_FFT)),
            pad: n_fft / 2,
            pad_mode: PadMode::Constant,
            filter: None,
            drop_last: false,
        }
    }

    fn validate(&self) -> Result<()> {
        check_size("n_fft", self.n_fft)?;
        check_size("hop_length", self.hop_length)?;
        if self.window.is_empty() || self.window.len() > self.n_fft {
            let allowed = format!("it must be from 1 to n_fft = {}", self.n_fft);
            return Err(Error::parameter("win_length", self.window.len(), allowed));
        }
        if let Some(bad) = self.window.iter().find(|w| !w.is_finite()) {
            return Err(Error::parameter("window", bad, "every coefficient must be a finite number"));
        }
        if self.pad > MAX_N_FFT {
            return Err(Error::parameter("pad", self.pad, format!("it must be at most {MAX_N_FFT}")));
        }
        Ok(())
    }

    /// The window as it lies in the transform, `n_fft` coefficients.
    pub(super) fn frame_window(&self) -> Result<Vec<f64>> {
        if self.filter.is_none() {
            return pad_center(&self.window, self.n_fft);
        }
        let mut window = self.window.clone();
        window.resize(self.n_fft, 0.0);
        Ok(window)
    }
}

/// A signal, the number of a frame, and the stretch of the output that begins with it.
pub(super) type Task<'a, I, E> = (&'a [I], usize, Rows<'a, E>);

/// A planned short-time Fourier transform that computes in `T`.
///
/// ```
/// use neurdsp_dsp::{Stft, StftConfig};
///
/// let stft = Stft::<f32>::new(StftConfig::new(512))?;
/// let spectrum = stft.process(&vec![0.5; 1000])?;
/// assert_eq!(spectrum.len(), 257 * stft.n_frames(1000)?);
/// # Ok::<(), neurdsp_dsp::Error>(())
/// ```
pub struct Stft<T: Sample> {
    config: StftConfig,
    pub(super) framing: Framing,
    pub(super) transform: Box<dyn Analysis<T>>,
    /// No bin, and no intermediate value, is larger than this times the largest sample.
    pub(super) gain: f64,
    /// For gradients; planned at the first one.
    pub(super) adjoint: OnceLock<Box<dyn Synthesis<T>>>,
    idle: Idle<Workspace<T>>,
    pub(super) idle_backward: Idle<(Workspace<T>, Adjoint<T>)>,
}

impl<T: Sample> Stft<T> {
    /// Plans the transform.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if a value of `config` is outside its domain.
    pub fn new(config: StftConfig) -> Result<Self> {
        config.validate()?;
        let StftConfig { n_fft, hop_length, pad, pad_mode, filter, drop_last, .. } = config;
        let frame_length = if filter.is_some() { config.window.len() } else { n_fft };
        let window = config.frame_window()?;
        // One and a half times the sum of the window, times the largest gain of the filter.
        let gain = 1.5
            * window.iter().map(|weight| weight.abs()).sum::<f64>()
            * filter.map_or(1.0, |filter| 2.0 * (1.0 + filter.preemphasis.abs()));
        let framing = Framing { frame_length, n_fft, hop_length, pad, pad_mode, filter, drop_last };
        let transform = T::analysis(&window, framing.staged_stride());
        let (adjoint, idle, idle_backward) =
            (OnceLock::new(), Idle::new(keeps_memory(n_fft)), Idle::new(keeps_memory(n_fft)));
        Ok(Self { config, framing, transform, gain: gain.max(1.0), adjoint, idle, idle_backward })
    }

    /// The parameters of the plan.
    #[must_use]
    pub fn config(&self) -> &StftConfig {
        &self.config
    }

    /// Rows of the result: frequencies from zero to half the sample rate.
    #[must_use]
    pub fn n_bins(&self) -> usize {
        self.config.n_fft / 2 + 1
    }

    /// Columns of the result for a signal of `n_samples`.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`] without samples; [`Error::TooShort`] if samples and padding do not fill a frame.
    pub fn n_frames(&self, n_samples: usize) -> Result<usize> {
        self.framing.n_frames(n_samples)
    }

    /// Working memory for one thread.
    #[must_use]
    pub fn workspace(&self) -> Workspace<T> {
        // One block more: see `Staging`.
        self.workspace_for(1 + blocks_together(2 * self.n_bins() * self.transform.lanes()), 0)
    }

    pub(super) fn workspace_for(&self, n_blocks: usize, n_bands: usize) -> Workspace<T> {
        let lanes = self.transform.lanes();
        Workspace {
            staging: AlignedBuf::zeroed(self.framing.staging_len(lanes)),
            re: AlignedBuf::zeroed(n_blocks * self.n_bins() * lanes),
            im: AlignedBuf::zeroed(n_blocks * self.n_bins() * lanes),
            bands: AlignedBuf::zeroed(n_bands * lanes),
            transform: self.transform.scratch(),
        }
    }

    /// The complex spectrum, `n_bins` rows of `n_frames`.
    ///
    /// # Errors
    ///
    /// As [`process_batch`](Self::process_batch).
    pub fn process(&self, samples: &[T]) -> Result<Vec<Complex<T>>> {
        let mut spectrum = vec![Complex::default(); self.n_bins() * self.n_frames(samples.len())?];
        self.process_with_scratch(samples, &mut spectrum, &mut self.workspace())?;
        Ok(spectrum)
    }

    /// As [`process`](Self::process), but in the caller's memory: nothing is allocated.
    ///
    /// # Errors
    ///
    /// As [`process_batch`](Self::process_batch).
    pub fn process_with_scratch<I: Input<T>, O: Output<T>>(
        &self,
        samples: &[I],
        spectrum: &mut [Complex<O>],
        workspace: &mut Workspace<T>,
    ) -> Result<()> {
        let n_frames = self.n_frames(samples.len())?;
        check_length("the output", spectrum.len(), self.n_bins() * n_frames)?;
        let within = self.run(samples, 0, &mut Rows::whole(spectrum, n_frames), workspace);
        if within { Ok(()) } else { check_samples(samples, self.limit::<O>()) }
    }

    /// The spectra of several signals, each with its own output, on up to `n_threads` threads.
    ///
    /// The result is the same, bit for bit, whatever the number of threads.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`], [`Error::TooShort`], [`Error::NotFinite`], [`Error::TooLarge`] about the samples,
    /// [`Error::Length`] if an output does not have `n_bins * n_frames` elements. After an error the outputs hold
    /// part of a result or their previous contents.
    pub fn process_batch<I: Input<T>, O: Output<T>>(
        &self,
        batch: Vec<(&[I], &mut [Complex<O>])>,
        n_threads: usize,
    ) -> Result<()> {
        let signals: Vec<_> = batch.iter().map(|(samples, _)| *samples).collect();
        let tasks = self.tasks(batch, self.n_bins(), n_threads)?;
        let within = parallel::for_all(
            n_threads,
            tasks,
            &self.idle,
            || self.workspace(),
            |workspace, (samples, first, mut rows)| self.run(samples, first, &mut rows, workspace),
        );
        if within {
            Ok(())
        } else {
            signals.into_iter().try_for_each(|s| check_samples(s, self.limit::<O>()))
        }
    }

    /// Transforms the frames of `rows` from `first` on; `false` at the first samples that are not finite or too large.
    fn run<I: Input<T>, O: Output<T>>(
        &self,
        samples: &[I],
        first: usize,
        rows: &mut Rows<'_, Complex<O>>,
        workspace: &mut Workspace<T>,
    ) -> bool {
        let Workspace { staging, re, im, transform: scratch, .. } = workspace;
        let (lanes, signal, limit) = (self.transform.lanes(), Signal::whole(samples), self.limit::<O>());
        let width = re.len() / self.n_bins();
        let mut done = 0;
        while done < rows.n_frames() {
            let left = rows.n_frames() - done;
            let n_blocks = (left / lanes).clamp(1, width / lanes - 1);
            for index in 0..n_blocks {
                let (first, count) = (first + done + index * lanes, lanes.min(left - index * lanes));
                if !self.finds_within(samples, first, count, rows.step(), limit) {
                    return false;
                }
                let (block, stride) = self.framing.block(signal, first, count, lanes, staging);
                let at = (1 + index) * lanes;
                self.transform.spectrum(block, stride, count, &mut re[at..], &mut im[at..], width, scratch);
            }
            let count = left.min(n_blocks * lanes);
            put_spectra(&mut Staging { re, im, width, lanes }, done, count, rows);
            done += count;
        }
        true
    }

    /// The largest magnitude of a sample for which every bin is finite in the type of the result.
    pub(super) fn limit<O: Output<T>>(&self) -> f64 {
        O::LARGEST.min(<T as Output<T>>::LARGEST) / self.gain
    }

    /// Whether the samples that `count` frames from `first` on are the first to need, of `n_frames`, are within `limit`.
    ///
    /// Called just before they are transformed: it reads them in order, which brings them into the cache.
    pub(super) fn finds_within<I: Input<T>>(
        &self,
        samples: &[I],
        first: usize,
        count: usize,
        n_frames: usize,
        limit: f64,
    ) -> bool {
        I::all_within(&samples[self.framing.newly_needed(first, count, n_frames, samples.len())], limit)
    }

    /// The tasks of a batch of signals and their outputs, `n_rows` rows of frames each.
    pub(super) fn tasks<'a, I, E>(
        &self,
        batch: Vec<(&'a [I], &'a mut [E])>,
        n_rows: usize,
        n_threads: usize,
    ) -> Result<Vec<Task<'a, I, E>>> {
        let mut tasks = Vec::new();
        for (samples, output) in batch {
            let n_frames = self.n_frames(samples.len())?;
            check_length("the output", output.len(), n_rows * n_frames)?;
            let pieces = match n_threads {
                0 | 1 => 1,
                _ => (n_frames / (8 * self.transform.lanes())).clamp(1, 4 * n_threads),
            };
            tasks.extend(split_frames(output, n_frames, pieces).map(|(first, rows)| (samples, first, rows)));
        }
        Ok(tasks)
    }
}
