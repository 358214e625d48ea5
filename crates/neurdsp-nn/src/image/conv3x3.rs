//! 3x3 convolutions, by Winograd.

use super::gemm::{Panel, Source, Target, multiply};
use super::norm::Affine;
use super::pixels::{Image, LANES};
use super::winograd::{
    InputJob, OutputJob, PRODUCTS, STEP, transform_filter, transform_input, transform_output,
};
use neurdsp_simd::parallel::{Idle, for_each};
use neurdsp_simd::{AlignedBuf, Isa};

/// Tiles whose products are held together: their inputs and outputs stay in the second cache.
const TILES: usize = 24;

/// A 3x3 convolution with stride 1, zeros around the image and no bias.
pub struct Conv3x3 {
    /// `[36][outputs / 16][inputs][16]`.
    weights: AlignedBuf,
    inputs: usize,
    outputs: usize,
    isa: Isa,
}

/// Working memory of a thread.
struct Scratch {
    /// Rows of input, normed, with zeros around them.
    rows: AlignedBuf,
    before: AlignedBuf,
    after: AlignedBuf,
}

impl Conv3x3 {
    /// A convolution with `weights[outputs][inputs][3][3]`.
    ///
    /// # Panics
    /// If there are not so many weights.
    #[must_use]
    pub fn new(weights: &[f32], inputs: usize, outputs: usize, isa: Isa) -> Self {
        assert_eq!(weights.len(), outputs * inputs * 9, "a 3x3 filter for each pair of channels");
        let panel = panel_len(inputs, outputs);
        let mut transformed = AlignedBuf::zeroed(PRODUCTS * panel);
        let mut points = [0.0; PRODUCTS];
        for output in 0..outputs {
            for input in 0..inputs {
                transform_filter(&weights[(output * inputs + input) * 9..][..9], &mut points);
                let place = (output / LANES * inputs + input) * LANES + output % LANES;
                for (product, value) in points.iter().enumerate() {
                    transformed[product * panel + place] = *value as f32;
                }
            }
        }
        Self { weights: transformed, inputs, outputs, isa }
    }

    /// Convolves `before(input)`, and adds `base`.
    ///
    /// # Panics
    /// If the images have other channels or sizes.
    #[must_use]
    pub fn run(&self, input: &Image, before: &Affine, base: Option<&Image>, n_threads: usize) -> Image {
        assert_eq!(input.channels(), self.inputs, "channels of the input");
        let (height, width) = (input.height(), input.width());
        let mut output = Image::new(self.outputs, height, width);
        if let Some(base) = base {
            let size = (base.channels(), base.height(), base.width());
            assert_eq!(size, (self.outputs, height, width), "the size of what is added");
        }
        if height * width == 0 {
            return output;
        }
        let across = width.div_ceil(STEP);
        // Narrow images take several rows of tiles together.
        let tile_rows = (TILES / across).max(1);
        let bands = bands_of(&mut output, tile_rows * STEP);
        let scratch = || self.scratch(tile_rows, across);
        for_each(n_threads, bands, &Idle::new(false), scratch, |scratch, (band, mut rows)| {
            self.run_band(input, before, base, band * tile_rows * STEP, &mut rows, scratch);
        });
        output
    }

    fn scratch(&self, tile_rows: usize, across: usize) -> Scratch {
        let (inputs, outputs) = (self.inputs.div_ceil(LANES), self.outputs.div_ceil(LANES));
        let row = (across * STEP + 2) * LANES;
        Scratch {
            rows: AlignedBuf::zeroed(inputs * (tile_rows * STEP + 2) * row),
            before: AlignedBuf::zeroed(PRODUCTS * inputs * TILES.max(1) * LANES),
            after: AlignedBuf::zeroed(PRODUCTS * outputs * TILES.max(1) * LANES),
        }
    }

    /// The rows from `first` on: `rows` holds those of each block of outputs.
    fn run_band(
        &self,
        input: &Image,
        before: &Affine,
        base: Option<&Image>,
        first: usize,
        rows: &mut [&mut [f32]],
        scratch: &mut Scratch,
    ) {
        let (isa, width, across) = (self.isa, input.width(), input.width().div_ceil(STEP));
        let height = rows[0].len() / (width * LANES);
        let tile_rows = height.div_ceil(STEP);
        let stride = (across * STEP + 2) * LANES;
        let block_rows = scratch.rows.len() / input.blocks();
        for block in 0..input.blocks() {
            let padded = &mut scratch.rows[block * block_rows..][..block_rows];
            for (y, padded) in padded.chunks_exact_mut(stride).take(tile_rows * STEP + 2).enumerate() {
                match (first + y).checked_sub(1).filter(|y| *y < input.height()) {
                    Some(y) => {
                        let from = &input.block(block)[y * width * LANES..][..width * LANES];
                        before.apply(isa, block, from, &mut padded[LANES..][..width * LANES]);
                    }
                    None => padded.fill(0.0),
                }
            }
        }
        let panel = panel_len(self.inputs, self.outputs);
        let (in_stride, out_stride) = (TILES * LANES, TILES * LANES);
        let (in_product, out_product) = (input.blocks() * in_stride, rows.len() * out_stride);
        let n_tiles = tile_rows * across;
        for first_tile in (0..n_tiles).step_by(TILES) {
            let tiles = TILES.min(n_tiles - first_tile);
            for block in 0..input.blocks() {
                transform_input(
                    isa,
                    &mut InputJob {
                        rows: &scratch.rows[block * block_rows..][..(tile_rows * STEP + 2) * stride],
                        stride,
                        across,
                        first: first_tile,
                        tiles,
                        products: &mut scratch.before[block * in_stride..],
                        product_stride: in_product,
                    },
                );
            }
            for product in 0..PRODUCTS {
                let weights = &self.weights[product * panel..][..panel];
                multiply(
                    isa,
                    &Panel { weights, inputs: self.inputs, outputs: self.outputs },
                    Source {
                        data: &scratch.before[product * in_product..],
                        block_stride: in_stride,
                        step: LANES,
                    },
                    &mut Target {
                        data: &mut scratch.after[product * out_product..],
                        block_stride: out_stride,
                        step: LANES,
                        adds: false,
                    },
                    tiles,
                );
            }
            for (block, rows) in rows.iter_mut().enumerate() {
                let base = base.map(|base| &base.block(block)[first * width * LANES..][..rows.len()]);
                transform_output(
                    isa,
                    &mut OutputJob {
                        products: &scratch.after[block * out_stride..],
                        product_stride: out_product,
                        across,
                        first: first_tile,
                        tiles,
                        rows,
                        base,
                        width,
                    },
                );
            }
        }
    }
}

/// Values of the weights of one product.
fn panel_len(inputs: usize, outputs: usize) -> usize {
    outputs.div_ceil(LANES) * inputs * LANES
}

/// Splits an image into bands of rows: the number of each, and its rows in every block.
pub(super) fn bands_of(image: &mut Image, rows: usize) -> Vec<(usize, Vec<&mut [f32]>)> {
    let (block, band) = (image.height() * image.width() * LANES, rows * image.width() * LANES);
    let mut bands: Vec<_> = (0..image.height().div_ceil(rows)).map(|band| (band, Vec::new())).collect();
    for block in image.data_mut().chunks_exact_mut(block) {
        for (part, (_, rows)) in block.chunks_mut(band).zip(&mut bands) {
            rows.push(part);
        }
    }
    bands
}
