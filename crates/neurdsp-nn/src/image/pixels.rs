//! An image: channels, sixteen by sixteen, of rows of pixels.

use neurdsp_simd::AlignedBuf;

/// Channels that lie side by side.
pub const LANES: usize = 16;

/// `[channels / 16][height][width][16]`; the lanes after the last channel are zero.
#[derive(Clone, Default)]
pub struct Image {
    data: AlignedBuf,
    channels: usize,
    height: usize,
    width: usize,
}

impl Image {
    /// An image of zeros.
    #[must_use]
    pub fn new(channels: usize, height: usize, width: usize) -> Self {
        let data = AlignedBuf::zeroed(channels.div_ceil(LANES) * height * width * LANES);
        Self { data, channels, height, width }
    }

    /// An image in memory that is large enough, with the values that it holds.
    pub(super) fn over(data: AlignedBuf, channels: usize, height: usize, width: usize) -> Self {
        Self { data, channels, height, width }
    }

    /// Its memory.
    pub(super) fn into_data(self) -> AlignedBuf {
        self.data
    }

    /// An image from `[channels][height][width]`.
    ///
    /// # Panics
    /// If there are not so many values.
    #[must_use]
    pub fn from_planes(planes: &[f32], channels: usize, height: usize, width: usize) -> Self {
        assert_eq!(planes.len(), channels * height * width, "one value for each pixel of each channel");
        let mut image = Self::new(channels, height, width);
        for (channel, plane) in planes.chunks_exact((height * width).max(1)).enumerate() {
            let block = &mut image.block_mut(channel / LANES)[channel % LANES..];
            block.iter_mut().step_by(LANES).zip(plane).for_each(|(to, from)| *to = *from);
        }
        image
    }

    /// The values as `[channels][height][width]`.
    #[must_use]
    pub fn to_planes(&self) -> Vec<f32> {
        let channels = 0..self.channels;
        channels.flat_map(|c| self.block(c / LANES)[c % LANES..].iter().step_by(LANES).copied()).collect()
    }

    /// Number of channels.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Number of blocks of sixteen channels.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.channels.div_ceil(LANES)
    }

    /// Number of rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Pixels of a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Values of a block of channels.
    pub(super) fn block_len(&self) -> usize {
        self.height * self.width * LANES
    }

    /// `[height][width][16]` of a block of channels.
    #[must_use]
    pub fn block(&self, block: usize) -> &[f32] {
        &self.data[block * self.block_len()..][..self.block_len()]
    }

    /// `[height][width][16]` of a block of channels.
    pub fn block_mut(&mut self, block: usize) -> &mut [f32] {
        let len = self.block_len();
        &mut self.data[block * len..][..len]
    }

    /// All values.
    pub(super) fn data(&self) -> &[f32] {
        &self.data[..self.blocks() * self.block_len()]
    }

    /// All values.
    pub(super) fn data_mut(&mut self) -> &mut [f32] {
        let len = self.blocks() * self.block_len();
        &mut self.data[..len]
    }

    /// All pixels of each block.
    pub(super) fn flat_mut(&mut self) -> Vec<&mut [f32]> {
        let block = self.block_len().max(1);
        self.data_mut().chunks_exact_mut(block).collect()
    }

    /// Splits the image into bands of rows: the number of each, and its rows in every block.
    pub fn bands_mut(&mut self, rows: usize) -> Vec<(usize, Vec<&mut [f32]>)> {
        let (block, band) = (self.block_len().max(1), rows * self.width * LANES);
        let mut bands: Vec<_> = (0..self.height.div_ceil(rows))
            .map(|number| (number, Vec::with_capacity(self.blocks())))
            .collect();
        for block in self.data_mut().chunks_exact_mut(block) {
            for (part, (_, rows)) in block.chunks_mut(band.max(1)).zip(&mut bands) {
                rows.push(part);
            }
        }
        bands
    }

    /// The channels of this image, and behind them those of `other`.
    ///
    /// # Panics
    /// If the sizes differ.
    #[must_use]
    pub fn concat(&self, other: &Image) -> Image {
        assert_eq!((self.height, self.width), (other.height, other.width), "images of one size");
        let mut image = Image::new(self.channels + other.channels, self.height, self.width);
        let own = self.data().len();
        image.data[..own].copy_from_slice(self.data());
        if self.channels.is_multiple_of(LANES) {
            image.data[own..].copy_from_slice(other.data());
            return image;
        }
        for channel in 0..other.channels {
            let (from, to) = (&other.block(channel / LANES)[channel % LANES..], self.channels + channel);
            let to = image.block_mut(to / LANES)[to % LANES..].iter_mut().step_by(LANES);
            to.zip(from.iter().step_by(LANES)).for_each(|(to, from)| *to = *from);
        }
        image
    }
}

/// The channels of one image, or of two behind one another.
#[derive(Clone, Copy)]
pub struct Channels<'a> {
    first: &'a Image,
    second: Option<&'a Image>,
}

impl<'a> From<&'a Image> for Channels<'a> {
    fn from(image: &'a Image) -> Self {
        Self { first: image, second: None }
    }
}

impl<'a> Channels<'a> {
    /// The channels of `first`, and behind them those of `second`.
    ///
    /// # Panics
    /// If the sizes differ, or the first has channels that fill no block of [`LANES`].
    #[must_use]
    pub fn both(first: &'a Image, second: &'a Image) -> Self {
        assert_eq!((first.height, first.width), (second.height, second.width), "images of one size");
        assert!(first.channels.is_multiple_of(LANES), "whole blocks of channels");
        Self { first, second: Some(second) }
    }

    pub(super) fn channels(self) -> usize {
        self.first.channels + self.second.map_or(0, Image::channels)
    }

    pub(super) fn blocks(self) -> usize {
        self.channels().div_ceil(LANES)
    }

    pub(super) fn height(self) -> usize {
        self.first.height
    }

    pub(super) fn width(self) -> usize {
        self.first.width
    }

    /// `[height][width][16]` of a block of channels.
    pub(super) fn block(self, block: usize) -> &'a [f32] {
        match self.second {
            Some(second) if block >= self.first.blocks() => second.block(block - self.first.blocks()),
            _ => self.first.block(block),
        }
    }
}
