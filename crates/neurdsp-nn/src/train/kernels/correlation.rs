//! The inner loops of [`WeightGradient`](crate::train::WeightGradient): tiles of outputs by inputs, at one tap.
//!
//! A tile holds up to eight outputs by three inputs in registers and runs along time. It is wider in outputs because their
//! gradient lies on whole cache lines, while the inputs of a tap lie anywhere and cost two loads each. The sums stay
//! vectors until the very end, one for each pair and tap, so that cutting time into stretches that fit a cache costs a
//! load and a store, and a sum across lanes is taken once.
// Every access stays within rows whose extent `WeightGradient::add` has checked; the caller vouches for the instruction
// set, as `Vector` asks.
#![allow(clippy::undocumented_unsafe_blocks)]

use crate::train::rows::Rows;
use neurdsp_simd::math::fma;
use neurdsp_simd::{Lanes, Real};

/// What one call works on.
#[derive(Debug)]
pub struct Job<'a, T> {
    pub(crate) outputs: &'a [usize],
    pub(crate) inputs: &'a [usize],
    pub(crate) shape: [usize; 3],
    pub(crate) dilation: usize,
    pub(crate) input: Rows<'a, T>,
    pub(crate) gradient: Rows<'a, T>,
    pub(crate) len: usize,
}

/// Runs `job`, with the channels of a tile as constants of the code.
#[inline(always)]
pub(crate) unsafe fn correlate<V: Lanes>(job: &Job<'_, V::Element>, sums: &mut [V::Element]) {
    unsafe {
        let [outputs, inputs, taps] = job.shape;
        for tap in 0..taps {
            let mut o = 0;
            for &o_size in job.outputs {
                let mut i = 0;
                for &i_size in job.inputs {
                    let sum = sums.as_mut_ptr().add(((tap * inputs + i) * outputs + o) * V::LANES);
                    let input = job.input.samples.as_ptr().add(i * job.input.stride + tap * job.dilation);
                    let gradient = job.gradient.samples.as_ptr().add(o * job.gradient.stride);
                    let tile = Tile { job, sum, input, gradient };
                    match o_size {
                        1 => tile.run_inputs::<V, 1>(i_size),
                        2 => tile.run_inputs::<V, 2>(i_size),
                        3 => tile.run_inputs::<V, 3>(i_size),
                        4 => tile.run_inputs::<V, 4>(i_size),
                        5 => tile.run_inputs::<V, 5>(i_size),
                        6 => tile.run_inputs::<V, 6>(i_size),
                        7 if size_of::<V>() == 64 => tile.run_inputs::<V, 7>(i_size),
                        8 if size_of::<V>() == 64 => tile.run_inputs::<V, 8>(i_size),
                        _ => {}
                    }
                    i += i_size;
                }
                o += o_size;
            }
        }
    }
}

/// Some outputs by some inputs, at one tap.
struct Tile<'a, T> {
    job: &'a Job<'a, T>,
    sum: *mut T,
    input: *const T,
    gradient: *const T,
}

impl<T: Real> Tile<'_, T> {
    #[inline(always)]
    unsafe fn run_inputs<V: Lanes<Element = T>, const OUTPUTS: usize>(&self, inputs: usize) {
        unsafe {
            match inputs {
                1 => self.run::<V, OUTPUTS, 1>(),
                2 => self.run::<V, OUTPUTS, 2>(),
                3 if size_of::<V>() == 64 => self.run::<V, OUTPUTS, 3>(),
                _ => {}
            }
        }
    }

    #[inline(always)]
    unsafe fn run<V: Lanes<Element = T>, const OUTPUTS: usize, const INPUTS: usize>(&self) {
        unsafe {
            let outputs = self.job.shape[0];
            let mut sums = [[V::splat(T::default()); OUTPUTS]; INPUTS];
            for (i, row) in sums.iter_mut().enumerate() {
                for (o, sum) in row.iter_mut().enumerate() {
                    *sum = V::load(self.sum.add((i * outputs + o) * V::LANES));
                }
            }
            let mut at = 0;
            while at < self.job.len {
                let mut x = [V::splat(T::default()); INPUTS];
                for (i, x) in x.iter_mut().enumerate() {
                    *x = V::load(self.input.add(i * self.job.input.stride + at));
                }
                for o in 0..OUTPUTS {
                    let g = V::load(self.gradient.add(o * self.job.gradient.stride + at));
                    for (row, x) in sums.iter_mut().zip(x) {
                        row[o] = fma(g, x, row[o]);
                    }
                }
                at += V::LANES;
            }
            for (i, row) in sums.iter().enumerate() {
                for (o, sum) in row.iter().enumerate() {
                    sum.store(self.sum.add((i * outputs + o) * V::LANES));
                }
            }
        }
    }
}
