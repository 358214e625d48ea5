//! Spectrograms of a signal that arrives piece by piece.

use super::spectrogram::Spectrogram;
use super::workspace::Workspace;
use crate::blocks::exchange::put_values;
use crate::blocks::framing::Signal;
use crate::blocks::rows::Rows;
use crate::error::{Error, Result, check_length};
use crate::padding::PadMode;
use crate::sample::{Input, Output, Sample, check_samples};
use std::sync::Arc;

/// A spectrogram in progress: push blocks of any size, get each frame as soon as it is final.
///
/// The frames are those of [`Spectrogram::process`] on the whole signal, bit for bit, whatever the blocks. Memory is
/// bounded by the length of a frame and of the padding; nothing is allocated after construction.
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
    /// Samples taken at once.
    chunk: usize,
    /// The largest magnitude of a sample.
    limit: f64,
}

impl<T: Sample> SpectrogramStream<T> {
    /// A stream at the start of a signal.
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
        // A whole block of frames at a time, so that no lanes stay empty; bounded, so that a long hop does not fill the
        // memory.
        let block = plan.stft().transform.lanes().saturating_mul(framing.hop_length).min(1 << 16);
        let chunk = framing.n_fft.max(1024).max(block);
        // Samples that may be needed again (a frame, or the padding after the end), new samples, and room to move them
        // rarely.
        let capacity = framing.frame_length.max(framing.pad + 1) + framing.pad + 4 * chunk;
        Ok(Self {
            workspace: plan.workspace(),
            samples: Vec::with_capacity(capacity),
            base: 0,
            n_given: 0,
            frame: vec![T::zero(); plan.n_rows()],
            chunk,
            limit: plan.limit::<T>(),
            plan: Arc::clone(plan),
        })
    }

    /// Rows of a frame.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.plan.n_rows()
    }

    /// Frames that become final with another `n_samples` samples.
    #[must_use]
    pub fn n_ready(&self, n_samples: usize) -> usize {
        self.plan.stft().framing.n_settled(self.n_seen() + n_samples).saturating_sub(self.n_given)
    }

    /// Frames that [`flush`](Self::flush) would give.
    #[must_use]
    pub fn n_left(&self) -> usize {
        self.plan.n_frames(self.n_seen()).unwrap_or(0).saturating_sub(self.n_given)
    }

    /// Takes samples and hands every frame that becomes final to `emit`. Allocates nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`], [`Error::TooLarge`] if the block has such a sample; none of it is taken then.
    pub fn push<I: Input<T>>(&mut self, block: &[I], mut emit: impl FnMut(&[T])) -> Result<()> {
        self.take(block, |values, lanes, _, count, frame| each_frame(values, lanes, count, frame, &mut emit))
    }

    /// As [`push`](Self::push), into `rows`: `n_rows` rows of [`n_ready`](Self::n_ready) frames. Faster for long blocks.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push), and [`Error::Length`] if `rows` has another length; then nothing is taken either.
    pub fn push_rows<I: Input<T>, O: Output<T>>(&mut self, block: &[I], rows: &mut [O]) -> Result<()> {
        let n_frames = self.n_ready(block.len());
        check_length("the output", rows.len(), self.n_rows() * n_frames)?;
        let mut rows = Rows::whole(rows, n_frames);
        self.take(block, |values, lanes, first, count, _| {
            put_values(values, values.len(), lanes, first, count, &mut rows)
        })
    }

    /// Ends the signal: hands its last frames to `emit` and starts a new signal. Allocates nothing.
    ///
    /// A signal too short for a frame gives none.
    pub fn flush(&mut self, mut emit: impl FnMut(&[T])) {
        let until = self.n_given + self.n_left();
        self.give(until, |values, lanes, _, count, frame| {
            each_frame(values, lanes, count, frame, &mut emit);
        });
        self.reset();
    }

    /// As [`flush`](Self::flush), into `rows`: `n_rows` rows of [`n_left`](Self::n_left) frames.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if `rows` has another length; then the signal has not ended.
    pub fn flush_rows<O: Output<T>>(&mut self, rows: &mut [O]) -> Result<()> {
        let (n_frames, given) = (self.n_left(), self.n_given);
        check_length("the output", rows.len(), self.n_rows() * n_frames)?;
        let mut rows = Rows::whole(rows, n_frames);
        self.give(given + n_frames, |values, lanes, first, count, _| {
            put_values(values, values.len(), lanes, first - given, count, &mut rows);
        });
        self.reset();
        Ok(())
    }

    /// Starts a new signal and drops the rest of the old one.
    pub fn reset(&mut self) {
        self.samples.clear();
        (self.base, self.n_given) = (0, 0);
    }

    fn n_seen(&self) -> usize {
        self.base + self.samples.len()
    }

    /// Takes samples, and hands each block of frames that becomes final to `sink`, with the number of its first frame
    /// counted from the first that this call gives.
    fn take<I: Input<T>>(
        &mut self,
        block: &[I],
        mut sink: impl FnMut(&[T], usize, usize, usize, &mut [T]),
    ) -> Result<()> {
        check_samples(block, self.limit)?;
        let given = self.n_given;
        for chunk in block.chunks(self.chunk) {
            if self.samples.len() + chunk.len() > self.samples.capacity() {
                self.forget();
            }
            self.samples.extend(chunk.iter().map(|sample| sample.convert()));
            let settled = self.plan.stft().framing.n_settled(self.n_seen());
            self.give(settled, |values, lanes, first, count, frame| {
                sink(values, lanes, first - given, count, frame);
            });
        }
        Ok(())
    }

    /// Drops the samples that no frame will need again.
    fn forget(&mut self) {
        let first = self.plan.stft().framing.first_needed(self.n_given, self.n_seen());
        self.samples.drain(..first.saturating_sub(self.base));
        self.base = self.base.max(first);
    }

    /// Hands the frames up to `until` to `sink`: a block `[n_rows][lanes]`, its lanes, its first frame, how many frames
    /// of it count, and room for one frame.
    fn give(&mut self, until: usize, mut sink: impl FnMut(&[T], usize, usize, usize, &mut [T])) {
        let lanes = self.plan.stft().transform.lanes();
        let length = self.n_seen();
        while self.n_given < until {
            let count = lanes.min(until - self.n_given);
            let signal = Signal { samples: &self.samples[..], base: self.base, length };
            let block = self.plan.block(signal, self.n_given, count, 0, &mut self.workspace);
            sink(block, lanes, self.n_given, count, &mut self.frame);
            self.n_given += count;
        }
    }
}

/// Hands the frames of a block `[n_rows][lanes]` to `emit`, one by one.
fn each_frame<T: Sample>(
    block: &[T],
    lanes: usize,
    count: usize,
    frame: &mut [T],
    emit: &mut impl FnMut(&[T]),
) {
    for lane in 0..count {
        for (value, row) in frame.iter_mut().zip(block.chunks_exact(lanes)) {
            *value = row[lane];
        }
        emit(frame);
    }
}
