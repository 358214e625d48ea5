//! 1x1 convolutions: a product at each pixel.

use super::gemm::{Panel, Place, Source, multiply, pack};
use super::norm::{Affine, Moments, RowSums, sum_rows};
use super::pixels::{Channels, Image, LANES};
use super::work::{Scratch, Work};
use neurdsp_simd::{AlignedBuf, Isa};

/// Pixels that are multiplied together, about: their inputs stay in the second cache.
pub(super) const PIXELS: usize = 192;

/// A 1x1 convolution without a bias.
pub struct Pointwise {
    /// `[outputs / 16][inputs][16]`.
    panel: AlignedBuf,
    inputs: usize,
    outputs: usize,
    isa: Isa,
}

impl Pointwise {
    /// A convolution with `weights[outputs][inputs]`.
    ///
    /// # Panics
    /// If there are not so many weights.
    #[must_use]
    pub fn new(weights: &[f32], inputs: usize, outputs: usize, isa: Isa) -> Self {
        assert_eq!(weights.len(), outputs * inputs, "a weight for each pair of channels");
        let mut panel = AlignedBuf::zeroed(outputs.div_ceil(LANES) * inputs * LANES);
        pack(inputs, outputs, &mut panel, |output, input| weights[output * inputs + input]);
        Self { panel, inputs, outputs, isa }
    }

    pub(super) fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of outputs.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Convolves `before(input)`.
    ///
    /// # Panics
    /// If the image has other channels.
    #[must_use]
    pub fn run<'a>(
        &self,
        input: impl Into<Channels<'a>>,
        before: Option<&Affine>,
        work: &Work,
    ) -> (Image, Moments) {
        let input = input.into();
        assert_eq!(input.channels(), self.inputs, "channels of the input");
        let (height, width) = (input.height(), input.width());
        let mut output = work.image(self.outputs, height, width);
        let mut sums = RowSums::new(self.outputs, height);
        if height * width == 0 {
            return (output, sums.moments(height, width));
        }
        let band_rows = (PIXELS / width).max(1);
        let bands = output.bands_mut(band_rows).into_iter().zip(sums.bands_mut(height, band_rows)).collect();
        work.for_each(bands, |scratch, ((band, mut rows), sums)| {
            self.multiply(input, before, band * band_rows * width, &mut rows, scratch);
            for (rows, sums) in rows.iter().zip(sums) {
                sum_rows(self.isa, rows, width, sums);
            }
        });
        (output, sums.moments(height, width))
    }

    /// Convolves the pixels from `first` on; `to` has a slice for each block of outputs.
    pub(super) fn multiply(
        &self,
        input: Channels<'_>,
        before: Option<&Affine>,
        first: usize,
        to: &mut [&mut [f32]],
        scratch: &mut Scratch,
    ) {
        let pixels = to.first().map_or(0, |to| to.len() / LANES);
        let [near] = scratch.take([input.blocks() * PIXELS.min(pixels) * LANES]);
        for part in (0..pixels).step_by(PIXELS) {
            let n = PIXELS.min(pixels - part);
            // The blocks of a large image lie a power of two apart, where a cache has few places: all outputs read a copy.
            for (block, near) in near.chunks_exact_mut(n * LANES).enumerate().take(input.blocks()) {
                let from = &input.block(block)[(first + part) * LANES..][..n * LANES];
                match before {
                    Some(before) => before.apply(self.isa, block, from, near),
                    None => near.copy_from_slice(from),
                }
            }
            let panel =
                Panel { weights: &self.panel, block_stride: self.inputs * LANES, inputs: self.inputs };
            let from = Source { data: near, block_stride: n * LANES };
            let place = Place { first: part * LANES, step: LANES, adds: false };
            multiply(self.isa, panel, from, to, place, n);
        }
    }
}
