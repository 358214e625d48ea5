//! Views of channels as rows, and a block of them.

use crate::bounds::MAX_FRAMES;
use neurdsp_simd::AlignedBuf;

/// Channels, each a row of [`MAX_FRAMES`] frames.
///
/// A kernel may read whole rows, however few frames are used.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    data: &'a [f32],
    stride: usize,
    channels: usize,
}

/// Channels to be written, each a row of [`MAX_FRAMES`] frames.
///
/// A kernel may write whole rows, however few frames are used.
#[derive(Debug)]
pub struct RowsMut<'a> {
    data: &'a mut [f32],
    stride: usize,
    channels: usize,
}

/// Values that `channels` rows, `stride` apart, take.
#[inline]
fn extent(stride: usize, channels: usize) -> usize {
    channels.checked_sub(1).map_or(0, |last| last * stride + MAX_FRAMES)
}

impl<'a> Rows<'a> {
    /// The rows that begin at the start of `data`, `stride` apart.
    ///
    /// # Panics
    ///
    /// If `data` ends before the last row does, or rows overlap.
    #[inline]
    #[must_use]
    pub fn new(data: &'a [f32], stride: usize, channels: usize) -> Rows<'a> {
        assert!(data.len() >= extent(stride, channels) && stride >= MAX_FRAMES);
        Rows { data, stride, channels }
    }

    /// How many rows.
    #[inline]
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The whole row of a channel.
    ///
    /// # Panics
    ///
    /// If there is no such channel.
    #[inline]
    #[must_use]
    pub fn row(&self, channel: usize) -> &'a [f32] {
        assert!(channel < self.channels);
        &self.data[channel * self.stride..][..MAX_FRAMES]
    }

    /// The `count` rows from `first`.
    ///
    /// # Panics
    ///
    /// If there are fewer.
    #[inline]
    #[must_use]
    pub fn range(&self, first: usize, count: usize) -> Rows<'a> {
        assert!(first + count <= self.channels);
        Rows::new(&self.data[first * self.stride..], self.stride, count)
    }

    #[inline]
    pub(super) fn as_ptr(&self) -> *const f32 {
        self.data.as_ptr()
    }

    #[inline]
    pub(super) fn stride(&self) -> usize {
        self.stride
    }
}

impl<'a> RowsMut<'a> {
    /// The rows that begin at the start of `data`, `stride` apart.
    ///
    /// # Panics
    ///
    /// If `data` ends before the last row does, or rows overlap.
    #[inline]
    #[must_use]
    pub fn new(data: &'a mut [f32], stride: usize, channels: usize) -> RowsMut<'a> {
        assert!(data.len() >= extent(stride, channels) && stride >= MAX_FRAMES);
        RowsMut { data, stride, channels }
    }

    /// How many rows.
    #[inline]
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The same rows, for reading.
    #[inline]
    #[must_use]
    pub fn as_rows(&self) -> Rows<'_> {
        Rows { data: self.data, stride: self.stride, channels: self.channels }
    }

    /// The whole row of a channel.
    ///
    /// # Panics
    ///
    /// If there is no such channel.
    #[inline]
    pub fn row_mut(&mut self, channel: usize) -> &mut [f32] {
        assert!(channel < self.channels);
        &mut self.data[channel * self.stride..][..MAX_FRAMES]
    }

    /// The first `count` rows.
    ///
    /// # Panics
    ///
    /// If there are fewer.
    #[inline]
    pub fn first_mut(&mut self, count: usize) -> RowsMut<'_> {
        assert!(count <= self.channels);
        RowsMut::new(self.data, self.stride, count)
    }

    /// Copies the first `frames` frames of rows of the same number.
    ///
    /// # Panics
    ///
    /// If the numbers of rows differ or `frames` exceeds [`MAX_FRAMES`].
    #[inline]
    pub fn copy_from(&mut self, rows: Rows<'_>, frames: usize) {
        assert_eq!(self.channels, rows.channels);
        for channel in 0..self.channels {
            self.row_mut(channel)[..frames].copy_from_slice(&rows.row(channel)[..frames]);
        }
    }

    #[inline]
    pub(super) fn as_mut_ptr(&mut self) -> *mut f32 {
        self.data.as_mut_ptr()
    }

    #[inline]
    pub(super) fn stride(&self) -> usize {
        self.stride
    }
}

/// A block of frames without a past.
///
/// # Examples
///
/// ```
/// use neurdsp_nn::planar::PlanarBlock;
///
/// let mut block = PlanarBlock::new(2);
/// block.rows_mut().row_mut(1)[0] = 3.0;
/// assert_eq!(block.rows().row(1)[0], 3.0);
/// ```
#[derive(Clone, Debug)]
pub struct PlanarBlock {
    data: AlignedBuf,
    channels: usize,
}

impl PlanarBlock {
    /// Rows of zeros.
    #[must_use]
    pub fn new(channels: usize) -> PlanarBlock {
        PlanarBlock { data: AlignedBuf::zeroed(channels * MAX_FRAMES), channels }
    }

    /// All rows.
    #[inline]
    #[must_use]
    pub fn rows(&self) -> Rows<'_> {
        Rows::new(&self.data, MAX_FRAMES, self.channels)
    }

    /// All rows, to be written.
    #[inline]
    pub fn rows_mut(&mut self) -> RowsMut<'_> {
        RowsMut::new(&mut self.data, MAX_FRAMES, self.channels)
    }

    /// The first `count` rows.
    ///
    /// # Panics
    ///
    /// If there are fewer.
    #[inline]
    #[must_use]
    pub fn first(&self, count: usize) -> Rows<'_> {
        self.rows().range(0, count)
    }

    /// The first `count` rows, to be written.
    ///
    /// # Panics
    ///
    /// If there are fewer.
    #[inline]
    pub fn first_mut(&mut self, count: usize) -> RowsMut<'_> {
        assert!(count <= self.channels);
        RowsMut::new(&mut self.data, MAX_FRAMES, count)
    }

    /// The first `count` rows and the rest.
    ///
    /// # Panics
    ///
    /// If there are fewer.
    #[inline]
    pub fn split_mut(&mut self, count: usize) -> (RowsMut<'_>, RowsMut<'_>) {
        let (first, rest) = self.data.split_at_mut(count * MAX_FRAMES);
        (RowsMut::new(first, MAX_FRAMES, count), RowsMut::new(rest, MAX_FRAMES, self.channels - count))
    }
}
