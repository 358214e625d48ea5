//! Dilated convolutions by tiles of four frames and four taps: seven products for sixteen.
//!
//! Filters are cut into groups of four taps, and frames into tiles of four that lie as far apart as the taps do. As groups
//! and tiles are equally long, a group sees the tile that many tiles further on, so every tile is transformed once for all
//! groups, and the products are short convolutions over tiles. The transforms evaluate polynomials at 0, ±1, ±2, ½ and
//! infinity (Toom and Cook); the error is about −124 dB.
//!
//! Source: A. Lavin, S. Gray, "Fast algorithms for convolutional neural networks", arXiv 1509.09308.
// Tiles lie in slices whose lengths `run` has checked; the caller vouches for the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::gemm::{Panel, Place, Source, multiply_taps, pack};
use super::pixels::LANES;
use neurdsp_simd::{AlignedBuf, Isa, Vector, dispatch};

/// Frames of a tile, and taps of a group.
const STEP: usize = 4;
/// Products of a tile and a group.
const POINTS: usize = 7;
/// Blocks of outputs that are multiplied together.
const PAIR: usize = 2;

/// The filters of a convolution.
pub(super) struct Toom {
    /// `[points][outputs / 16][groups][inputs][16]`.
    panels: AlignedBuf,
    inputs: usize,
    outputs: usize,
    taps: usize,
    dilation: usize,
    isa: Isa,
}

/// The frames that a call sees, from the first that the first output sees.
pub(super) struct ToomJob<'a> {
    /// `[blocks][frames][16]`.
    pub(super) frames: &'a [f32],
    pub(super) block_stride: usize,
    pub(super) blocks: usize,
    pub(super) scratch: &'a mut [f32],
}

impl Toom {
    /// Transforms `weights[outputs][inputs][taps]`.
    pub(super) fn new(
        weights: &[f32],
        inputs: usize,
        outputs: usize,
        taps: usize,
        dilation: usize,
        isa: Isa,
    ) -> Self {
        let rows = taps.div_ceil(STEP) * inputs;
        let panel = outputs.div_ceil(LANES) * rows * LANES;
        let mut panels = AlignedBuf::zeroed(POINTS * panel);
        for (point, panel) in panels.chunks_exact_mut(panel).enumerate() {
            pack(rows, outputs, panel, |output, row| {
                let (group, input) = (row / inputs, row % inputs);
                let filter = &weights[(output * inputs + input) * taps..][..taps];
                transformed(&filter[group * STEP..taps.min((group + 1) * STEP)], point)
            });
        }
        Self { panels, inputs, outputs, taps, dilation, isa }
    }

    /// Frames of a whole number of tiles.
    pub(super) fn unit(&self) -> usize {
        STEP * self.dilation
    }

    /// Frames that tiles see beyond what the filters do.
    pub(super) fn tail(&self) -> usize {
        (self.groups() * STEP - self.taps) * self.dilation
    }

    fn groups(&self) -> usize {
        self.taps.div_ceil(STEP)
    }

    /// Tiles of so many frames, of the output and of the input.
    fn tiles(&self, frames: usize) -> (usize, usize) {
        let spans = frames.div_ceil(self.unit());
        (spans * self.dilation, (spans + self.groups() - 1) * self.dilation)
    }

    /// Values of scratch memory for so many frames.
    pub(super) fn scratch_len(&self, blocks: usize, frames: usize) -> usize {
        let (tiles, seen) = self.tiles(frames);
        POINTS * (seen * blocks + tiles * PAIR) * LANES
    }

    /// Adds the convolution to the frames of each block of outputs.
    pub(super) fn run(&self, job: ToomJob<'_>, to: &mut [&mut [f32]], frames: usize) {
        let (tiles, seen) = self.tiles(frames);
        let (products, sums) = job.scratch.split_at_mut(POINTS * seen * job.blocks * LANES);
        let point_stride = seen * job.blocks * LANES;
        for block in 0..job.blocks {
            let from = &job.frames[block * job.block_stride..][..job.block_stride];
            let to = &mut products[block * seen * LANES..];
            transform_frames(self.isa, from, self.dilation, seen, to, point_stride);
        }
        let offsets: Vec<usize> = (0..self.groups()).map(|group| group * self.dilation * LANES).collect();
        let rows = self.groups() * self.inputs * LANES;
        let panel = self.outputs.div_ceil(LANES) * rows;
        let sum_stride = PAIR * tiles * LANES;
        for (pair, to) in to.chunks_mut(PAIR).enumerate() {
            for point in 0..POINTS {
                let weights = &self.panels[point * panel + pair * PAIR * rows..];
                let panel = Panel { weights, block_stride: rows, inputs: self.inputs };
                let from = Source { data: &products[point * point_stride..], block_stride: seen * LANES };
                let mut sums: Vec<&mut [f32]> = sums[point * sum_stride..][..sum_stride]
                    .chunks_exact_mut(tiles * LANES)
                    .take(to.len())
                    .collect();
                let place = Place { first: 0, step: LANES, adds: false };
                multiply_taps(self.isa, panel, from, &offsets, &mut sums, place, tiles);
            }
            for (block, to) in to.iter_mut().enumerate() {
                let from = &sums[block * tiles * LANES..];
                transform_sums(self.isa, from, sum_stride, self.dilation, tiles, to);
            }
        }
    }
}

