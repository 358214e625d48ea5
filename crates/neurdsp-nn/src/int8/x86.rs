//! Sums of byte products on AVX2, AVX-VNNI and AVX-512 VNNI.
// Each method is a few intrinsics; the safety section of `product` is what each block relies on.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::row::Row;
use super::tile::{Sums, Tile, columns_of};
use std::arch::x86_64::*;

#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn avx2(tile: Tile<'_>, row: &Row, to: &mut [f32], adds: bool) {
    unsafe { columns_of::<Avx2, 1>(tile, row, to, adds) }
}

#[target_feature(enable = "avx2,fma,avxvnni")]
pub(super) unsafe fn avx_vnni(tile: Tile<'_>, row: &Row, to: &mut [f32], adds: bool) {
    unsafe { columns_of::<AvxVnni, 2>(tile, row, to, adds) }
}

#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx512vnni,avx2,fma")]
pub(super) unsafe fn avx512_vnni(tile: Tile<'_>, row: &Row, to: &mut [f32], adds: bool) {
    unsafe { columns_of::<Avx512Vnni, 2>(tile, row, to, adds) }
}

/// Four bytes as one lane.
#[inline(always)]
unsafe fn lane(integers: *const i8) -> i32 {
    unsafe { integers.cast::<i32>().read_unaligned() }
}

/// `sum · (scale · scales) + bias` for eight columns.
#[inline(always)]
unsafe fn finish(sum: __m256i, scale: f32, scales: *const f32, bias: *const f32, to: *mut f32, adds: bool) {
    unsafe {
        let scale = _mm256_mul_ps(_mm256_set1_ps(scale), _mm256_loadu_ps(scales));
        let value = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), scale);
        let value = _mm256_add_ps(value, _mm256_loadu_ps(bias));
        let value = if adds { _mm256_add_ps(value, _mm256_loadu_ps(to)) } else { value };
        _mm256_storeu_ps(to, value);
    }
}

/// Eight columns: magnitudes times weights with the signs of the vector.
#[derive(Clone, Copy)]
struct Avx2(__m256i);

impl Sums for Avx2 {
    const COLUMNS: usize = 8;
    /// The integers, and their magnitudes.
    type Input = (__m256i, __m256i);

    #[inline(always)]
    unsafe fn zero() -> Self {
        Self(unsafe { _mm256_setzero_si256() })
    }

    #[inline(always)]
    unsafe fn begin(_: *const i32) -> Self {
        unsafe { Self::zero() }
    }

    #[inline(always)]
    unsafe fn input(integers: *const i8) -> Self::Input {
        unsafe {
            let x = _mm256_set1_epi32(lane(integers));
            (x, _mm256_abs_epi8(x))
        }
    }

    #[inline(always)]
    unsafe fn dot(self, (x, size): Self::Input, weights: *const i8) -> Self {
        unsafe {
            let signed = _mm256_sign_epi8(_mm256_loadu_si256(weights.cast()), x);
            let pairs = _mm256_maddubs_epi16(size, signed);
            Self(_mm256_add_epi32(self.0, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))))
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(unsafe { _mm256_add_epi32(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn finish(self, scale: f32, scales: *const f32, bias: *const f32, to: *mut f32, adds: bool) {
        unsafe { finish(self.0, scale, scales, bias, to, adds) }
    }
}

/// Eight columns: the vector plus 128, times the weights; what is too much by that is in the offsets.
#[derive(Clone, Copy)]
struct AvxVnni(__m256i);

impl Sums for AvxVnni {
    const COLUMNS: usize = 8;
    type Input = __m256i;

    #[inline(always)]
    unsafe fn zero() -> Self {
        Self(unsafe { _mm256_setzero_si256() })
    }

    #[inline(always)]
    unsafe fn begin(offsets: *const i32) -> Self {
        Self(unsafe { _mm256_loadu_si256(offsets.cast()) })
    }

    #[inline(always)]
    unsafe fn input(integers: *const i8) -> Self::Input {
        unsafe { _mm256_xor_si256(_mm256_set1_epi32(lane(integers)), _mm256_set1_epi8(-128)) }
    }

    #[inline(always)]
    unsafe fn dot(self, input: Self::Input, weights: *const i8) -> Self {
        Self(unsafe { _mm256_dpbusd_avx_epi32(self.0, input, _mm256_loadu_si256(weights.cast())) })
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(unsafe { _mm256_add_epi32(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn finish(self, scale: f32, scales: *const f32, bias: *const f32, to: *mut f32, adds: bool) {
        unsafe { finish(self.0, scale, scales, bias, to, adds) }
    }
}

/// Sixteen columns, as [`AvxVnni`].
#[derive(Clone, Copy)]
struct Avx512Vnni(__m512i);

impl Sums for Avx512Vnni {
    const COLUMNS: usize = 16;
    type Input = __m512i;

    #[inline(always)]
    unsafe fn zero() -> Self {
        Self(unsafe { _mm512_setzero_si512() })
    }

    #[inline(always)]
    unsafe fn begin(offsets: *const i32) -> Self {
        Self(unsafe { _mm512_loadu_si512(offsets.cast()) })
    }

    #[inline(always)]
    unsafe fn input(integers: *const i8) -> Self::Input {
        unsafe { _mm512_xor_si512(_mm512_set1_epi32(lane(integers)), _mm512_set1_epi8(-128)) }
    }

    #[inline(always)]
    unsafe fn dot(self, input: Self::Input, weights: *const i8) -> Self {
        Self(unsafe { _mm512_dpbusd_epi32(self.0, input, _mm512_loadu_si512(weights.cast())) })
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(unsafe { _mm512_add_epi32(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn finish(self, scale: f32, scales: *const f32, bias: *const f32, to: *mut f32, adds: bool) {
        unsafe {
            let scale = _mm512_mul_ps(_mm512_set1_ps(scale), _mm512_loadu_ps(scales));
            let value = _mm512_mul_ps(_mm512_cvtepi32_ps(self.0), scale);
            let value = _mm512_add_ps(value, _mm512_loadu_ps(bias));
            let value = if adds { _mm512_add_ps(value, _mm512_loadu_ps(to)) } else { value };
            _mm512_storeu_ps(to, value);
        }
    }
}
