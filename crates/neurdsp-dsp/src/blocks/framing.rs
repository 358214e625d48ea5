//! Where the frames of a signal lie, and how they are handed to a transform block by block.

use crate::error::{Error, Result};
use crate::padding::PadMode;
use crate::sample::{Input, Sample};
use neurdsp_simd::Real;

/// Processing of each frame before its window, as in Kaldi.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FrameFilter {
    /// Subtract the frame's own mean.
    pub remove_mean: bool,
    /// Subtract this times the previous sample; the first sample counts as its own predecessor.
    pub preemphasis: f64,
}

/// The grid of frames over a padded signal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Framing {
    /// Samples of the signal in a frame.
    pub(crate) frame_length: usize,
    /// Samples in a transform; those beyond `frame_length` are zero.
    pub(crate) n_fft: usize,
    pub(crate) hop_length: usize,
    /// Padding at each end, in samples.
    pub(crate) pad: usize,
    pub(crate) pad_mode: PadMode,
    pub(crate) filter: Option<FrameFilter>,
    /// Whether the last frame is left out.
    pub(crate) drop_last: bool,
}

/// A signal of which only a part is in memory: all that the wanted frames touch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signal<'a, I> {
    pub(crate) samples: &'a [I],
    /// Position of `samples[0]` in the signal.
    pub(crate) base: usize,
    /// Length of the whole signal.
    pub(crate) length: usize,
}

impl<'a, I> Signal<'a, I> {
    /// A signal that is wholly in memory.
    pub(crate) fn whole(samples: &'a [I]) -> Self {
        Self { samples, base: 0, length: samples.len() }
    }
}

impl Framing {
    pub(crate) fn n_frames(&self, n_samples: usize) -> Result<usize> {
        if n_samples == 0 {
            return Err(Error::Empty);
        }
        let padded = n_samples + 2 * self.pad;
        if padded < self.frame_length {
            return Err(Error::TooShort { got: padded, needed: self.frame_length });
        }
        let n_frames = 1 + (padded - self.frame_length) / self.hop_length - usize::from(self.drop_last);
        if n_frames == 0 {
            let needed = self.frame_length + self.hop_length;
            return Err(Error::TooShort { got: padded, needed });
        }
        Ok(n_frames)
    }

    /// Frames that are final once `n_seen` samples of a longer signal are known.
    pub(crate) fn n_settled(&self, n_seen: usize) -> usize {
        let left_pad_is_known = match self.pad_mode {
            PadMode::Constant => true,
            PadMode::Edge => n_seen > 0,
            PadMode::Reflect => n_seen > self.pad,
            PadMode::Symmetric => n_seen >= self.pad,
            PadMode::Wrap => false,
        };
        let complete = n_seen + self.pad;
        if !left_pad_is_known || complete < self.frame_length || n_seen == 0 {
            return 0;
        }
        let n_complete = 1 + (complete - self.frame_length) / self.hop_length;
        // The frame that is last so far may turn out to be the one that is left out.
        if self.drop_last { n_complete.min(self.n_frames(n_seen).unwrap_or(0)) } else { n_complete }
    }

    /// Position of a frame's first sample; negative in the padding.
    fn start(&self, frame: usize) -> isize {
        (frame * self.hop_length) as isize - self.pad as isize
    }

    /// The samples, of `length`, that `count` frames from `first` on are the first to need. Samples after the last
    /// frame count as the last frame's.
    pub(crate) fn newly_needed(
        &self,
        first: usize,
        count: usize,
        n_frames: usize,
        length: usize,
    ) -> std::ops::Range<usize> {
        let end = |frames: usize| match frames {
            0 => 0,
            _ if frames == n_frames => length,
            _ => (self.start(frames - 1) + self.frame_length as isize).clamp(0, length as isize) as usize,
        };
        end(first)..end(first + count)
    }

    /// The first of `n_seen` samples that `frame`, later frames and the padding after the end may still need.
    pub(crate) fn first_needed(&self, frame: usize, n_seen: usize) -> usize {
        (self.start(frame).max(0) as usize).min(n_seen.saturating_sub(self.pad + 1))
    }

    /// Distance between frames in a block that had to be copied.
    pub(crate) fn staged_stride(&self) -> usize {
        if self.is_plain() { self.hop_length.min(self.n_fft) } else { self.n_fft }
    }

    /// Samples in a block of `lanes` staged frames.
    pub(crate) fn staging_len(&self, lanes: usize) -> usize {
        (lanes - 1) * self.staged_stride() + self.n_fft
    }

    fn is_plain(&self) -> bool {
        self.filter.is_none() && self.frame_length == self.n_fft
    }

