//! The past of a layer, a ring for each channel, whose windows are always contiguous.

use super::rows::{Rows, RowsMut};
use crate::bounds::{MAX_FRAMES, MAX_HISTORY};
use crate::error::{Error, check_channels};
use neurdsp_simd::AlignedBuf;

/// Fewest frames of a ring. A shorter ring copies to its mirror more often than it saves memory.
const MIN_CAPACITY: usize = 256;

/// Values between two rings beyond what they need: an odd number of cache lines, so that the rows of many channels do not
/// fall into the same few sets of the cache.
const SKEW: usize = 16;

/// For each channel a ring of frames, a power of two long, followed by a mirror of its first [`MAX_FRAMES`] frames.
///
/// A layer writes up to [`MAX_FRAMES`] new frames at [`incoming`](Self::incoming), [`commit`](Self::commit)s them, reads
/// windows of the same length that begin any number of frames back, and [`advance`](Self::advance)s. Thanks to the mirror
/// neither writes nor reads ever wrap.
///
/// # Examples
///
/// ```
/// use neurdsp_nn::planar::PlanarRing;
///
/// let mut ring = PlanarRing::new(1, 4)?;
/// for x in [1.0, 2.0] {
///     ring.incoming().row_mut(0)[0] = x;
///     ring.commit(1);
///     assert_eq!(ring.present().row(0)[0], x);
///     ring.advance(1);
/// }
/// ring.commit(1);
/// assert_eq!(ring.window(1).row(0)[0], 2.0); // one frame back
/// # Ok::<(), neurdsp_nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PlanarRing {
    data: AlignedBuf,
    channels: usize,
    /// Frames in a ring, without the mirror; a power of two.
    capacity: usize,
    /// Frames before the present ones that are remembered.
    history: usize,
    /// The frame that the next write begins at.
    position: usize,
}

impl PlanarRing {
    /// Rings of zeros that remember `history` frames before the present ones.
    ///
    /// # Errors
    ///
    /// [`Error::Channels`], or [`Error::Kernel`] if `history` exceeds 2²⁶ frames.
    pub fn new(channels: usize, history: usize) -> Result<PlanarRing, Error> {
        let data = AlignedBuf::zeroed(PlanarRing::values(channels, history)?);
        Ok(PlanarRing { data, channels, capacity: capacity(history), history, position: 0 })
    }

    /// How many values such a ring takes in memory, so that callers can check before they build one.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn values(channels: usize, history: usize) -> Result<usize, Error> {
        check_channels(channels)?;
        if history > MAX_HISTORY {
            return Err(Error::Kernel { kernel_size: 2, dilation: history });
        }
        Ok(channels * stride(capacity(history)))
    }

    /// Where the next frames go.
    #[inline]
    pub fn incoming(&mut self) -> RowsMut<'_> {
        let stride = self.stride();
        RowsMut::new(&mut self.data[self.position..], stride, self.channels)
    }

    /// The frames last written.
    #[inline]
    #[must_use]
    pub fn present(&self) -> Rows<'_> {
        self.window(0)
    }

    /// The rows that begin `back` frames before the present.
    #[inline]
    #[must_use]
    pub fn window(&self, back: usize) -> Rows<'_> {
        let start = self.position.wrapping_sub(back) & (self.capacity - 1);
        Rows::new(&self.data[start..], self.stride(), self.channels)
    }

    /// Makes the `frames` frames just written visible to every later window.
    ///
    /// # Panics
    ///
    /// If `frames` exceeds [`MAX_FRAMES`].
    #[inline]
    pub fn commit(&mut self, frames: usize) {
        assert!(frames <= MAX_FRAMES);
        let (start, end) = (self.position, self.position + frames);
        if start >= MAX_FRAMES && end <= self.capacity {
            return;
        }
        self.mirror(start, end);
    }

    /// Copies the frames from `start` to `end` to their second place.
    fn mirror(&mut self, start: usize, end: usize) {
        let stride = self.stride();
        for ring in self.data.chunks_exact_mut(stride) {
            if start < MAX_FRAMES {
                ring.copy_within(start..end.min(MAX_FRAMES), self.capacity + start);
            }
            if end > self.capacity {
                ring.copy_within(self.capacity..end, 0);
            }
        }
    }

    /// Makes the frames after the `frames` present ones the next to be written.
    #[inline]
    pub fn advance(&mut self, frames: usize) {
        self.position = (self.position + frames) & (self.capacity - 1);
    }

    /// Fills the whole past with the first present frame.
    pub fn settle(&mut self) {
        let (stride, position) = (self.stride(), self.position);
        for ring in self.data.chunks_exact_mut(stride) {
            let value = ring[position];
            ring.fill(value);
        }
    }

    /// How many channels.
    #[inline]
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Frames before the present ones that are remembered.
    #[inline]
    #[must_use]
    pub fn history(&self) -> usize {
        self.history
    }

    #[inline]
    pub(super) fn stride(&self) -> usize {
        stride(self.capacity)
    }

    #[inline]
    pub(super) fn position(&self) -> usize {
        self.position
    }

    #[inline]
    pub(super) fn mask(&self) -> usize {
        self.capacity - 1
    }

    #[inline]
    pub(super) fn data(&self) -> &[f32] {
        &self.data
    }
}

fn capacity(history: usize) -> usize {
    (history + MAX_FRAMES).next_power_of_two().max(MIN_CAPACITY)
}

#[inline]
fn stride(capacity: usize) -> usize {
    capacity + MAX_FRAMES + SKEW
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every window of a ring equals the same stretch of the whole signal, for block lengths that straddle the seam.
    #[test]
    fn windows_equal_the_signal_across_every_seam() {
        for history in [0, 1, 63, 192, 193, 500] {
            let mut ring = PlanarRing::new(2, history).unwrap();
            let mut signal = vec![0.0; history];
            let mut seed = 1u32;
            for _ in 0..100 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let frames = 1 + (seed >> 16) as usize % MAX_FRAMES;
                let start = signal.len();
                signal.extend((start..start + frames).map(|i| i as f32));
                let mut rows = ring.incoming();
                for channel in 0..2 {
                    let row = rows.row_mut(channel);
                    row.fill(f32::NAN); // a kernel may write beyond the block's end
                    for (to, from) in row.iter_mut().zip(&signal[start..]) {
                        *to = from + channel as f32 * 0.5;
                    }
                }
                ring.commit(frames);
                for back in 0..=history {
                    for channel in 0..2 {
                        let row = &ring.window(back).row(channel)[..frames];
                        let past = &signal[start - back..][..frames];
                        assert!(row.iter().zip(past).all(|(&a, &b)| {
                            a == b + channel as f32 * 0.5 || (start - back < history && a == 0.0)
                        }));
                    }
                }
                ring.advance(frames);
            }
        }
    }

    #[test]
    fn settling_makes_every_window_the_present_frame() {
        let mut ring = PlanarRing::new(3, 100).unwrap();
        ring.advance(40);
        for channel in 0..3 {
            ring.incoming().row_mut(channel)[0] = channel as f32;
        }
        ring.settle();
        for (back, channel) in [(0, 0), (1, 1), (100, 2)] {
            assert!(ring.window(back).row(channel).iter().all(|&x| x == channel as f32));
        }
    }

    #[test]
    fn a_ring_that_cannot_be_addressed_is_refused() {
        assert!(PlanarRing::new(1, MAX_HISTORY + 1).is_err());
        assert!(PlanarRing::new(1, usize::MAX).is_err());
        assert!(PlanarRing::new(0, 1).is_err());
        assert!(PlanarRing::values(usize::MAX, 1).is_err());
    }
}
