//! Products in bfloat16 with sums in single precision, where the processor has `vdpbf16ps`.
//!
//! The instruction multiplies pairs of inputs and adds both products to a sum of sixteen outputs: half the instructions and
//! half the memory of single precision, and eight bits of each factor.
// Each entry asserts that the processor has the instructions, and `multiply` the extents of what it reads and writes.
#![allow(
    clippy::undocumented_unsafe_blocks,
    clippy::needless_range_loop,
    clippy::missing_transmute_annotations
)]

use super::pixels::LANES;
use super::winograd::{F2, F4, Factors, FilterJob, InputJob, Store, transform_filters, transform_input};
use neurdsp_simd::{F32x16, Isa};
use std::arch::x86_64::*;

/// Factors in bfloat16: of inputs `[16]`, of filters `[inputs / 2][16][2]`.
pub(super) struct Half;

impl Store<F32x16> for Half {
    const BYTES: usize = 2;

    #[inline(always)]
    unsafe fn input(value: F32x16, to: *mut u8, _lane: usize) {
        unsafe { _mm256_storeu_si256(to.cast(), std::mem::transmute(_mm512_cvtneps_pbh(value.0))) }
    }

    #[inline(always)]
    unsafe fn weights(values: [F32x16; 2], to: *mut u8, _lane: usize) {
        unsafe {
            let both: __m512i = std::mem::transmute(_mm512_cvtne2ps_pbh(values[1].0, values[0].0));
            // The first sixteen words and the last sixteen, in turn.
            let (step, ends) = (_mm512_set1_epi32(0x0001_0001), _mm512_set1_epi32(0x0010_0000));
            let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            let places = _mm512_add_epi32(_mm512_mullo_epi32(lanes, step), ends);
            _mm512_storeu_si512(to.cast(), _mm512_permutexvar_epi16(places, both));
        }
    }
}

macro_rules! entry {
    ($name:ident($($arg:ident: $ty:ty),*) = $($body:tt)*) => {
        pub(super) fn $name(isa: Isa, $($arg: $ty),*) {
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx512bf16,avx2,fma")]
            unsafe fn entry($($arg: $ty),*) {
                unsafe { $($body)*($($arg),*) }
            }
            assert!(isa.has_bf16(), "a processor with bfloat16");
            unsafe { entry($($arg),*) }
        }
    };
}

entry!(input_f4(job: &mut InputJob<'_>) = transform_input::<F32x16, F4, Half>);
entry!(input_f2(job: &mut InputJob<'_>) = transform_input::<F32x16, F2, Half>);
entry!(filters_f4(job: &mut FilterJob<'_>) = transform_filters::<F32x16, F4, Half>);
entry!(filters_f2(job: &mut FilterJob<'_>) = transform_filters::<F32x16, F2, Half>);
entry!(multiply(factors: &Factors<'_>, n_products: usize, to: &mut [&mut [f32]]) = products);

/// Pairs of bfloat16 in a block of channels.
const PAIRS: usize = LANES / 2;

#[inline(always)]
unsafe fn products(factors: &Factors<'_>, n_products: usize, to: &mut [&mut [f32]]) {
    unsafe {
        let blocks = factors.n_inputs / LANES;
        let extent = |pitch: usize, units: usize| ((n_products - 1) * pitch + units) * LANES / 2;
        assert!(factors.n_inputs.is_multiple_of(LANES) && blocks > 0, "whole blocks of inputs");
        let filters = (to.len() - 1) * factors.filter_stride + extent(factors.filter_pitch, factors.n_inputs);
        assert!(factors.filters.len() >= filters, "filters for each output");
        let inputs = (blocks - 1) * factors.input_stride + extent(factors.input_pitch, factors.tiles);
        assert!(factors.inputs.len() >= inputs, "tiles to read");
        let room = ((n_products - 1) * factors.input_pitch + factors.tiles) * LANES;
        assert!(to.len() <= 2 && to.iter().all(|to| to.len() >= room), "room for the products");
        for product in 0..n_products {
            let filters = factors.filters.as_ptr().add(product * factors.filter_pitch * PAIRS);
            let inputs = factors.inputs.as_ptr().add(product * factors.input_pitch * PAIRS);
            let place = product * factors.input_pitch * LANES;
            match to {
                [first, second] => {
                    let filters = [filters, filters.add(factors.filter_stride)];
                    let to = [first.as_mut_ptr().add(place), second.as_mut_ptr().add(place)];
                    column::<2>(factors, filters, inputs, to);
                }
                [first] => column::<1>(factors, [filters], inputs, [first.as_mut_ptr().add(place)]),
                _ => {}
            }
        }
    }
}

#[inline(always)]
unsafe fn column<const R: usize>(
    factors: &Factors<'_>,
    filters: [*const f32; R],
    inputs: *const f32,
    to: [*mut f32; R],
) {
    unsafe {
        let mut tile = 0;
        while tile + 12 <= factors.tiles && tile + 16 != factors.tiles {
            tiles::<12, R>(factors, filters, inputs.add(tile * PAIRS), to, tile);
            tile += 12;
        }
        while tile + 8 <= factors.tiles {
            tiles::<8, R>(factors, filters, inputs.add(tile * PAIRS), to, tile);
            tile += 8;
        }
        while tile + 2 <= factors.tiles {
            tiles::<2, R>(factors, filters, inputs.add(tile * PAIRS), to, tile);
            tile += 2;
        }
        if tile < factors.tiles {
            tiles::<1, R>(factors, filters, inputs.add(tile * PAIRS), to, tile);
        }
    }
}

/// A product of `M` tiles with `R` blocks of outputs.
#[inline(always)]
unsafe fn tiles<const M: usize, const R: usize>(
    factors: &Factors<'_>,
    mut filters: [*const f32; R],
    mut inputs: *const f32,
    to: [*mut f32; R],
    first: usize,
) {
    unsafe {
        let mut sums = [[_mm512_setzero_ps(); R]; M];
        for _ in 0..factors.n_inputs / LANES {
            for pair in 0..PAIRS {
                let mut rows: [__m512bh; R] = [std::mem::transmute(_mm512_setzero_ps()); R];
                for r in 0..R {
                    rows[r] = std::mem::transmute::<__m512, __m512bh>(_mm512_loadu_ps(filters[r]));
                    filters[r] = filters[r].add(LANES);
                }
                for m in 0..M {
                    let value = _mm512_set1_ps(inputs.add(m * PAIRS + pair).read());
                    for r in 0..R {
                        sums[m][r] = _mm512_dpbf16_ps(
                            sums[m][r],
                            std::mem::transmute::<__m512, __m512bh>(value),
                            rows[r],
                        );
                    }
                }
            }
            inputs = inputs.wrapping_add(factors.input_stride);
        }
        for m in 0..M {
            for r in 0..R {
                let to = to[r].add((first + m) * LANES);
                let sum =
                    if factors.adds { _mm512_add_ps(sums[m][r], _mm512_loadu_ps(to)) } else { sums[m][r] };
                _mm512_storeu_ps(to, sum);
            }
        }
    }
}
