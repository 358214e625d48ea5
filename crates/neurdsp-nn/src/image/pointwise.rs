//! 1x1 convolutions: a product at each pixel.

use super::gemm::{Panel, Place, Source, multiply, pack};
use super::norm::{Affine, Moments, RowSums, sum_rows};
use super::pixels::{Channels, Image, LANES};
use super::work::Work;
use neurdsp_simd::{AlignedBuf, Isa};

/// Pixels that are multiplied together, about: their inputs stay in the second cache.
const PIXELS: usize = 192;

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
            let (first, pixels) = (band * band_rows * width, rows[0].len() / LANES);
            match before {
                Some(before) => {
                    let [normed] = scratch.take([input.blocks() * pixels * LANES]);
                    for (block, normed) in normed.chunks_exact_mut(pixels * LANES).enumerate() {
                        let from = &input.block(block)[first * LANES..][..pixels * LANES];
                        before.apply(self.isa, block, from, normed);
                    }
                    let from = Source { data: normed, block_stride: pixels * LANES };
                    let place = Place { first: 0, step: LANES, adds: false };
                    multiply(self.isa, self.panel(0, 0, self.inputs), from, &mut rows, place, pixels);
                }
                None => self.multiply(input, first, 0, &mut rows),
            }
            for (rows, sums) in rows.iter().zip(sums) {
                sum_rows(self.isa, rows, width, sums);
            }
        });
        (output, sums.moments(height, width))
    }

    /// Convolves the pixels from `first` on for the outputs from `block` on, as many as `to` has room for.
    pub(super) fn multiply(&self, input: Channels<'_>, first: usize, block: usize, to: &mut [&mut [f32]]) {
        let pixels = to.first().map_or(0, |to| to.len() / LANES);
        for (first_block, image) in input.parts() {
            let from = Source { data: &image.data()[first * LANES..], block_stride: image.block_len() };
            let place = Place { first: 0, step: LANES, adds: first_block > 0 };
            let panel = self.panel(block, first_block * LANES, image.channels());
            multiply(self.isa, panel, from, to, place, pixels);
        }
    }

    /// The weights of some inputs for the outputs from `block` on.
    fn panel(&self, block: usize, first: usize, inputs: usize) -> Panel<'_> {
        let weights = &self.panel[(block * self.inputs + first) * LANES..];
        Panel { weights, block_stride: self.inputs * LANES, inputs }
    }
}
