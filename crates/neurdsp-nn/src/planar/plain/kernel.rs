//! The inner loops of [`PlainLayer`](super::PlainLayer): all channels by several vectors of frames, held in registers.
// Every block stays within rows whose extents `PlainLayer::run` has checked; the caller vouches for the instruction set,
// as `Vector` asks.
#![allow(clippy::undocumented_unsafe_blocks)]

use neurdsp_simd::math::{Tanh, fma};
use neurdsp_simd::{Vector, dispatch};

/// The nonlinearity.
#[derive(Clone, Copy, Debug)]
pub(super) enum Function {
    Tanh,
    /// The larger of `x` and this times `x`.
    Leaky(f32),
}

/// All that a run reads and writes.
pub(super) struct Job {
    pub(super) weights: *const f32,
    pub(super) taps: usize,
    pub(super) dilation: usize,
    pub(super) data: *const f32,
    pub(super) position: usize,
    pub(super) mask: usize,
    pub(super) stride: usize,
    pub(super) condition: *const f32,
    pub(super) sum: *mut f32,
    pub(super) sum_stride: usize,
    pub(super) begins: bool,
    /// Null if it is not wanted.
    pub(super) next: *mut f32,
    pub(super) next_stride: usize,
    pub(super) frames: usize,
}

dispatch! {
    pub(super) fn run(channels: usize, function: Function, job: &Job) = run_generic
}

#[inline(always)]
unsafe fn run_generic<V: Vector<f32>>(channels: usize, function: Function, job: &Job) {
    unsafe {
        match (V::LANES, channels) {
            (_, 2) => cover::<V, 2, 4>(function, job),
            (8, 3) => cover::<V, 3, 3>(function, job),
            (_, 3) => cover::<V, 3, 4>(function, job),
            (8, 4) => cover::<V, 4, 2>(function, job),
            (_, 4) => cover::<V, 4, 4>(function, job),
            (16, 8) => cover::<V, 8, 2>(function, job),
            _ => {}
        }
    }
}

/// Covers all frames with tiles of `T` vectors, then of one.
#[inline(always)]
unsafe fn cover<V: Vector<f32>, const C: usize, const T: usize>(function: Function, job: &Job) {
    unsafe {
        let mut at = 0;
        while at + (T - 1) * V::LANES < job.frames {
            tile::<V, C, T>(function, job, at);
            at += T * V::LANES;
        }
        while at < job.frames {
            tile::<V, C, 1>(function, job, at);
            at += V::LANES;
        }
    }
}

/// The `T` vectors of frames that begin at frame `at`.
#[inline(always)]
unsafe fn tile<V: Vector<f32>, const C: usize, const T: usize>(function: Function, job: &Job, at: usize) {
    unsafe {
        let mut weight = job.weights;
        let mut z = [[V::splat(0.0); T]; C];
        for t in 0..T {
            let condition = V::load(job.condition.add(at + t * V::LANES));
            for (o, row) in z.iter_mut().enumerate() {
                let (bias, mix) = (V::splat(weight.add(o).read()), V::splat(weight.add(C + o).read()));
                row[t] = fma(mix, condition, bias);
            }
        }
        weight = weight.add(2 * C);
        let data = job.data.add(at);
        let mut back = (job.taps - 1) * job.dilation;
        let end = weight.add(job.taps * C * C);
        let mut x = data;
        while weight < end {
            x = data.add(job.position.wrapping_sub(back) & job.mask);
            for input in 0..C {
                multiply_add(&mut z, weight.add(input * C), x.add(input * job.stride));
            }
            weight = weight.add(C * C);
            back = back.wrapping_sub(job.dilation);
        }

        match function {
            Function::Leaky(slope) => {
                for row in &mut z {
                    for value in row {
                        *value = value.max(value.mul(V::splat(slope)));
                    }
                }
            }
            Function::Tanh => {
                // Through memory, a few at a time: with all of them live, the constants would not fit the registers.
                let mut stored = [[[0.0f32; 16]; T]; C];
                for (row, stored) in z.iter().zip(&mut stored) {
                    for (value, stored) in row.iter().zip(stored) {
                        value.store(stored.as_mut_ptr());
                    }
                }
                let mut c = 0;
                while c < std::hint::black_box(C) {
                    let mut chains = [Tanh::begin(V::splat(0.0)); T];
                    for (chain, stored) in chains.iter_mut().zip(&stored[c]) {
                        *chain = Tanh::begin(V::load(stored.as_ptr()));
                    }
                    for chain in &mut chains {
                        *chain = chain.high_powers();
                    }
                    for chain in &mut chains {
                        *chain = chain.low_powers();
                    }
                    for (chain, stored) in chains.iter().zip(&mut stored[c]) {
                        chain.end().store(stored.as_mut_ptr());
                    }
                    c += 1;
                }
                for (row, stored) in z.iter_mut().zip(&stored) {
                    for (value, stored) in row.iter_mut().zip(stored) {
                        *value = V::load(stored.as_ptr());
                    }
                }
            }
        }

        for (c, row) in z.iter().enumerate() {
            for (t, value) in row.iter().enumerate() {
                let sum = job.sum.add(c * job.sum_stride + at + t * V::LANES);
                let total = if job.begins { *value } else { V::load(sum).add(*value) };
                total.store(sum);
            }
        }
        if job.next.is_null() {
            return;
        }
        // `x` is the window of the last tap: the residual signal.
        let matrix = weight.add(C);
        for t in 0..T {
            let mut next = [V::splat(0.0); C];
            for (o, next) in next.iter_mut().enumerate() {
                let residual = V::load(x.add(o * job.stride + t * V::LANES));
                *next = V::splat(weight.add(o).read()).add(residual);
            }
            for (input, row) in z.iter().enumerate() {
                for (o, next) in next.iter_mut().enumerate() {
                    *next = fma(V::splat(matrix.add(input * C + o).read()), row[t], *next);
                }
            }
            for (o, next) in next.iter().enumerate() {
                next.store(job.next.add(o * job.next_stride + at + t * V::LANES));
            }
        }
    }
}

/// Adds one input channel's frames times its weights.
#[inline(always)]
unsafe fn multiply_add<V: Vector<f32>, const C: usize, const T: usize>(
    sums: &mut [[V; T]; C],
    weight: *const f32,
    x: *const f32,
) {
    unsafe {
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
    }
}
