//! Which tiles a 3x3 convolution is made of, and how their products are stored.
// The entry points of half precision ask for their instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::gemm::{Panel, Place, Source, multiply};
#[cfg(target_arch = "x86_64")]
use super::half;
use super::pixels::LANES;
use super::winograd::{
    F2, F4, Factors, FilterJob, InputJob, OutputJob, Scheme, Single, transform_filters, transform_input,
    transform_output,
};
use neurdsp_simd::{Isa, Vector, dispatch};

/// Of the factors of products; sums are always in single precision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Single precision.
    #[default]
    Float32,
    /// Eight bits of each factor, where the processor has instructions for them; else single precision.
    BFloat16,
}

/// A size of tiles and a precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    size: Size,
    half: bool,
}

/// Pixels of a small image: four of the larger tiles.
const FEW: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    F4,
    F2,
}

impl Tile {
    pub(super) const F4: Self = Self { size: Size::F4, half: false };
    pub(super) const F2: Self = Self { size: Size::F2, half: false };
    #[cfg(test)]
    pub(super) const F2_HALF: Self = Self { size: Size::F2, half: true };

    /// The tiles of an image of so many pixels. Few pixels do not repay that large tiles make 36 products of each filter.
    pub(super) fn of(precision: Precision, pixels: usize, isa: Isa) -> Self {
        let half = precision == Precision::BFloat16 && isa.has_bf16();
        let Self { size, .. } = if pixels <= FEW { Self::F2 } else { Self::F4 };
        Self { size, half }
    }

    pub(super) fn step(self) -> usize {
        match self.size {
            Size::F4 => F4::STEP,
            Size::F2 => F2::STEP,
        }
    }

    pub(super) fn products(self) -> usize {
        match self.size {
            Size::F4 => F4::PRODUCTS,
            Size::F2 => F2::PRODUCTS,
        }
    }

    /// Bytes of a factor.
    pub(super) fn bytes(self) -> usize {
        if self.half { 2 } else { 4 }
    }

    pub(super) fn transform_input(self, isa: Isa, job: &mut InputJob<'_>) {
        match self.size {
            #[cfg(target_arch = "x86_64")]
            Size::F4 if self.half => half::input_f4(isa, job),
            #[cfg(target_arch = "x86_64")]
            Size::F2 if self.half => half::input_f2(isa, job),
            Size::F4 => input_f4(isa, job),
            Size::F2 => input_f2(isa, job),
        }
    }

    pub(super) fn transform_filters(self, isa: Isa, job: &mut FilterJob<'_>) {
        match self.size {
            #[cfg(target_arch = "x86_64")]
            Size::F4 if self.half => half::filters_f4(isa, job),
            #[cfg(target_arch = "x86_64")]
            Size::F2 if self.half => half::filters_f2(isa, job),
            Size::F4 => filters_f4(isa, job),
            Size::F2 => filters_f2(isa, job),
        }
    }

    pub(super) fn transform_output(self, isa: Isa, job: &mut OutputJob<'_>) {
        match self.size {
            Size::F4 => output_f4(isa, job),
            Size::F2 => output_f2(isa, job),
        }
    }

    /// Multiplies all products; `to` has a slice `[products][tiles][16]` for each block of outputs.
    pub(super) fn multiply(self, isa: Isa, factors: &Factors<'_>, to: &mut [&mut [f32]]) {
        #[cfg(target_arch = "x86_64")]
        if self.half {
            return half::multiply(isa, factors, self.products(), to);
        }
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
