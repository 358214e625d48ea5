//! Spectrograms of a signal that arrives piece by piece.

use crate::error::{Error, Result};
use crate::framing::Signal;
use crate::padding::PadMode;
use crate::sample::{Input, Sample};
use crate::spectrogram::Spectrogram;
use crate::stft::Workspace;
use std::sync::Arc;

/// A spectrogram in progress: push blocks of any size, get each frame as soon as it is settled.
///
/// The frames are those of [`Spectrogram::process`] on the whole signal, bit for bit, whatever the blocks. Memory is bounded
/// by the length of a frame and of the padding, and after construction nothing is allocated.
///
/// ```
/// use neurdsp_dsp::{Magnitude, Projection, Spectrogram, SpectrogramStream, StftConfig};
/// use std::sync::Arc;
///
/// let config = StftConfig::new(256);
/// let plan = Spectrogram::<f32>::new(config, Magnitude::Power, Projection::Bins(129), None)?;
/// let plan = Arc::new(plan);
/// let signal: Vec<f32> = (0..1000).map(|i| (i as f32 / 9.0).sin()).collect();
/// let mut stream = SpectrogramStream::new(&plan)?;
/// let mut n_frames = 0;
/// for block in signal.chunks(77) {
///     stream.push(block, |_frame| n_frames += 1)?;
/// }
/// stream.flush(|_frame| n_frames += 1);
/// assert_eq!(n_frames, plan.n_frames(1000)?);
/// # Ok::<(), neurdsp_dsp::Error>(())
/// ```
pub struct SpectrogramStream<T: Sample> {
    plan: Arc<Spectrogram<T>>,
    workspace: Workspace<T>,
    /// The latest samples; its capacity never changes.
    samples: Vec<T>,
    /// Position of `samples[0]` in the signal.
    base: usize,
    /// Frames given so far.
    n_given: usize,
    /// One frame, its rows side by side.
    frame: Vec<T>,
    /// Samples taken in at once.
    chunk: usize,
}

impl<T: Sample> SpectrogramStream<T> {
    /// A stream at the beginning of a signal.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if the plan pads by [`PadMode::Wrap`], which begins with the signal's end.
    pub fn new(plan: &Arc<Spectrogram<T>>) -> Result<Self> {
        let framing = &plan.stft().framing;
        if framing.pad_mode == PadMode::Wrap && framing.pad > 0 {
            let allowed =
                "a stream cannot begin with the end of its signal; use constant, reflect, edge or symmetric";
            return Err(Error::parameter("pad_mode", "'wrap'", allowed));
        }
        let chunk = framing.n_fft.max(1024);
        // What may be needed again (a frame, or the padding after the end), what comes in, and room to move it rarely.
        let capacity = framing.frame_length.max(framing.pad + 1) + framing.pad + 4 * chunk;
        Ok(Self {
            workspace: plan.workspace(),
            samples: Vec::with_capacity(capacity),
            base: 0,
            n_given: 0,
            frame: vec![T::zero(); plan.n_rows()],
            chunk,
            plan: Arc::clone(plan),
        })
    }

    /// Rows of a frame.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.plan.n_rows()
    }

    /// Takes samples and hands every frame that they settle to `emit`. Allocates nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`] if there is NaN or infinity among the samples, of which then none is taken.
    pub fn push<I: Input<T>>(&mut self, block: &[I], mut emit: impl FnMut(&[T])) -> Result<()> {
        if !I::all_finite(block) {
            let index = block.iter().position(|sample| !sample.as_f64().is_finite()).unwrap_or(0);
            return Err(Error::NotFinite { index, value: block[index].as_f64() });
        }
        for chunk in block.chunks(self.chunk) {
            if self.samples.len() + chunk.len() > self.samples.capacity() {
                self.forget();
            }
            self.samples.extend(chunk.iter().map(|sample| sample.convert()));
            let settled = self.plan.stft().framing.n_settled(self.base + self.samples.len());
            self.give(settled, &mut emit);
        }
        Ok(())
    }

    /// Ends the signal: hands its last frames to `emit` and begins a new one. Allocates nothing.
    ///
    /// A signal too short for a frame gives none.
    pub fn flush(&mut self, mut emit: impl FnMut(&[T])) {
        let n_frames = self.plan.n_frames(self.base + self.samples.len()).unwrap_or(0);
        self.give(n_frames, &mut emit);
        self.reset();
    }

    /// Begins a new signal; what is left of the old one is dropped.
    pub fn reset(&mut self) {
        self.samples.clear();
        (self.base, self.n_given) = (0, 0);
    }

    /// Drops the samples that no frame will need again.
    fn forget(&mut self) {
        let n_seen = self.base + self.samples.len();
        let first = self.plan.stft().framing.first_needed(self.n_given, n_seen);
        self.samples.drain(..first.saturating_sub(self.base));
        self.base = self.base.max(first);
    }

    fn give(&mut self, until: usize, emit: &mut impl FnMut(&[T])) {
        let lanes = self.plan.stft().transform.lanes();
        let length = self.base + self.samples.len();
        while self.n_given < until {
            let count = lanes.min(until - self.n_given);
            let signal = Signal { samples: &self.samples[..], base: self.base, length };
            let block = self.plan.block(signal, self.n_given, count, 0, &mut self.workspace);
            for lane in 0..count {
                for (value, row) in self.frame.iter_mut().zip(block.chunks_exact(lanes)) {
                    *value = row[lane];
                }
                emit(&self.frame);
            }
            self.n_given += count;
        }
    }
}
