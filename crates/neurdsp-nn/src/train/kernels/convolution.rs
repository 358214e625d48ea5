//! The inner loops of [`Convolution`](crate::train::Convolution): tiles of output channels by vectors of time.
//!
//! A tile holds up to eight output channels of two or four vectors of time in registers, and sums over taps and input
//! channels there: each input vector is loaded once for all of the tile's outputs, each weight broadcast once for all of
//! its vectors. Tiles of fewer outputs are longer, so that enough sums are under way to hide the latency of an addition.
// Every access stays within rows whose extent `Convolution::run` has checked; the caller vouches for the instruction
// set, as `Vector` asks.
#![allow(clippy::undocumented_unsafe_blocks)]

use neurdsp_simd::math::fma;
use neurdsp_simd::{Lanes, Real};

/// What one call works on.
#[derive(Debug)]
pub struct Job<'a, T> {
    pub(crate) weight: &'a [T],
    pub(crate) groups: &'a [usize],
    pub(crate) inputs: usize,
    pub(crate) taps: usize,
    pub(crate) dilation: usize,
    pub(crate) input: *const T,
    pub(crate) input_stride: usize,
    pub(crate) base: Option<(*const T, usize)>,
    pub(crate) bias: Option<&'a [T]>,
    pub(crate) mixin: Option<(&'a [T], &'a [T])>,
    pub(crate) output: *mut T,
    pub(crate) output_stride: usize,
    pub(crate) len: usize,
}

/// Runs `job`; with the outputs of a group and the vectors of a tile as constants of the code.
#[inline(always)]
pub(crate) unsafe fn convolve<V: Lanes>(job: &Job<'_, V::Element>) {
    unsafe {
        let (mut first, mut weight) = (0, job.weight.as_ptr());
        for &size in job.groups {
            match size {
                1 => group::<V, 1, 4>(job, first, weight),
                2 => group::<V, 2, 4>(job, first, weight),
                3 => group::<V, 3, 4>(job, first, weight),
                4 => group::<V, 4, 2>(job, first, weight),
                5 => group::<V, 5, 2>(job, first, weight),
                6 => group::<V, 6, 2>(job, first, weight),
                7 if size_of::<V>() == 64 => group::<V, 7, 2>(job, first, weight),
                8 if size_of::<V>() == 64 => group::<V, 8, 2>(job, first, weight),
                _ => {}
            }
            first += size;
            weight = weight.add(size * job.inputs * job.taps);
        }
    }
}

#[inline(always)]
unsafe fn group<V: Lanes, const OUTPUTS: usize, const VECTORS: usize>(
    job: &Job<'_, V::Element>,
    first: usize,
    weight: *const V::Element,
) {
    unsafe {
        let mut at = 0;
        while at + VECTORS * V::LANES <= job.len {
            tile::<V, OUTPUTS, VECTORS>(job, first, weight, at);
            at += VECTORS * V::LANES;
        }
        while at < job.len {
            tile::<V, OUTPUTS, 1>(job, first, weight, at);
            at += V::LANES;
        }
    }
}

#[inline(always)]
unsafe fn tile<V: Lanes, const OUTPUTS: usize, const VECTORS: usize>(
    job: &Job<'_, V::Element>,
    first: usize,
    mut weight: *const V::Element,
    at: usize,
) {
    unsafe {
        let mut sums = [[V::splat(V::Element::default()); VECTORS]; OUTPUTS];
        if let Some(bias) = job.bias {
            for (o, row) in sums.iter_mut().enumerate() {
                *row = [V::splat(*bias.as_ptr().add(first + o)); VECTORS];
            }
        }
        if let Some((base, stride)) = job.base {
            for (o, row) in sums.iter_mut().enumerate() {
                for (v, sum) in row.iter_mut().enumerate() {
                    *sum = sum.add(V::load(base.add((first + o) * stride + at + v * V::LANES)));
                }
            }
        }
        if let Some((mixin, signal)) = job.mixin {
            let x: [V; VECTORS] = load(signal.as_ptr().add(at));
            step(&mut sums, &x, mixin.as_ptr().add(first));
        }
        for tap in 0..job.taps {
            let mut input = job.input.add(at + tap * job.dilation);
            for _ in 0..job.inputs {
                let x: [V; VECTORS] = load(input);
                step(&mut sums, &x, weight);
                weight = weight.add(OUTPUTS);
                input = input.wrapping_add(job.input_stride);
            }
        }
        for (o, row) in sums.iter().enumerate() {
            for (v, sum) in row.iter().enumerate() {
                sum.store(job.output.add((first + o) * job.output_stride + at + v * V::LANES));
            }
        }
    }
}

/// Neighbouring vectors.
#[inline(always)]
unsafe fn load<V: Lanes, const N: usize>(from: *const V::Element) -> [V; N] {
    unsafe {
        let mut vectors = [V::splat(V::Element::from_f64(0.0)); N];
        for (v, vector) in vectors.iter_mut().enumerate() {
            *vector = V::load(from.add(v * V::LANES));
        }
        vectors
    }
}

/// Adds one input, times the weight of each output.
#[inline(always)]
unsafe fn step<V: Lanes, const OUTPUTS: usize, const VECTORS: usize>(
    sums: &mut [[V; VECTORS]; OUTPUTS],
    x: &[V; VECTORS],
    weight: *const V::Element,
) {
    unsafe {
        for (o, row) in sums.iter_mut().enumerate() {
            let w = V::splat(*weight.add(o));
            for (sum, x) in row.iter_mut().zip(x) {
                *sum = fma(w, *x, *sum);
            }
        }
    }
}
