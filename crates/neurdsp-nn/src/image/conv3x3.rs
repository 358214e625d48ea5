//! 3x3 convolutions, by Winograd.

use super::norm::{Affine, Moments, RowSums, sum_rows};
use super::pixels::{Channels, Image, LANES};
use super::pointwise::{PIXELS, Pointwise};
use super::tile::{Precision, Tile};
use super::winograd::{Factors, FilterJob, InputJob, OutputJob};
use super::work::{Scratch, Work};
use neurdsp_simd::{AlignedBuf, Isa};

/// Tiles that are multiplied together, about.
const TILES: usize = 128;
/// Inputs that are multiplied together: the products of their filters stay in the second cache.
const INPUTS: usize = 64;
/// Blocks of outputs that are multiplied together.
const PAIR: usize = 2;
/// Bands for each thread, at least; with fewer, all threads share a band, lest one waits for another's last.
const BANDS_EACH: usize = 16;
/// The products of a layer's filters are made once if they are at most so many values, which the third cache holds, and
/// used by so many bands. Otherwise each band makes them again, a few inputs at a time.
const KEPT: usize = 3 << 20;
const BANDS: usize = 6;

/// A 3x3 convolution with stride 1, zeros around the image and no bias.
pub struct Conv3x3 {
    /// `[outputs / 16][inputs][9][16]`; the inputs fill blocks of sixteen.
    filters: AlignedBuf,
    inputs: usize,
    outputs: usize,
    precision: Precision,
    /// Another tile than that of the image's size; tests compare them.
    forced: Option<Tile>,
    isa: Isa,
}

/// What a call works on.
struct Job<'a> {
    input: Channels<'a>,
    tile: Tile,
    before: &'a Affine,
    shortcut: Option<(&'a Pointwise, Channels<'a>)>,
    /// The products of all filters, `[outputs / 16][inputs / INPUTS][products]`, if they are kept.
    filters: &'a [f32],
    /// Tiles in a row of tiles.
    across: usize,
    /// Most tiles that are multiplied together, and the units from one product of them to the next.
    tiles: usize,
    pitch: usize,
}

/// Some tiles of a band of rows.
#[derive(Clone, Copy)]
struct Group {
    /// The band's first row.
    first_row: usize,
    /// The first tile, counted from the first of the band, and their number.
    first: usize,
    tiles: usize,
}

impl Conv3x3 {
    /// A convolution with `weights[outputs][inputs][3][3]`.
    ///
    /// # Panics
    /// If there are not so many weights.
    #[must_use]
    pub fn new(weights: &[f32], inputs: usize, outputs: usize, isa: Isa) -> Self {
        assert_eq!(weights.len(), outputs * inputs * 9, "a 3x3 filter for each pair of channels");
        let padded = inputs.div_ceil(LANES) * LANES;
        let mut filters = AlignedBuf::zeroed(outputs.div_ceil(LANES) * padded * 9 * LANES);
        for (pair, filter) in weights.chunks_exact(9).enumerate() {
            let (output, input) = (pair / inputs, pair % inputs);
            let first = (output / LANES * padded + input) * 9 * LANES + output % LANES;
            for (tap, weight) in filter.iter().enumerate() {
                filters[first + tap * LANES] = *weight;
            }
        }
        Self { filters, inputs, outputs, precision: Precision::Float32, forced: None, isa }
    }

    /// The same convolution with products in another precision.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// The same convolution by other tiles.
    #[cfg(test)]
    pub(super) fn tiled(self, tile: Tile) -> Self {
        Self { forced: Some(tile), ..self }
    }

