//! Convolutions whose patches do not overlap: 1x1, and those that halve or double an image.

use super::conv3x3::bands_of;
use super::gemm::{Panel, Source, Target, multiply, pack};
use super::norm::Affine;
use super::pixels::{Image, LANES};
use neurdsp_simd::parallel::{Idle, for_each};
use neurdsp_simd::{AlignedBuf, Isa};

/// Rows that a thread takes at a time.
const BAND: usize = 8;

/// A convolution with patches of `rows x columns` pixels, as far apart, without a bias; 1x1 is a product at each pixel.
pub struct Downscale {
    /// `[rows][columns]` panels.
    panels: Vec<AlignedBuf>,
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
        let panels = panels(weights, (inputs, outputs), factor, |output, input| output * inputs + input);
        Self { panels, inputs, outputs, factor, isa }
    }

    /// Convolves `before(input)`, whose last rows and columns are left out if they fill no patch.
    ///
    /// # Panics
    /// If the image has other channels.
    #[must_use]
    pub fn run(&self, input: &Image, before: Option<&Affine>, n_threads: usize) -> Image {
        assert_eq!(input.channels(), self.inputs, "channels of the input");
        let (down, right) = self.factor;
        let (height, width) = (input.height() / down, input.width() / right);
        let mut output = Image::new(self.outputs, height, width);
        if height * width == 0 {
            return output;
        }
        let row = input.width() * LANES;
        let scratch = || AlignedBuf::zeroed(input.blocks() * row);
        let bands = bands_of(&mut output, BAND);
        for_each(n_threads, bands, &Idle::new(false), scratch, |normed, (band, mut rows)| {
            let n_rows = rows[0].len() / (width * LANES);
            for y in 0..n_rows {
                for tap_row in 0..down {
                    let from = ((band * BAND + y) * down + tap_row) * row;
                    for block in 0..input.blocks() {
                        let (from, to) =
                            (&input.block(block)[from..][..row], &mut normed[block * row..][..row]);
                        match before {
                            Some(before) => before.apply(self.isa, block, from, to),
                            None => to.copy_from_slice(from),
                        }
                    }
                    for tap in 0..right {
                        let panel = &self.panels[tap_row * right + tap];
                        let source =
                            Source { data: &normed[tap * LANES..], block_stride: row, step: right * LANES };
                        self.row(panel, source, &mut rows, y, width, tap_row + tap > 0);
                    }
                }
            }
        });
        output
    }

    fn row(
        &self,
        panel: &[f32],
        source: Source<'_>,
        rows: &mut [&mut [f32]],
        y: usize,
        width: usize,
        adds: bool,
    ) {
        for (block, rows) in rows.iter_mut().enumerate() {
            let weights = &panel[block * self.inputs * LANES..][..self.inputs * LANES];
            let to = &mut Target {
                data: &mut rows[y * width * LANES..][..width * LANES],
                block_stride: width * LANES,
                step: LANES,
                adds,
            };
            multiply(self.isa, &Panel { weights, inputs: self.inputs, outputs: LANES }, source, to, width);
        }
    }
}

/// A transposed convolution with patches of `rows x columns` pixels, as far apart, without a bias.
pub struct Upscale {
    panels: Vec<AlignedBuf>,
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
        let panels = panels(weights, (inputs, outputs), factor, |output, input| input * outputs + output);
        Self { panels, inputs, outputs, factor, isa }
    }

    /// Scales up `before(input)`.
    ///
    /// # Panics
    /// If the image has other channels.
    #[must_use]
    pub fn run(&self, input: &Image, before: &Affine, n_threads: usize) -> Image {
        assert_eq!(input.channels(), self.inputs, "channels of the input");
        let ((down, right), (height, width)) = (self.factor, (input.height(), input.width()));
        let mut output = Image::new(self.outputs, height * down, width * right);
        if height * width == 0 {
            return output;
        }
        let row = width * LANES;
        let scratch = || AlignedBuf::zeroed(input.blocks() * row);
        let bands = bands_of(&mut output, down);
        for_each(n_threads, bands, &Idle::new(false), scratch, |normed, (y, mut rows)| {
            for block in 0..input.blocks() {
                let (from, to) = (&input.block(block)[y * row..][..row], &mut normed[block * row..][..row]);
                before.apply(self.isa, block, from, to);
            }
            for (tap, panel) in self.panels.iter().enumerate() {
                for (block, rows) in rows.iter_mut().enumerate() {
                    let weights = &panel[block * self.inputs * LANES..][..self.inputs * LANES];
                    let start = (tap / right * width * right + tap % right) * LANES;
                    let to = &mut Target {
                        data: &mut rows[start..],
                        block_stride: 0,
                        step: right * LANES,
                        adds: false,
                    };
                    let source = Source { data: normed, block_stride: row, step: LANES };
                    multiply(
                        self.isa,
                        &Panel { weights, inputs: self.inputs, outputs: LANES },
                        source,
                        to,
                        width,
                    );
                }
            }
        });
        output
    }
}

/// A panel for each tap of a patch; `pair` numbers the pairs of channels in the order of their weights.
fn panels(
    weights: &[f32],
    (inputs, outputs): (usize, usize),
    factor: (usize, usize),
    pair: impl Fn(usize, usize) -> usize,
) -> Vec<AlignedBuf> {
    let taps = factor.0 * factor.1;
    assert_eq!(weights.len(), outputs * inputs * taps, "a patch of weights for each pair of channels");
    let panel = |tap: usize| {
        let mut packed = AlignedBuf::zeroed(outputs.div_ceil(LANES) * inputs * LANES);
        pack(inputs, outputs, &mut packed, |output, input| weights[pair(output, input) * taps + tap]);
        packed
    };
    (0..taps).map(panel).collect()
}
