//! The inner loop of [`Affine`](super::Affine): tiles of output channels by vectors of frames, held in registers.
//!
//! A step of the loop takes one input channel at one tap: it loads the tile's vectors of frames and multiplies them with
//! one weight for each output, broadcast from memory. Both the loop over taps and that over input channels have run-time
//! trip counts, since unrolled code would not fit the instruction cache. Each sum runs over bias, base, taps and inputs,
//! then the mix, in this order whatever the tile: that is what makes the output independent of block sizes.
// Every block stays within rows whose extents `Affine::run` has checked; the caller vouches for the instruction set, as
// `Vector` asks.
#![allow(clippy::undocumented_unsafe_blocks)]

use neurdsp_simd::math::fma;
use neurdsp_simd::{Vector, dispatch};

/// Output channels whose sums are held in registers together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tile {
    pub(super) first_output: usize,
    pub(super) outputs: usize,
    pub(super) first_input: usize,
    /// Where its biases and weights begin.
    pub(super) weights: usize,
}

/// Where the frames of the convolution lie.
#[derive(Clone, Copy)]
pub(super) struct Source {
    pub(super) data: *const f32,
    /// The present frame.
    pub(super) position: usize,
    /// One less than the length of the ring; 0 where there is only the present.
    pub(super) mask: usize,
    pub(super) stride: usize,
}

/// All that a run reads and writes.
pub(super) struct Job<'a> {
    pub(super) tiles: &'a [Tile],
    pub(super) weights: *const f32,
    pub(super) source: Source,
    /// Input channels of a group.
    pub(super) inputs: usize,
    pub(super) taps: usize,
    pub(super) dilation: usize,
    pub(super) mix: *const f32,
    pub(super) mix_stride: usize,
    pub(super) mix_inputs: usize,
    /// Null if there is none.
    pub(super) base: *const f32,
    pub(super) base_stride: usize,
    pub(super) output: *mut f32,
    pub(super) output_stride: usize,
    pub(super) frames: usize,
}

dispatch! {
    pub(super) fn run(job: &Job<'_>) = run_generic
}

#[inline(always)]
unsafe fn run_generic<V: Vector<f32>>(job: &Job<'_>) {
    unsafe {
        for tile in job.tiles {
            // The shapes: outputs by vectors of frames, as many as leave registers for the frames and a weight.
            match (V::LANES, tile.outputs) {
                (16, 6) => cover::<V, 6, 4>(job, tile),
                (16, 5) => cover::<V, 5, 4>(job, tile),
                (8, 6) => cover::<V, 6, 2>(job, tile),
                (8, 5) => cover::<V, 5, 2>(job, tile),
                (8, 4) => cover::<V, 4, 2>(job, tile),
                (8, 3) => cover::<V, 3, 3>(job, tile),
                (_, 4) => cover::<V, 4, 4>(job, tile),
                (_, 3) => cover::<V, 3, 4>(job, tile),
                (_, 2) => cover::<V, 2, 4>(job, tile),
                _ => cover::<V, 1, 4>(job, tile),
            }
        }
    }
}

/// Covers all frames with tiles of `T` vectors, then of two, then of one.
#[inline(always)]
unsafe fn cover<V: Vector<f32>, const O: usize, const T: usize>(job: &Job<'_>, tile: &Tile) {
    unsafe {
        let mut at = 0;
        while at + (T - 1) * V::LANES < job.frames {
            step::<V, O, T>(job, tile, at);
            at += T * V::LANES;
        }
        if at + V::LANES < job.frames {
            step::<V, O, 2>(job, tile, at);
            at += 2 * V::LANES;
        }
        while at < job.frames {
            step::<V, O, 1>(job, tile, at);
            at += V::LANES;
        }
    }
}

/// `O` outputs of the `T` vectors of frames that begin at frame `at`.
#[inline(always)]
unsafe fn step<V: Vector<f32>, const O: usize, const T: usize>(job: &Job<'_>, tile: &Tile, at: usize) {
    unsafe {
        let mut weight = job.weights.add(tile.weights);
        let mut sums = [[V::splat(0.0); T]; O];
        for (o, row) in sums.iter_mut().enumerate() {
            *row = [V::splat(weight.add(o).read()); T];
        }
        weight = weight.add(O);
        if !job.base.is_null() {
            let base = job.base.add(tile.first_output * job.base_stride + at);
            for (o, row) in sums.iter_mut().enumerate() {
                for (t, sum) in row.iter_mut().enumerate() {
                    *sum = sum.add(V::load(base.add(o * job.base_stride + t * V::LANES)));
                }
            }
        }
        let source = &job.source;
        let data = source.data.add(tile.first_input * source.stride + at);
        let mut back = (job.taps - 1) * job.dilation;
        for _ in 0..job.taps {
            let x = data.add(source.position.wrapping_sub(back) & source.mask);
            weight = multiply_add(&mut sums, weight, x, source.stride, job.inputs);
            back = back.wrapping_sub(job.dilation);
        }
        if job.mix_inputs > 0 {
            multiply_add(&mut sums, weight, job.mix.add(at), job.mix_stride, job.mix_inputs);
        }
        let output = job.output.add(tile.first_output * job.output_stride + at);
        for (o, row) in sums.iter().enumerate() {
            for (t, sum) in row.iter().enumerate() {
                sum.store(output.add(o * job.output_stride + t * V::LANES));
            }
        }
    }
}

/// Adds `inputs` rows from `x`, `stride` apart, times their weights; returns where the next weights begin.
#[inline(always)]
unsafe fn multiply_add<V: Vector<f32>, const O: usize, const T: usize>(
    sums: &mut [[V; T]; O],
    mut weight: *const f32,
    mut x: *const f32,
    stride: usize,
    inputs: usize,
) -> *const f32 {
    unsafe {
        let end = weight.add(inputs * O);
        while weight < end {
            let mut frames = [V::splat(0.0); T];
            for (t, frame) in frames.iter_mut().enumerate() {
                *frame = V::load(x.add(t * V::LANES));
            }
            for (o, row) in sums.iter_mut().enumerate() {
                let w = V::splat(weight.add(o).read());
                for (sum, frame) in row.iter_mut().zip(frames) {
                    *sum = fma(w, frame, *sum);
                }
            }
            weight = weight.add(O);
            x = x.add(stride);
        }
        weight
    }
}