    /// Convolves `before(input)`, and adds the product of a 1x1 convolution.
    ///
    /// # Panics
    /// If the images have other channels or sizes.
    #[must_use]
    pub fn run<'a>(
        &self,
        input: impl Into<Channels<'a>>,
        before: &Affine,
        shortcut: Option<(&Pointwise, Channels<'_>)>,
        work: &Work,
    ) -> (Image, Moments) {
        let input = input.into();
        assert_eq!(input.channels(), self.inputs, "channels of the input");
        let (height, width) = (input.height(), input.width());
        if let Some((layer, from)) = shortcut {
            let size = (layer.outputs(), from.height(), from.width());
            assert_eq!(size, (self.outputs, height, width), "the size of what is added");
            assert_eq!(layer.inputs(), from.channels(), "channels of the shortcut");
        }
        let mut output = work.image(self.outputs, height, width);
        let mut sums = RowSums::new(self.outputs, height);
        if height * width == 0 {
            return (output, sums.moments(height, width));
        }
        let tile = self.forced.unwrap_or_else(|| Tile::of(self.precision, height * width, self.isa));
        let across = width.div_ceil(tile.step());
        // Narrow images take several rows of tiles together.
        let tile_rows = (TILES / across).clamp(1, height.div_ceil(tile.step()));
        let tiles = TILES.min(tile_rows * across);
        let band_rows = tile_rows * tile.step();
        let filters = self.kept_filters(tile, height.div_ceil(band_rows), work);
        let kept = filters.as_ref().map_or(&[][..], |(filters, len)| &filters[..*len]);
        let job = Job { input, tile, before, shortcut, filters: kept, across, tiles, pitch: tiles | 1 };
        let bands: Vec<_> =
            output.bands_mut(band_rows).into_iter().zip(sums.bands_mut(height, band_rows)).collect();
        if bands.len() >= BANDS_EACH * work.n_threads() || work.n_threads() == 1 {
            work.for_each(bands, |scratch, ((band, mut rows), mut sums)| {
                self.run_band(&job, band * band_rows, &mut rows, &mut sums, scratch);
            });
        } else {
            for ((band, mut rows), mut sums) in bands {
                self.run_together(&job, band * band_rows, &mut rows, &mut sums, work);
            }
        }
        if let Some((filters, _)) = filters {
            work.keep_floats(filters);
        }
        (output, sums.moments(height, width))
    }

    /// The products of all filters and their number, if enough bands use them and they are few.
    fn kept_filters(&self, tile: Tile, bands: usize, work: &Work) -> Option<(AlignedBuf, usize)> {
        let (inputs, outputs) = (self.inputs.div_ceil(LANES) * LANES, self.outputs.div_ceil(LANES));
        let block = inputs.div_ceil(INPUTS) * Self::filter_len(tile);
        if bands < BANDS || outputs * block > KEPT {
            return None;
        }
        let mut kept = work.floats(outputs * block);
        let blocks = kept[..outputs * block].chunks_exact_mut(block).enumerate().collect();
        work.for_each(blocks, |_, (output, products)| {
            for (part, products) in products.chunks_exact_mut(Self::filter_len(tile)).enumerate() {
                self.transform_filters(tile, output, part * INPUTS, products);
            }
        });
        Some((kept, outputs * block))
    }

    /// The products of the filters of one block of outputs, for the inputs from `first` on.
    fn transform_filters(&self, tile: Tile, output: usize, first: usize, products: &mut [f32]) {
        let inputs = self.inputs.div_ceil(LANES) * LANES;
        let start = (output * inputs + first) * 9 * LANES;
        let filters = &self.filters[start..][..INPUTS.min(inputs - first) * 9 * LANES];
        tile.transform_filters(self.isa, &mut FilterJob { filters, products, pitch: INPUTS + 1 });
    }