    /// The `count` frames from `first` on, as `(samples, stride)`: the signal itself where possible, otherwise a copy in
    /// `staging`.
    ///
    /// The block has room for `lanes` frames; frames after the wanted ones are undefined but finite.
    #[inline]
    pub(crate) fn block<'a, I: Input<T>, T: Sample>(
        &self,
        signal: Signal<'a, I>,
        first: usize,
        count: usize,
        lanes: usize,
        staging: &'a mut [T],
    ) -> (&'a [T], usize) {
        let start = self.start(first);
        if self.is_plain() && start >= signal.base as isize {
            let from = start as usize - signal.base;
            let whole = from..from + (lanes - 1) * self.hop_length + self.n_fft;
            if let Some(direct) = signal.samples.get(whole).and_then(I::direct) {
                return (direct, self.hop_length);
            }
        }
        let stride = self.staged_stride();
        if self.is_plain() && stride == self.hop_length {
            self.copy(signal, start, &mut staging[..(count - 1) * stride + self.n_fft]);
        } else {
            for lane in 0..count {
                let frame = &mut staging[lane * stride..lane * stride + self.n_fft];
                let (frame, rest) = frame.split_at_mut(self.frame_length);
                self.copy(signal, start + (lane * self.hop_length) as isize, frame);
                rest.fill(T::zero());
                if let Some(filter) = &self.filter {
                    filter.apply(frame);
                }
            }
        }
        (staging, stride)
    }

    /// Copies the padded signal from position `start` on.
    fn copy<I: Input<T>, T: Sample>(&self, signal: Signal<'_, I>, start: isize, to: &mut [T]) {
        let Signal { samples, base, length } = signal;
        let end = start + to.len() as isize;
        let inside = start.clamp(0, length as isize)..end.clamp(0, length as isize);
        let head = (inside.start - start).clamp(0, to.len() as isize) as usize;
        let body = head + (inside.end - inside.start) as usize;
        self.pad_into(signal, start, &mut to[..head]);
        if body > head {
            let from = inside.start as usize - base;
            for (sample, from) in to[head..body].iter_mut().zip(&samples[from..from + body - head]) {
                *sample = from.convert();
            }
        }
        self.pad_into(signal, start + body as isize, &mut to[body..]);
    }

    /// Writes the padding from position `start` on, all of it before the signal or all of it after.
    fn pad_into<I: Input<T>, T: Sample>(&self, signal: Signal<'_, I>, start: isize, to: &mut [T]) {
        let Signal { samples, base, length } = signal;
        if self.pad_mode == PadMode::Constant {
            return to.fill(T::zero());
        }
        // A mirror image that is not mirrored again runs backwards through neighbouring samples.
        let first = to.len().checked_sub(1).and_then(|last| {
            let first = self.pad_mode.index(start + last as isize, length)?;
            let descends = self.pad_mode.index(start, length) == Some(first + last);
            (descends && self.pad_mode.mirrors()).then_some(first)
        });
        if let Some(first) = first {
            let mirrored = samples[first - base..first - base + to.len()].iter().rev();
            to.iter_mut().zip(mirrored).for_each(|(to, sample)| *to = sample.convert());
            return;
        }
        for (i, to) in to.iter_mut().enumerate() {
            let index = self.pad_mode.index(start + i as isize, length);
            *to = index.map_or(T::zero(), |index| samples[index - base].convert());
        }
    }
}

impl FrameFilter {
    /// Turns the gradient over a filtered frame into the gradient over the original frame.
    pub(crate) fn apply_adjoint<T: Sample>(&self, frame: &mut [T]) {
        if self.preemphasis != 0.0 {
            let factor = T::of(self.preemphasis);
            let first = frame[0];
            for i in 1..frame.len() {
                frame[i - 1] = frame[i - 1] - factor * frame[i];
            }
            frame[0] = frame[0] - factor * first;
        }
        if self.remove_mean {
            let sum = frame.iter().fold(0.0, |sum, value| sum + Real::to_f64(*value));
            let mean = T::of(sum / frame.len() as f64);
            for value in frame {
                *value = *value - mean;
            }
        }
    }

    fn apply<T: Sample>(&self, frame: &mut [T]) {
        if self.remove_mean {
            let sum = frame.iter().fold(0.0, |sum, sample| sum + Real::to_f64(*sample));
            let mean = T::of(sum / frame.len() as f64);
            for sample in frame.iter_mut() {
                *sample = *sample - mean;
            }
        }
        if self.preemphasis != 0.0 {
            let factor = T::of(self.preemphasis);
            let mut before = frame[0];
            for sample in frame {
                let this = *sample;
                *sample = this - factor * before;
                before = this;
            }
        }
    }
}
