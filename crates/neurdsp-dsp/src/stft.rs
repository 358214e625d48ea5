//! The short-time Fourier transform.

use crate::error::{Error, Result, check_length, check_samples};
use crate::exchange::blocks_together;
use crate::framing::{FrameFilter, Framing, Signal};
use crate::gradient::Adjoint;
use crate::padding::PadMode;
use crate::rows::{Rows, split_frames};
use crate::sample::{Input, Output, Sample};
use crate::transform::{Analysis, Synthesis, TransformScratch};
use crate::weave::{Staging, put_spectra};
use crate::window::{Window, pad_center};
use neurdsp_simd::AlignedBuf;
use neurdsp_simd::parallel::{self, Idle};
use realfft::num_complex::Complex;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The longest transform: beyond any use, and small enough to allocate.
pub const MAX_N_FFT: usize = 1 << 24;

/// Whether a transform of `n_fft` samples keeps its working memory between calls; longer ones give it back to the system.
pub(crate) fn keeps_memory(n_fft: usize) -> bool {
    n_fft <= 1 << 14
}

/// Which frames, which window, which padding.
#[derive(Clone, Debug, PartialEq)]
pub struct StftConfig {
    /// Length of the transform in samples.
    pub n_fft: usize,
    /// Distance of the frames in samples.
    pub hop_length: usize,
    /// One coefficient for each sample of a frame, at most `n_fft`; a shorter window lies in the middle of its frame.
    pub window: Vec<f64>,
    /// Samples of padding at each end; `n_fft / 2` centres the frames on their times.
    pub pad: usize,
    /// What the padding consists of.
    pub pad_mode: PadMode,
    /// What is done to a frame before its window. If set, a frame has only as many samples as the window, and zeros follow.
    pub filter: Option<FrameFilter>,
    /// Whether the last frame is left out, as by Whisper.
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
        if self.n_fft == 0 || self.n_fft > MAX_N_FFT {
            return Err(Error::parameter("n_fft", self.n_fft, format!("it must be from 1 to {MAX_N_FFT}")));
        }
        if self.hop_length == 0 || self.hop_length > MAX_N_FFT {
            return Err(Error::parameter(
                "hop_length",
                self.hop_length,
                format!("it must be from 1 to {MAX_N_FFT}"),
            ));
        }
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
    pub(crate) fn frame_window(&self) -> Result<Vec<f64>> {
        if self.filter.is_none() {
            return pad_center(&self.window, self.n_fft);
        }
        let mut window = self.window.clone();
        window.resize(self.n_fft, 0.0);
        Ok(window)
    }
}

/// Working memory for one thread.
#[derive(Clone, Debug)]
pub struct Workspace<T> {
    pub(crate) staging: AlignedBuf<T>,
    pub(crate) re: AlignedBuf<T>,
    pub(crate) im: AlignedBuf<T>,
    pub(crate) bands: AlignedBuf<T>,
    pub(crate) transform: TransformScratch<T>,
}

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
    pub(crate) framing: Framing,
    pub(crate) transform: Box<dyn Analysis<T>>,
    /// No bin, nor anything on the way to it, is larger than this times the largest sample.
    pub(crate) gain: f64,
    /// For gradients: planned when the first is asked for.
    pub(crate) adjoint: OnceLock<Box<dyn Synthesis<T>>>,
    idle: Idle<Workspace<T>>,
    pub(crate) idle_backward: Idle<(Workspace<T>, Adjoint<T>)>,
}

impl<T: Sample> Stft<T> {
    /// Plans the transform.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if `config` holds a value outside its domain.
    pub fn new(config: StftConfig) -> Result<Self> {
        config.validate()?;
        let StftConfig { n_fft, hop_length, pad, pad_mode, filter, drop_last, .. } = config;
        let frame_length = if filter.is_some() { config.window.len() } else { n_fft };
        let window = config.frame_window()?;
        // One half more than the sum of the window, and what the filter can add to a sample.
        let gain = 1.5
            * window.iter().map(|weight| weight.abs()).sum::<f64>()
            * filter.map_or(1.0, |filter| 2.0 * (1.0 + filter.preemphasis.abs()));
        let framing = Framing { frame_length, n_fft, hop_length, pad, pad_mode, filter, drop_last };
        let transform = T::analysis(&window, framing.staged_stride());
        let (adjoint, idle, idle_backward) =
            (OnceLock::new(), Idle::new(keeps_memory(n_fft)), Idle::new(keeps_memory(n_fft)));
        Ok(Self { config, framing, transform, gain: gain.max(1.0), adjoint, idle, idle_backward })
    }

    /// What the transform was planned from.
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
    /// [`Error::Empty`] without samples; [`Error::TooShort`] if they and the padding do not fill a frame.
    pub fn n_frames(&self, n_samples: usize) -> Result<usize> {
        self.framing.n_frames(n_samples)
    }

    /// Working memory for one thread.
    #[must_use]
    pub fn workspace(&self) -> Workspace<T> {
        // One block more: see `Staging`.
        self.workspace_for(1 + blocks_together(2 * self.n_bins() * self.transform.lanes()), 0)
    }

    pub(crate) fn workspace_for(&self, n_blocks: usize, n_bands: usize) -> Workspace<T> {
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

    /// As [`process`](Self::process), in the caller's memory: nothing is allocated.
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
    /// [`Error::Length`] if an output has not `n_bins * n_frames` elements. After an error the outputs hold parts of a result, or what they held before.
    pub fn process_batch<I: Input<T>, O: Output<T>>(
        &self,
        batch: Vec<(&[I], &mut [Complex<O>])>,
        n_threads: usize,
    ) -> Result<()> {
        let (mut tasks, mut signals) = (Vec::new(), Vec::new());
        for (samples, spectrum) in batch {
            let n_frames = self.n_frames(samples.len())?;
            check_length("the output", spectrum.len(), self.n_bins() * n_frames)?;
            tasks.extend(
                split_frames(spectrum, n_frames, self.pieces(n_frames, n_threads)).map(|p| (samples, p)),
            );
            signals.push(samples);
        }
        let within = AtomicBool::new(true);
        parallel::for_each(
            n_threads,
            tasks,
            &self.idle,
            || self.workspace(),
            |workspace, (samples, (first, mut rows))| {
                if !self.run(samples, first, &mut rows, workspace) {
                    within.store(false, Ordering::Relaxed);
                }
            },
        );
        let limit = self.limit::<O>();
        if within.into_inner() {
            Ok(())
        } else {
            signals.into_iter().try_for_each(|s| check_samples(s, limit))
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

    /// What a sample may be at most, in size, for every bin to be finite in the type of the result.
    pub(crate) fn limit<O: Output<T>>(&self) -> f64 {
        O::LARGEST.min(<T as Output<T>>::LARGEST) / self.gain
    }

    /// Whether the samples that `count` frames from `first` on are the first of `n_frames` to need are within `limit`.
    ///
    /// Asked just before they are transformed: it reads them in order, which brings them into the cache.
    pub(crate) fn finds_within<I: Input<T>>(
        &self,
        samples: &[I],
        first: usize,
        count: usize,
        n_frames: usize,
        limit: f64,
    ) -> bool {
        I::all_within(&samples[self.framing.newly_needed(first, count, n_frames, samples.len())], limit)
    }

    /// Into how many tasks the frames of one signal are split.
    pub(crate) fn pieces(&self, n_frames: usize, n_threads: usize) -> usize {
        if n_threads <= 1 { 1 } else { (n_frames / (8 * self.transform.lanes())).clamp(1, 4 * n_threads) }
    }
}
