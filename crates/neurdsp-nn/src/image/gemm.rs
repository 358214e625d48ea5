//! The product at the bottom of every convolution: pixels by input channels, times input channels by output channels.
//!
//! A step of the inner loop broadcasts one channel of a few pixels and multiplies it with two registers of outputs. As many
//! pixels are taken together as leave registers for the outputs: twelve of 32 wide registers, six of 16 narrow ones. Every
//! sum runs over the input channels in ascending order, whatever the tile.
// Tiles stay within the extents that `multiply` has checked; the caller vouches for the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::pixels::LANES;
use neurdsp_simd::{Isa, Vector, dispatch};

/// Weights of a product, `[outputs / 16][inputs][16]`.
pub(super) struct Panel<'a> {
    pub(super) weights: &'a [f32],
    pub(super) inputs: usize,
    pub(super) outputs: usize,
}

/// Pixels in blocks of sixteen channels: pixel `m` of a block begins at `block * block_stride + m * step`.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) data: &'a [f32],
    pub(super) block_stride: usize,
    pub(super) step: usize,
}

/// Where the products go; laid out like [`Source`]. They are added to what is there if `adds`.
pub(super) struct Target<'a> {
    pub(super) data: &'a mut [f32],
    pub(super) block_stride: usize,
    pub(super) step: usize,
    pub(super) adds: bool,
}

/// Multiplies `pixels` pixels.
pub(super) fn multiply(isa: Isa, panel: &Panel<'_>, from: Source<'_>, to: &mut Target<'_>, pixels: usize) {
    if pixels == 0 || panel.inputs == 0 {
        return;
    }
    let (inputs, outputs) = (panel.inputs.div_ceil(LANES), panel.outputs.div_ceil(LANES));
    let extent =
        |blocks: usize, stride: usize, step: usize| (blocks - 1) * stride + (pixels - 1) * step + LANES;
    assert!(panel.weights.len() >= outputs * panel.inputs * LANES, "weights for each output");
    assert!(from.data.len() >= extent(inputs, from.block_stride, from.step), "pixels to read");
    assert!(to.data.len() >= extent(outputs, to.block_stride, to.step), "room for the products");
    run(isa, panel, from, to, pixels);
}

dispatch! {
    fn run(panel: &Panel<'_>, from: Source<'_>, to: &mut Target<'_>, pixels: usize) = run_generic
}

#[inline(always)]
unsafe fn run_generic<V: Vector<f32>>(
    panel: &Panel<'_>,
    from: Source<'_>,
    to: &mut Target<'_>,
    pixels: usize,
) {
    unsafe {
        let blocks = panel.outputs.div_ceil(LANES);
        if V::LANES == LANES {
            // Two registers are two blocks of outputs.
            let mut block = 0;
            while block + 1 < blocks {
                column::<V, 12, 2, true>(panel, from, to, pixels, block, 0);
                block += 2;
            }
            if block < blocks {
                column::<V, 12, 1, true>(panel, from, to, pixels, block, 0);
            }
        } else {
            for block in 0..blocks {
                for lane in (0..LANES).step_by((2 * V::LANES).min(LANES)) {
                    if V::LANES == 8 {
                        column::<V, 6, 2, false>(panel, from, to, pixels, block, lane);
                    } else {
                        column::<V, 4, 2, false>(panel, from, to, pixels, block, lane);
                    }
                }
            }
        }
    }
}

/// All pixels for `R` registers of outputs, which are in `R` blocks if `APART`, else side by side.
#[inline(always)]
unsafe fn column<V: Vector<f32>, const M: usize, const R: usize, const APART: bool>(
    panel: &Panel<'_>,
    from: Source<'_>,
    to: &mut Target<'_>,
    pixels: usize,
    block: usize,
    lane: usize,
) {
    unsafe {
        let mut pixel = 0;
        while pixel + M <= pixels {
            tile::<V, M, R, APART>(panel, from, to, pixel, block, lane);
            pixel += M;
        }
        while pixel + 4 <= pixels {
            tile::<V, 4, R, APART>(panel, from, to, pixel, block, lane);
            pixel += 4;
        }
        while pixel < pixels {
            tile::<V, 1, R, APART>(panel, from, to, pixel, block, lane);
            pixel += 1;
        }
    }
}

#[inline(always)]
unsafe fn tile<V: Vector<f32>, const M: usize, const R: usize, const APART: bool>(
    panel: &Panel<'_>,
    from: Source<'_>,
    to: &mut Target<'_>,
    pixel: usize,
    block: usize,
    lane: usize,
) {
    unsafe {
        let mut sums = [[V::splat(0.0); R]; M];
        let weights = panel.weights.as_ptr().add(block * panel.inputs * LANES + lane);
        // From one register of outputs to the next.
        let (apart, target_apart) =
            if APART { (panel.inputs * LANES, to.block_stride) } else { (V::LANES, V::LANES) };
        let mut input = 0;
        while input < panel.inputs {
            let source = from.data.as_ptr().add(input / LANES * from.block_stride + pixel * from.step);
            for channel in 0..(panel.inputs - input).min(LANES) {
                let row = weights.add((input + channel) * LANES);
                let mut outputs = [V::splat(0.0); R];
                for (r, output) in outputs.iter_mut().enumerate() {
                    *output = V::load(row.add(r * apart));
                }
                for (m, sums) in sums.iter_mut().enumerate() {
                    let value = V::splat(source.add(m * from.step + channel).read());
                    for (sum, output) in sums.iter_mut().zip(outputs) {
                        *sum = value.fma(output, *sum);
                    }
                }
            }
            input += LANES;
        }
        let target = to.data.as_mut_ptr().add(block * to.block_stride + pixel * to.step + lane);
        for (m, sums) in sums.into_iter().enumerate() {
            for (r, sum) in sums.into_iter().enumerate() {
                let place = target.add(m * to.step + r * target_apart);
                let sum = if to.adds { sum.add(V::load(place)) } else { sum };
                sum.store(place);
            }
        }
    }
}

/// Packs weights `weight(output, input)` for a [`Panel`]; outputs after the last are zero.
pub(super) fn pack(inputs: usize, outputs: usize, packed: &mut [f32], weight: impl Fn(usize, usize) -> f32) {
    for block in 0..outputs.div_ceil(LANES) {
        for input in 0..inputs {
            let row = &mut packed[(block * inputs + input) * LANES..][..LANES];
            for (lane, value) in row.iter_mut().enumerate() {
                let output = block * LANES + lane;
                *value = if output < outputs { weight(output, input) } else { 0.0 };
            }
        }
    }
}
