//! The product at the bottom of every layer: pixels by input channels, times input channels by output channels.
//!
//! A step of the inner loop broadcasts one channel of a few pixels and multiplies it with two registers of outputs. As many
//! pixels are taken together as leave registers for the outputs: twelve of 32 wide registers, six of 16 narrow ones. Every
//! sum runs over the input channels in ascending order, whatever the tile.
// Tiles stay within the extents that `multiply` has checked; the caller vouches for the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::pixels::LANES;
use neurdsp_simd::{Isa, Vector, dispatch};

/// Weights: those of input channel `k` for block `b` of sixteen outputs begin at `b * block_stride + k * 16`.
#[derive(Clone, Copy)]
pub(super) struct Panel<'a> {
    pub(super) weights: &'a [f32],
    pub(super) block_stride: usize,
    pub(super) inputs: usize,
}

/// Pixels in blocks of sixteen channels: pixel `m` of a block begins at `block * block_stride + m * 16`.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) data: &'a [f32],
    pub(super) block_stride: usize,
}

/// Where the products go in each block of outputs: pixel `m` to `first + m * step`. They are added to what is there if
/// `adds`.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) first: usize,
    pub(super) step: usize,
    pub(super) adds: bool,
}

/// Multiplies `pixels` pixels; `to` has a slice for each block of outputs.
pub(super) fn multiply(
    isa: Isa,
    panel: Panel<'_>,
    from: Source<'_>,
    to: &mut [&mut [f32]],
    place: Place,
    pixels: usize,
) {
    multiply_taps(isa, panel, from, &[0], to, place, pixels);
}

/// As [`multiply`], with several taps: each reads its pixels so many values further on, and the weights of each tap, as many
/// as `panel` has inputs, lie behind those of the one before.
pub(super) fn multiply_taps(
    isa: Isa,
    panel: Panel<'_>,
    from: Source<'_>,
    taps: &[usize],
    to: &mut [&mut [f32]],
    place: Place,
    pixels: usize,
) {
    let Some(furthest) = taps.iter().max() else { return };
    if pixels == 0 || panel.inputs == 0 || to.is_empty() {
        return;
    }
    let weights = (to.len() - 1) * panel.block_stride + taps.len() * panel.inputs * LANES;
    assert!(panel.weights.len() >= weights, "weights for each output");
    let (last, channels) = ((panel.inputs - 1) / LANES, (panel.inputs - 1) % LANES + 1);
    let seen = furthest + last * from.block_stride + (pixels - 1) * LANES + channels;
    assert!(from.data.len() >= seen, "pixels to read");
    let extent = place.first + (pixels - 1) * place.step + LANES;
    assert!(to.iter().all(|to| to.len() >= extent), "room for the products");
    run(isa, panel, from, taps, to, place, pixels);
}

dispatch! {
    fn run(
        panel: Panel<'_>,
        from: Source<'_>,
        taps: &[usize],
        to: &mut [&mut [f32]],
        place: Place,
        pixels: usize,
    ) = run_generic
}

#[inline(always)]
unsafe fn run_generic<V: Vector<f32>>(
    panel: Panel<'_>,
    from: Source<'_>,
    taps: &[usize],
    to: &mut [&mut [f32]],
    place: Place,
    pixels: usize,
) {
    unsafe {
        for (pair, to) in to.chunks_mut(2).enumerate() {
            let weights = |r: usize| panel.weights.as_ptr().add((2 * pair + r) * panel.block_stride);
            let mut first = to[0].as_mut_ptr().add(place.first);
            if V::LANES == LANES {
                if let [_, second] = to {
                    // Two registers are two blocks of outputs.
                    let to = [first, second.as_mut_ptr().add(place.first)];
                    column::<V, 12, 8, 2>(
                        panel.inputs,
                        [weights(0), weights(1)],
                        from,
                        taps,
                        to,
                        place,
                        pixels,
                    );
                } else {
                    column::<V, 12, 8, 1>(panel.inputs, [weights(0)], from, taps, [first], place, pixels);
                }
                continue;
            }
            for block in 0..to.len() {
                first = to[block].as_mut_ptr().add(place.first);
                for lane in (0..LANES).step_by(2 * V::LANES) {
                    let row = weights(block).add(lane);
                    let (weights, to) =
                        ([row, row.add(V::LANES)], [first.add(lane), first.add(lane + V::LANES)]);
                    if V::LANES == 8 {
                        column::<V, 6, 4, 2>(panel.inputs, weights, from, taps, to, place, pixels);
                    } else {
                        column::<V, 4, 2, 2>(panel.inputs, weights, from, taps, to, place, pixels);
                    }
                }
            }
        }
    }
}

/// All pixels for `R` registers of outputs: `M` pixels at a time, or `N` where that leaves fewer over.
#[allow(clippy::too_many_arguments)]
#[inline(always)]
unsafe fn column<V: Vector<f32>, const M: usize, const N: usize, const R: usize>(
    inputs: usize,
    weights: [*const f32; R],
    from: Source<'_>,
    taps: &[usize],
    to: [*mut f32; R],
    place: Place,
    pixels: usize,
) {
    unsafe {
        let mut pixel = 0;
        while pixel + M <= pixels && pixel + 2 * N != pixels {
            tile::<V, M, R>(inputs, weights, from, taps, to, place, pixel);
            pixel += M;
        }
        while pixel + N <= pixels {
            tile::<V, N, R>(inputs, weights, from, taps, to, place, pixel);
            pixel += N;
        }
        while pixel + 2 <= pixels {
            tile::<V, 2, R>(inputs, weights, from, taps, to, place, pixel);
            pixel += 2;
        }
        if pixel < pixels {
            tile::<V, 1, R>(inputs, weights, from, taps, to, place, pixel);
        }
    }
}

#[inline(always)]
unsafe fn tile<V: Vector<f32>, const M: usize, const R: usize>(
    inputs: usize,
    mut weights: [*const f32; R],
    from: Source<'_>,
    taps: &[usize],
    to: [*mut f32; R],
    place: Place,
    pixel: usize,
) {
    unsafe {
        let mut sums = [[V::splat(0.0); R]; M];
        for tap in taps {
            let mut source = from.data.as_ptr().add(pixel * LANES + tap);
            for _ in 0..inputs / LANES {
                for channel in 0..LANES {
                    step(&mut sums, weights, source.add(channel));
                    weights = weights.map(|row| row.add(LANES));
                }
                source = source.wrapping_add(from.block_stride);
            }
            for channel in 0..inputs % LANES {
                step(&mut sums, weights, source.add(channel));
                weights = weights.map(|row| row.add(LANES));
            }
        }
        for (m, sums) in sums.into_iter().enumerate() {
            for (sum, to) in sums.into_iter().zip(to) {
                let to = to.add((pixel + m) * place.step);
                let sum = if place.adds { sum.add(V::load(to)) } else { sum };
                sum.store(to);
            }
        }
    }
}

/// One channel of `M` pixels times its weights.
#[inline(always)]
unsafe fn step<V: Vector<f32>, const M: usize, const R: usize>(
    sums: &mut [[V; R]; M],
    weights: [*const f32; R],
    source: *const f32,
) {
    unsafe {
        let outputs = weights.map(|row| V::load(row));
        for (m, sums) in sums.iter_mut().enumerate() {
            let value = V::splat(source.add(m * LANES).read());
            for (sum, output) in sums.iter_mut().zip(outputs) {
                *sum = value.fma(output, *sum);
            }
        }
    }
}

/// Packs weights `weight(output, input)` for a [`Panel`] of `[outputs / 16][inputs][16]`; outputs after the last are zero.
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
