//! Convolutions whose patches do not overlap: those that shrink an image, and those that enlarge it.

use super::gemm::{Panel, Place, Source, multiply, pack};
use super::norm::{Affine, Moments, RowSums, sum_rows};
use super::pixels::{Image, LANES};
use super::work::Work;
use neurdsp_simd::{AlignedBuf, Isa};

/// Pixels of the smaller image that are multiplied together, about.
const PIXELS: usize = 96;

/// A convolution with patches of `rows x columns` pixels, as far apart, without a bias.
pub struct Downscale {
    /// `[outputs / 16][rows][columns][inputs][16]`; the inputs fill blocks of sixteen.
    panel: AlignedBuf,
    inputs: usize,
    outputs: usize,
    factor: (usize, usize),
    isa: Isa,
}

impl Downscale {
    /// A convolution with `weights[outputs][inputs][rows][columns]`.
    ///
    /// # Panics
    /// If there are not so many weights.
    #[must_use]
    pub fn new(weights: &[f32], inputs: usize, outputs: usize, factor: (usize, usize), isa: Isa) -> Self {
        let taps = factor.0 * factor.1;
        assert_eq!(weights.len(), outputs * inputs * taps, "a patch of weights for each pair of channels");
        let padded = inputs.div_ceil(LANES) * LANES;
        let mut panel = AlignedBuf::zeroed(outputs.div_ceil(LANES) * taps * padded * LANES);
        pack(taps * padded, outputs, &mut panel, |output, place| match place % padded {
            input if input < inputs => weights[(output * inputs + input) * taps + place / padded],
            _ => 0.0,
        });
        Self { panel, inputs, outputs, factor, isa }
    }

    /// Convolves `before(input)`, whose last rows and columns are left out if they fill no patch.
    ///
    /// # Panics
    /// If the image has other channels.
    #[must_use]
    pub fn run(&self, input: &Image, before: &Affine, work: &Work) -> (Image, Moments) {
        assert_eq!(input.channels(), self.inputs, "channels of the input");
        let (down, right) = self.factor;
        let (height, width) = (input.height() / down, input.width() / right);
        let mut output = work.image(self.outputs, height, width);
        let mut sums = RowSums::new(self.outputs, height);
        if height * width == 0 {
            return (output, sums.moments(height, width));
        }
        let band_rows = (PIXELS / width).max(1);
        let bands = output.bands_mut(band_rows).into_iter().zip(sums.bands_mut(height, band_rows)).collect();
        work.for_each(bands, |scratch, ((band, mut rows), sums)| {
            let pixels = rows[0].len() / LANES;
            let lens = [input.width() * LANES, down * right * input.blocks() * pixels * LANES];
            let [normed, taken] = scratch.take(lens);
            for y in 0..pixels / width {
                for tap_row in 0..down {
                    let from = ((band * band_rows + y) * down + tap_row) * input.width() * LANES;
                    for block in 0..input.blocks() {
                        before.apply(self.isa, block, &input.block(block)[from..][..normed.len()], normed);
                        for tap in 0..right {
                            let place = (tap_row * right + tap) * input.blocks() + block;
                            let to = &mut taken[(place * pixels + y * width) * LANES..][..width * LANES];
                            let from = normed.chunks_exact(LANES).skip(tap).step_by(right);
                            to.chunks_exact_mut(LANES)
                                .zip(from)
                                .for_each(|(to, from)| to.copy_from_slice(from));
                        }
                    }
                }
            }
            let inputs = down * right * input.blocks() * LANES;
            let panel = Panel { weights: &self.panel, block_stride: inputs * LANES, inputs };
            let from = Source { data: taken, block_stride: pixels * LANES };
            multiply(self.isa, panel, from, &mut rows, Place { first: 0, step: LANES, adds: false }, pixels);
            for (rows, sums) in rows.iter().zip(sums) {
                sum_rows(self.isa, rows, width, sums);
            }
        });
        (output, sums.moments(height, width))
    }
}

/// A transposed convolution with patches of `rows x columns` pixels, as far apart, without a bias.
pub struct Upscale {
    /// `[rows][columns][outputs / 16][inputs][16]`.
    panels: AlignedBuf,
    inputs: usize,
    outputs: usize,
    factor: (usize, usize),
    isa: Isa,
}

impl Upscale {
    /// A transposed convolution with `weights[inputs][outputs][rows][columns]`.
    ///
    /// # Panics
    /// If there are not so many weights.
    #[must_use]
    pub fn new(weights: &[f32], inputs: usize, outputs: usize, factor: (usize, usize), isa: Isa) -> Self {
        let taps = factor.0 * factor.1;
        assert_eq!(weights.len(), outputs * inputs * taps, "a patch of weights for each pair of channels");
        let panel = outputs.div_ceil(LANES) * inputs * LANES;
        let mut panels = AlignedBuf::zeroed(taps * panel);
        for (tap, panel) in panels.chunks_exact_mut(panel.max(1)).enumerate() {
            pack(inputs, outputs, panel, |output, input| weights[(input * outputs + output) * taps + tap]);
        }
        Self { panels, inputs, outputs, factor, isa }
    }

    /// Scales up `before(input)`.
    ///
    /// # Panics
    /// If the image has other channels.
    #[must_use]
    pub fn run(&self, input: &Image, before: &Affine, work: &Work) -> (Image, Moments) {
        assert_eq!(input.channels(), self.inputs, "channels of the input");
        let ((down, right), width) = (self.factor, input.width());
        let (height, out_width) = (input.height() * down, width * right);
        let mut output = work.image(self.outputs, height, out_width);
        let mut sums = RowSums::new(self.outputs, height);
        if height * width == 0 {
            return (output, sums.moments(height, out_width));
        }
        let band_rows = (PIXELS / width).max(1);
        let bands = output.bands_mut(band_rows * down).into_iter();
        let bands = bands.zip(sums.bands_mut(height, band_rows * down)).collect();
        work.for_each(bands, |scratch, ((band, mut rows), sums)| {
            let pixels = rows[0].len() / (down * right * LANES);
            let [normed] = scratch.take([input.blocks() * pixels * LANES]);
            for (block, normed) in normed.chunks_exact_mut(pixels * LANES).enumerate() {
                let from = &input.block(block)[band * band_rows * width * LANES..][..pixels * LANES];
                before.apply(self.isa, block, from, normed);
            }
            let panel = self.outputs.div_ceil(LANES) * self.inputs * LANES;
            // Two blocks of outputs for all taps, while they are close.
            for (pair, rows) in rows.chunks_mut(2).enumerate() {
                for (tap, weights) in self.panels.chunks_exact(panel).enumerate() {
                    let weights = &weights[pair * 2 * self.inputs * LANES..];
                    let panel = Panel { weights, block_stride: self.inputs * LANES, inputs: self.inputs };
                    for y in 0..pixels / width {
                        let from =
                            Source { data: &normed[y * width * LANES..], block_stride: pixels * LANES };
                        let first = ((y * down + tap / right) * out_width + tap % right) * LANES;
                        let place = Place { first, step: right * LANES, adds: false };
                        multiply(self.isa, panel, from, rows, place, width);
                    }
                }
            }
            for (rows, sums) in rows.iter().zip(sums) {
                sum_rows(self.isa, rows, out_width, sums);
            }
        });
        (output, sums.moments(height, out_width))
    }
}