/// Where the polynomials are evaluated; the last point is infinity.
const PLACES: [f64; POINTS - 1] = [0.0, 1.0, -1.0, 2.0, -2.0, 0.5];

/// The value of a group of taps at a point.
fn transformed(taps: &[f32], point: usize) -> f32 {
    if point == POINTS - 1 {
        return taps.get(STEP - 1).copied().unwrap_or(0.0);
    }
    let place = PLACES[point];
    let others = PLACES.iter().enumerate().filter(|(other, _)| *other != point);
    let norm: f64 = others.map(|(_, other)| place - other).product();
    let value = taps.iter().rev().fold(0.0, |sum, tap| sum * place + f64::from(*tap));
    (value / norm) as f32
}

dispatch! {
    fn transform_frames(from: &[f32], dilation: usize, tiles: usize, to: &mut [f32], point_stride: usize)
        = transform_frames_generic
}

/// The products of the first tiles of a block of channels.
#[inline(always)]
unsafe fn transform_frames_generic<V: Vector<f32>>(
    from: &[f32],
    dilation: usize,
    tiles: usize,
    to: &mut [f32],
    point_stride: usize,
) {
    unsafe {
        if tiles == 0 {
            return;
        }
        let last = (tiles / dilation - 1) * STEP * dilation + dilation - 1 + (POINTS - 1) * dilation;
        assert!(tiles.is_multiple_of(dilation) && from.len() >= (last + 1) * LANES, "frames to read");
        assert!(to.len() >= (POINTS - 1) * point_stride + tiles * LANES, "room for the products");
        let (two, four, five, half) = (V::splat(2.0), V::splat(4.0), V::splat(5.0), V::splat(0.5));
        let mut tile = 0;
        for span in 0..tiles / dilation {
            for phase in 0..dilation {
                for lane in (0..LANES).step_by(V::LANES) {
                    let frame = from.as_ptr().add((span * STEP * dilation + phase) * LANES + lane);
                    let mut d = [V::splat(0.0); POINTS];
                    for (i, d) in d.iter_mut().enumerate() {
                        *d = V::load(frame.add(i * dilation * LANES));
                    }
                    let [d0, d1, d2, d3, d4, d5, d6] = d;
                    let odd = four.fma(d1, five.fnma(d3, d5));
                    let even = four.fma(d0, five.fnma(d2, d4));
                    let next = four.fma(d2, five.fnma(d4, d6));
                    let (s0, s1, s2) = (four.fnma(d2, d4), four.fnma(d1, d3), four.fnma(d3, d5));
                    let (b1, a1) = (half.fnma(s1, s0), half.fnma(s0, s2));
                    let (t0, t1, t2) = (d4.sub(d2), d3.sub(d1), d5.sub(d3));
                    let (b2, a2) = (half.fnma(t1, t0), half.fnma(t0, t2));
                    let products = [
                        half.fnma(even, odd),
                        a1.add(b1),
                        a1.sub(b1),
                        two.fma(b2, a2),
                        two.fnma(b2, a2),
                        odd,
                        half.fnma(odd, next),
                    ];
                    let place = to.as_mut_ptr().add(tile * LANES + lane);
                    for (point, product) in products.into_iter().enumerate() {
                        product.store(place.add(point * point_stride));
                    }
                }
                tile += 1;
            }
        }
    }
}

dispatch! {
    fn transform_sums(from: &[f32], point_stride: usize, dilation: usize, tiles: usize, to: &mut [f32])
        = transform_sums_generic
}

/// Adds what the sums of products of a block of channels make to its frames.
#[inline(always)]
unsafe fn transform_sums_generic<V: Vector<f32>>(
    from: &[f32],
    point_stride: usize,
    dilation: usize,
    tiles: usize,
    to: &mut [f32],
) {
    unsafe {
        assert!(from.len() >= (POINTS - 1) * point_stride + tiles * LANES, "sums to read");
        let frames = to.len() / LANES;
        let (two, four, eight) = (V::splat(2.0), V::splat(4.0), V::splat(8.0));
        let (half, quarter, eighth) = (V::splat(0.5), V::splat(0.25), V::splat(0.125));
        for tile in 0..tiles {
            let first = tile / dilation * STEP * dilation + tile % dilation;
            // The last tiles may reach beyond the end.
            let count = frames.saturating_sub(first).div_ceil(dilation).min(STEP);
            for lane in (0..LANES).step_by(V::LANES) {
                let place = from.as_ptr().add(tile * LANES + lane);
                let mut m = [V::splat(0.0); POINTS];
                for (point, m) in m.iter_mut().enumerate() {
                    *m = V::load(place.add(point * point_stride));
                }
                let [m0, m1, m2, m3, m4, m5, m6] = m;
                let (even1, odd1, even2, odd2) = (m1.add(m2), m1.sub(m2), m3.add(m4), m3.sub(m4));
                let frames = [
                    m0.add(m5).add(even1.add(even2)),
                    half.fma(m5, two.fma(odd2, odd1)),
                    quarter.fma(m5, four.fma(even2, even1)),
                    eighth.fma(m5, eight.fma(odd2, odd1)).add(m6),
                ];
                for (j, frame) in frames.into_iter().enumerate().take(count) {
                    let place = to.as_mut_ptr().add((first + j * dilation) * LANES + lane);
                    V::load(place).add(frame).store(place);
                }
            }
        }
    }
}
