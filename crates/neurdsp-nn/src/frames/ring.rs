//! The past of a layer: a ring of frames whose windows are always contiguous.

use crate::bounds::{MAX_FRAMES, MAX_HISTORY};
use crate::error::Error;
use neurdsp_simd::{AlignedBuf, Isa};

/// How far apart frames of `channels` values lie: `channels` rounded up to whole vectors of `isa`, and to four.
///
/// # Examples
///
/// ```
/// use neurdsp_simd::Isa;
///
/// assert_eq!(neurdsp_nn::frame_stride(18, Isa::Scalar), 20);
/// ```
#[must_use]
pub fn frame_stride(channels: usize, isa: Isa) -> usize {
    channels.next_multiple_of(isa.lanes::<f32>().max(4))
}

/// A ring of frames, a power of two long, followed by a mirror of its first [`MAX_FRAMES`] frames.
///
/// A kernel writes up to [`MAX_FRAMES`] new frames at [`incoming`](Self::incoming), [`commit`](Self::commit)s them, reads
/// windows of the same length that begin any number of frames back, and [`advance`](Self::advance)s. Thanks to the
/// mirror neither the writes nor the reads ever wrap, and each call copies only what it wrote: no call is expensive
/// because it shifts the whole history.
///
/// # Examples
///
/// ```
/// use neurdsp_nn::FrameRing;
///
/// let mut ring = FrameRing::new(2, 4)?; // frames of two values, and four frames of past
/// ring.incoming(1).copy_from_slice(&[1.0, 2.0]);
/// ring.commit(1);
/// ring.advance(1);
/// ring.incoming(1).copy_from_slice(&[3.0, 4.0]);
/// ring.commit(1);
/// assert_eq!(ring.window(1, 1), [1.0, 2.0]); // one frame back
/// assert_eq!(ring.window(0, 1), [3.0, 4.0]); // the present
/// # Ok::<(), neurdsp_nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FrameRing {
    frames: AlignedBuf,
    /// Frames in the ring, without the mirror; a power of two.
    capacity: usize,
    stride: usize,
    /// Frames before the present ones that are remembered.
    history: usize,
    /// The frame that the next write begins at.
    position: usize,
}

impl FrameRing {
    /// A ring of zeros with frames of `stride` values that remembers `history` frames before the present ones.
    ///
    /// # Errors
    ///
    /// [`Error::Kernel`] if `history` exceeds 2²⁶ frames.
    pub fn new(stride: usize, history: usize) -> Result<FrameRing, Error> {
        if history > MAX_HISTORY {
            return Err(Error::Kernel { kernel_size: 2, dilation: history });
        }
        let capacity = (history + MAX_FRAMES).next_power_of_two();
        let frames = AlignedBuf::zeroed((capacity + MAX_FRAMES) * stride);
        Ok(FrameRing { frames, capacity, stride, history, position: 0 })
    }

    /// Where the next `frames` frames go, as one slice.
    ///
    /// # Panics
    ///
    /// If `frames` exceeds [`MAX_FRAMES`].
    #[inline]
    pub fn incoming(&mut self, frames: usize) -> &mut [f32] {
        assert!(frames <= MAX_FRAMES);
        &mut self.frames[self.position * self.stride..][..frames * self.stride]
    }

    /// Makes the `frames` frames just written visible to every later window.
    #[inline]
    pub fn commit(&mut self, frames: usize) {
        let (start, end) = (self.position, self.position + frames);
        if start < MAX_FRAMES {
            let mirrored = end.min(MAX_FRAMES);
            self.copy_frames(start..mirrored, self.capacity + start);
        }
        if end > self.capacity {
            self.copy_frames(self.capacity..end, 0);
        }
    }

    fn copy_frames(&mut self, from: std::ops::Range<usize>, to: usize) {
        self.frames.copy_within(from.start * self.stride..from.end * self.stride, to * self.stride);
    }

    /// Makes the frames after the `frames` present ones the next to be written.
    #[inline]
    pub fn advance(&mut self, frames: usize) {
        self.position = (self.position + frames) & (self.capacity - 1);
    }

    /// Where the window that begins `back` frames before the present begins, as an index into [`samples`](Self::samples).
    #[inline]
    #[must_use]
    pub fn offset(&self, back: usize) -> usize {
        (self.position.wrapping_sub(back) & (self.capacity - 1)) * self.stride
    }

    /// The window of `frames` frames that begins `back` frames before the present.
    #[inline]
    #[must_use]
    pub fn window(&self, back: usize, frames: usize) -> &[f32] {
        &self.frames[self.offset(back)..][..frames * self.stride]
    }

    /// All frames, mirror included: what offsets index.
    #[inline]
    #[must_use]
    pub fn samples(&self) -> &[f32] {
        &self.frames
    }

    /// Values from one frame to the next.
    #[inline]
    #[must_use]
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Frames before the present ones that are remembered.
    #[inline]
    #[must_use]
    pub fn history(&self) -> usize {
        self.history
    }

    /// Fills the whole past with the first present frame.
    pub fn settle(&mut self) {
        let (before, rest) = self.frames.split_at_mut(self.position * self.stride);
        let (frame, after) = rest.split_at_mut(self.stride);
        for slot in before.chunks_exact_mut(self.stride).chain(after.chunks_exact_mut(self.stride)) {
            slot.copy_from_slice(frame);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every window of a ring equals the same stretch of the whole signal, for block lengths that straddle the seam.
    #[test]
    fn windows_equal_the_signal_across_every_seam() {
        for history in [0, 1, 5, 63, 64, 65, 200] {
            let mut ring = FrameRing::new(1, history).unwrap();
            let mut signal = vec![0.0; history];
            let mut seed = 1u32;
            for _ in 0..300 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let frames = 1 + (seed >> 16) as usize % MAX_FRAMES;
                let start = signal.len();
                signal.extend((start..start + frames).map(|i| i as f32));
                ring.incoming(frames).copy_from_slice(&signal[start..]);
                ring.commit(frames);
                for back in 0..=history {
                    assert_eq!(ring.window(back, frames), &signal[start - back..][..frames]);
                }
                ring.advance(frames);
            }
        }
    }

    #[test]
    fn settling_makes_every_window_the_present_frame() {
        let mut ring = FrameRing::new(2, 100).unwrap();
        ring.advance(40);
        ring.incoming(1).copy_from_slice(&[3.0, 4.0]);
        ring.settle();
        for back in 0..=100 {
            assert!(ring.window(back, MAX_FRAMES).chunks(2).all(|frame| frame == [3.0, 4.0]));
        }
    }

    #[test]
    fn a_history_that_cannot_be_addressed_is_refused() {
        assert!(FrameRing::new(1, MAX_HISTORY + 1).is_err());
        assert!(FrameRing::new(1, usize::MAX).is_err());
    }
}