    /// The rows from `first` on: `rows` holds those of each block of outputs.
    fn run_band(
        &self,
        job: &Job<'_>,
        first: usize,
        rows: &mut [&mut [f32]],
        sums: &mut [&mut [f32]],
        scratch: &mut Scratch,
    ) {
        if let Some((layer, from)) = job.shortcut {
            layer.multiply(from, None, first * job.input.width(), rows, scratch);
        }
        let lens = [self.padded_len(job, rows), self.input_len(job) * job.input.blocks(), self.pair_len(job)];
        for group in self.groups(job, first, rows) {
            let [padded, products, pair_scratch] = scratch.take(lens);
            for (block, products) in products.chunks_exact_mut(self.input_len(job)).enumerate() {
                self.transform(job, group, block, padded, products);
            }
            for (pair, rows) in rows.chunks_mut(PAIR).enumerate() {
                self.outputs(job, group, pair, products, rows, pair_scratch);
            }
        }
        self.finish(job, rows, sums);
    }

    /// The same, with all threads on one band: each has some inputs and then some outputs.
    fn run_together(
        &self,
        job: &Job<'_>,
        first: usize,
        rows: &mut [&mut [f32]],
        sums: &mut [&mut [f32]],
        work: &Work,
    ) {
        if let Some((layer, from)) = job.shortcut {
            let pixels = rows[0].len() / LANES;
            let part = PIXELS.min(pixels.div_ceil(work.n_threads()));
            let parts = split(rows, part * LANES).into_iter().enumerate().collect();
            let first = first * job.input.width();
            work.for_each(parts, |scratch, (number, mut to): (usize, Vec<_>)| {
                layer.multiply(from, None, first + number * part, &mut to, scratch);
            });
        }
        let padded_len = self.padded_len(job, rows);
        let len = self.input_len(job) * job.input.blocks();
        let mut products = work.floats(len);
        for group in self.groups(job, first, rows) {
            let blocks = products[..len].chunks_exact_mut(self.input_len(job)).enumerate().collect();
            work.for_each(blocks, |scratch, (block, products)| {
                let [padded] = scratch.take([padded_len]);
                self.transform(job, group, block, padded, products);
            });
            let pairs = rows.chunks_mut(PAIR).enumerate().collect();
            work.for_each(pairs, |scratch, (pair, rows)| {
                let [_, _, pair_scratch] = scratch.take([0, 0, self.pair_len(job)]);
                self.outputs(job, group, pair, &products[..len], rows, pair_scratch);
            });
        }
        work.keep_floats(products);
        self.finish(job, rows, sums);
    }

    /// The groups of tiles of a band.
    fn groups(
        &self,
        job: &Job<'_>,
        first_row: usize,
        rows: &[&mut [f32]],
    ) -> impl Iterator<Item = Group> + use<> {
        let height = rows[0].len() / (job.input.width() * LANES);
        let tile_rows = height.div_ceil(job.tile.step());
        let (all, most) = (tile_rows * job.across, job.tiles);
        let group = move |first| Group { first_row, first, tiles: most.min(all - first) };
        (0..all).step_by(most).map(group)
    }

    /// Values of the padded rows of a band, of the products of a block of inputs, and of what makes a pair of blocks of
    /// outputs.
    fn padded_len(&self, job: &Job<'_>, rows: &[&mut [f32]]) -> usize {
        let step = job.tile.step();
        let height = rows[0].len() / (job.input.width() * LANES);
        (height.div_ceil(step) * step + 2) * (job.across * step + 2) * LANES
    }

    fn input_len(&self, job: &Job<'_>) -> usize {
        job.tile.products() * job.pitch * LANES * job.tile.bytes() / 4
    }

    fn filter_len(tile: Tile) -> usize {
        tile.products() * (INPUTS + 1) * LANES * tile.bytes() / 4
    }

    fn output_len(&self, job: &Job<'_>) -> usize {
        job.tile.products() * job.pitch * LANES
    }

    fn pair_len(&self, job: &Job<'_>) -> usize {
        PAIR * (Self::filter_len(job.tile) + self.output_len(job))
    }

