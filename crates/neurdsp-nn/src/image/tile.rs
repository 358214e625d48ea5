//! Which tiles a 3x3 convolution is made of, and how their products are stored.
// The entry points of half precision ask for their instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::gemm::{Panel, Place, Source, multiply};
use super::pixels::LANES;
use super::winograd::{
    F2, F4, FilterJob, InputJob, OutputJob, Scheme, Single, transform_filters, transform_input,
    transform_output,
};
use neurdsp_simd::{Isa, Vector, dispatch};

/// A scheme and a precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code)]
pub(super) enum Tile {
    F4,
    F2,
}

/// What the products of some tiles are made of: filters and inputs of some channels.
pub(super) struct Factors<'a> {
    /// `[blocks of outputs][products][inputs][16]`: values from block to block, and units from product to product.
    pub(super) filters: &'a [f32],
    pub(super) filter_stride: usize,
    pub(super) filter_pitch: usize,
    pub(super) n_inputs: usize,
    /// `[blocks of inputs][products][tiles][16]`, likewise.
    pub(super) inputs: &'a [f32],
    pub(super) input_stride: usize,
    pub(super) input_pitch: usize,
    pub(super) tiles: usize,
    /// Whether the products are added to those that are there.
    pub(super) adds: bool,
}

impl Tile {
    pub(super) fn step(self) -> usize {
        match self {
            Self::F4 => F4::STEP,
            Self::F2 => F2::STEP,
        }
    }

    pub(super) fn products(self) -> usize {
        match self {
            Self::F4 => F4::PRODUCTS,
            Self::F2 => F2::PRODUCTS,
        }
    }

    /// Bytes of a product's factor.
    pub(super) fn bytes(self) -> usize {
        4
    }

    pub(super) fn transform_input(self, isa: Isa, job: &mut InputJob<'_>) {
        match self {
            Self::F4 => input_f4(isa, job),
            Self::F2 => input_f2(isa, job),
        }
    }

    pub(super) fn transform_filters(self, isa: Isa, job: &mut FilterJob<'_>) {
        match self {
            Self::F4 => filters_f4(isa, job),
            Self::F2 => filters_f2(isa, job),
        }
    }

    pub(super) fn transform_output(self, isa: Isa, job: &mut OutputJob<'_>) {
        match self {
            Self::F4 => output_f4(isa, job),
            Self::F2 => output_f2(isa, job),
        }
    }

    /// Multiplies all products; `to` has a slice `[products][tiles][16]` for each block of outputs.
    pub(super) fn multiply(self, isa: Isa, factors: &Factors<'_>, to: &mut [&mut [f32]]) {
        for product in 0..self.products() {
            let panel = Panel {
                weights: &factors.filters[product * factors.filter_pitch * LANES..],
                block_stride: factors.filter_stride,
                inputs: factors.n_inputs,
            };
            let from = Source {
                data: &factors.inputs[product * factors.input_pitch * LANES..],
                block_stride: factors.input_stride,
            };
            let place =
                Place { first: product * factors.input_pitch * LANES, step: LANES, adds: factors.adds };
            multiply(isa, panel, from, to, place, factors.tiles);
        }
    }
}

dispatch! {
    fn input_f4(job: &mut InputJob<'_>) = input_f4_generic
}
dispatch! {
    fn input_f2(job: &mut InputJob<'_>) = input_f2_generic
}
dispatch! {
    fn filters_f4(job: &mut FilterJob<'_>) = filters_f4_generic
}
dispatch! {
    fn filters_f2(job: &mut FilterJob<'_>) = filters_f2_generic
}
dispatch! {
    fn output_f4(job: &mut OutputJob<'_>) = output_f4_generic
}
dispatch! {
    fn output_f2(job: &mut OutputJob<'_>) = output_f2_generic
}

#[inline(always)]
unsafe fn input_f4_generic<V: Vector<f32>>(job: &mut InputJob<'_>) {
    unsafe { transform_input::<V, F4, Single>(job) }
}
#[inline(always)]
unsafe fn input_f2_generic<V: Vector<f32>>(job: &mut InputJob<'_>) {
    unsafe { transform_input::<V, F2, Single>(job) }
}
#[inline(always)]
unsafe fn filters_f4_generic<V: Vector<f32>>(job: &mut FilterJob<'_>) {
    unsafe { transform_filters::<V, F4, Single>(job) }
}
#[inline(always)]
unsafe fn filters_f2_generic<V: Vector<f32>>(job: &mut FilterJob<'_>) {
    unsafe { transform_filters::<V, F2, Single>(job) }
}
#[inline(always)]
unsafe fn output_f4_generic<V: Vector<f32>>(job: &mut OutputJob<'_>) {
    unsafe { transform_output::<V, F4>(job) }
}
#[inline(always)]
unsafe fn output_f2_generic<V: Vector<f32>>(job: &mut OutputJob<'_>) {
    unsafe { transform_output::<V, F2>(job) }
}