    /// The products of a block of inputs.
    fn transform(&self, job: &Job<'_>, group: Group, block: usize, padded: &mut [f32], products: &mut [f32]) {
        let (step, width) = (job.tile.step(), job.input.width());
        let stride = (job.across * step + 2) * LANES;
        // Only rows that the group reads.
        let (top, end) = (group.first / job.across, (group.first + group.tiles).div_ceil(job.across));
        let rows = top * step..end * step + 2;
        for (y, padded) in rows.clone().zip(padded.chunks_exact_mut(stride)) {
            match (group.first_row + y).checked_sub(1).filter(|y| *y < job.input.height()) {
                Some(y) => {
                    let from = &job.input.block(block)[y * width * LANES..][..width * LANES];
                    padded[..LANES].fill(0.0);
                    padded[LANES + width * LANES..].fill(0.0);
                    job.before.apply(self.isa, block, from, &mut padded[LANES..][..width * LANES]);
                }
                None => padded.fill(0.0),
            }
        }
        let first = group.first - top * job.across;
        let rows = &padded[..rows.len() * stride];
        let (across, tiles, pitch) = (job.across, group.tiles, job.pitch);
        job.tile
            .transform_input(self.isa, &mut InputJob { rows, stride, across, first, tiles, products, pitch });
    }

    /// The outputs of two blocks of channels.
    fn outputs(
        &self,
        job: &Job<'_>,
        group: Group,
        pair: usize,
        inputs: &[f32],
        rows: &mut [&mut [f32]],
        scratch: &mut [f32],
    ) {
        let width = job.input.width();
        let (made, products) = scratch.split_at_mut(PAIR * Self::filter_len(job.tile));
        let n_inputs = self.inputs.div_ceil(LANES) * LANES;
        for first in (0..n_inputs).step_by(INPUTS) {
            let part = first / INPUTS * Self::filter_len(job.tile);
            let (filters, filter_stride) = if job.filters.is_empty() {
                for (r, made) in
                    made.chunks_exact_mut(Self::filter_len(job.tile)).enumerate().take(rows.len())
                {
                    self.transform_filters(job.tile, pair * PAIR + r, first, made);
                }
                (&*made, Self::filter_len(job.tile))
            } else {
                let block = n_inputs.div_ceil(INPUTS) * Self::filter_len(job.tile);
                (&job.filters[pair * PAIR * block + part..], block)
            };
            let inputs = &inputs[first / LANES * self.input_len(job)..];
            job.tile.multiply(
                self.isa,
                &Factors {
                    filters,
                    filter_stride,
                    filter_pitch: INPUTS + 1,
                    n_inputs: INPUTS.min(n_inputs - first),
                    inputs,
                    input_stride: self.input_len(job),
                    input_pitch: job.pitch,
                    tiles: group.tiles,
                    adds: first > 0,
                },
                &mut products.chunks_exact_mut(self.output_len(job)).take(rows.len()).collect::<Vec<_>>(),
            );
        }
        for (rows, products) in rows.iter_mut().zip(products.chunks_exact(self.output_len(job))) {
            job.tile.transform_output(
                self.isa,
                &mut OutputJob {
                    products,
                    product_stride: job.pitch * LANES,
                    across: job.across,
                    first: group.first,
                    tiles: group.tiles,
                    rows,
                    width,
                    adds: job.shortcut.is_some(),
                },
            );
        }
    }

    fn finish(&self, job: &Job<'_>, rows: &[&mut [f32]], sums: &mut [&mut [f32]]) {
        for (rows, sums) in rows.iter().zip(sums) {
            sum_rows(self.isa, rows, job.input.width(), sums);
        }
    }
}

/// Splits each of `rows` into parts of so many values: the first part of each, the second of each, and so on.
fn split<'a>(rows: &'a mut [&mut [f32]], len: usize) -> Vec<Vec<&'a mut [f32]>> {
    let mut parts: Vec<Vec<_>> = Vec::new();
    for row in rows {
        for (number, part) in row.chunks_mut(len).enumerate() {
            parts.resize_with(parts.len().max(number + 1), Vec::new);
            parts[number].push(part);
        }
    }
    parts
}
