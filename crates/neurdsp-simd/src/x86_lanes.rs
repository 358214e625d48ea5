//! [`Lanes`] on AVX2 and AVX-512.
//!
//! A chunk is put together from 16-byte loads that are inserted straight from memory (a blend, not a shuffle), so that
//! what is left to do is a 4×4 turn inside each 16-byte part: half the shuffles of a turn in registers alone.
//!
//! There are no closures here: one that the compiler does not inline has no instruction set, and calls every intrinsic.
// Each line is an intrinsic on registers, or a load or store that the trait's own safety section covers.
#![allow(clippy::undocumented_unsafe_blocks)]

use crate::lanes::{Lanes, SQRT_HALF_F32, SQRT_HALF_F64};
use crate::x86::{F32x8, F32x16, F64x4, F64x8};
use std::arch::x86_64::*;

/// Turns four vectors 4×4 inside each 16-byte part.
macro_rules! turn_quads {
    ($rows:expr, $unpack_low:ident, $unpack_high:ident, $shuffle:ident) => {{
        let [a, b, c, d] = $rows;
        let (ab_low, ab_high) = ($unpack_low(a, b), $unpack_high(a, b));
        let (cd_low, cd_high) = ($unpack_low(c, d), $unpack_high(c, d));
        [
            $shuffle::<0x44>(ab_low, cd_low),
            $shuffle::<0xee>(ab_low, cd_low),
            $shuffle::<0x44>(ab_high, cd_high),
            $shuffle::<0xee>(ab_high, cd_high),
        ]
    }};
}

impl Lanes for F32x8 {
    type Element = f32;

    #[inline(always)]
    unsafe fn load_chunk(signals: *const f32, stride: usize) -> [Self; 4] {
        unsafe {
            let mut rows = [_mm256_setzero_ps(); 4];
            for (l, row) in rows.iter_mut().enumerate() {
                let low = _mm_loadu_ps(signals.add(l * stride));
                let high = _mm_loadu_ps(signals.add(l * stride + 4 * stride));
                *row = _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(low), high);
            }
            let [a, b, c, d] = turn_quads!(rows, _mm256_unpacklo_ps, _mm256_unpackhi_ps, _mm256_shuffle_ps);
            [Self(a), Self(b), Self(c), Self(d)]
        }
    }
    #[inline(always)]
    unsafe fn turn_quad(signals: [*const f32; 4], to: *mut f32, width: usize) {
        unsafe {
            let rows = [
                _mm_loadu_ps(signals[0]),
                _mm_loadu_ps(signals[1]),
                _mm_loadu_ps(signals[2]),
                _mm_loadu_ps(signals[3]),
            ];
            let rows = turn_quads!(rows, _mm_unpacklo_ps, _mm_unpackhi_ps, _mm_shuffle_ps);
            for (s, row) in rows.into_iter().enumerate() {
                _mm_storeu_ps(to.add(s * width), row);
            }
        }
    }
    #[inline(always)]
    unsafe fn store_chunk(chunk: [Self; 4], signals: *mut f32, stride: usize) {
        unsafe {
            let rows = [chunk[0].0, chunk[1].0, chunk[2].0, chunk[3].0];
            let rows = turn_quads!(rows, _mm256_unpacklo_ps, _mm256_unpackhi_ps, _mm256_shuffle_ps);
            for (l, row) in rows.into_iter().enumerate() {
                _mm_storeu_ps(signals.add(l * stride), _mm256_castps256_ps128(row));
                _mm_storeu_ps(signals.add(l * stride + 4 * stride), _mm256_extractf128_ps::<1>(row));
            }
        }
    }
    #[inline(always)]
    unsafe fn stream(self, to: *mut f32) {
        unsafe { _mm256_stream_ps(to, self.0) }
    }
    #[inline(always)]
    unsafe fn interleave(re: Self, im: Self) -> (Self, Self) {
        unsafe {
            let (low, high) = (_mm256_unpacklo_ps(re.0, im.0), _mm256_unpackhi_ps(re.0, im.0));
            (Self(_mm256_permute2f128_ps::<0x20>(low, high)), Self(_mm256_permute2f128_ps::<0x31>(low, high)))
        }
    }
    #[inline(always)]
    unsafe fn deinterleave(low: Self, high: Self) -> (Self, Self) {
        unsafe {
            let even = _mm256_permute2f128_ps::<0x20>(low.0, high.0);
            let odd = _mm256_permute2f128_ps::<0x31>(low.0, high.0);
            (Self(_mm256_shuffle_ps::<0x88>(even, odd)), Self(_mm256_shuffle_ps::<0xdd>(even, odd)))
        }
    }
    #[inline(always)]
    unsafe fn split_exponent(self) -> (Self, Self) {
        unsafe {
            let bits = _mm256_castps_si256(self.0);
            let exponent =
                _mm256_srai_epi32::<23>(_mm256_sub_epi32(bits, _mm256_set1_epi32(SQRT_HALF_F32 as i32)));
            let mantissa = _mm256_sub_epi32(bits, _mm256_slli_epi32::<23>(exponent));
            (Self(_mm256_castsi256_ps(mantissa)), Self(_mm256_cvtepi32_ps(exponent)))
        }
    }
}

impl Lanes for F32x16 {
    type Element = f32;

    #[inline(always)]
    unsafe fn load_chunk(signals: *const f32, stride: usize) -> [Self; 4] {
        unsafe {
            let mut rows = [_mm512_setzero_ps(); 4];
            for (l, row) in rows.iter_mut().enumerate() {
                *row = _mm512_castps128_ps512(_mm_loadu_ps(signals.add(l * stride)));
                *row = _mm512_insertf32x4::<1>(*row, _mm_loadu_ps(signals.add(l * stride + 4 * stride)));
                *row = _mm512_insertf32x4::<2>(*row, _mm_loadu_ps(signals.add(l * stride + 8 * stride)));
                *row = _mm512_insertf32x4::<3>(*row, _mm_loadu_ps(signals.add(l * stride + 12 * stride)));
            }
            let [a, b, c, d] = turn_quads!(rows, _mm512_unpacklo_ps, _mm512_unpackhi_ps, _mm512_shuffle_ps);
            [Self(a), Self(b), Self(c), Self(d)]
        }
    }
    #[inline(always)]
    unsafe fn turn_quad(signals: [*const f32; 4], to: *mut f32, width: usize) {
        unsafe {
            let rows = [
                _mm_loadu_ps(signals[0]),
                _mm_loadu_ps(signals[1]),
                _mm_loadu_ps(signals[2]),
                _mm_loadu_ps(signals[3]),
            ];
            let rows = turn_quads!(rows, _mm_unpacklo_ps, _mm_unpackhi_ps, _mm_shuffle_ps);
            for (s, row) in rows.into_iter().enumerate() {
                _mm_storeu_ps(to.add(s * width), row);
            }
        }
    }
    #[inline(always)]
    unsafe fn store_chunk(chunk: [Self; 4], signals: *mut f32, stride: usize) {
        unsafe {
            let rows = [chunk[0].0, chunk[1].0, chunk[2].0, chunk[3].0];
            let rows = turn_quads!(rows, _mm512_unpacklo_ps, _mm512_unpackhi_ps, _mm512_shuffle_ps);
            for (l, row) in rows.into_iter().enumerate() {
                _mm_storeu_ps(signals.add(l * stride), _mm512_castps512_ps128(row));
                _mm_storeu_ps(signals.add(l * stride + 4 * stride), _mm512_extractf32x4_ps::<1>(row));
                _mm_storeu_ps(signals.add(l * stride + 8 * stride), _mm512_extractf32x4_ps::<2>(row));
                _mm_storeu_ps(signals.add(l * stride + 12 * stride), _mm512_extractf32x4_ps::<3>(row));
            }
        }
    }
    #[inline(always)]
    unsafe fn stream(self, to: *mut f32) {
        unsafe { _mm512_stream_ps(to, self.0) }
    }
    #[inline(always)]
    unsafe fn interleave(re: Self, im: Self) -> (Self, Self) {
        unsafe {
            let low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            let high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
            (Self(_mm512_permutex2var_ps(re.0, low, im.0)), Self(_mm512_permutex2var_ps(re.0, high, im.0)))
        }
    }
    #[inline(always)]
    unsafe fn deinterleave(low: Self, high: Self) -> (Self, Self) {
        unsafe {
            let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            let odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
            (
                Self(_mm512_permutex2var_ps(low.0, even, high.0)),
                Self(_mm512_permutex2var_ps(low.0, odd, high.0)),
            )
        }
    }
    #[inline(always)]
    unsafe fn split_exponent(self) -> (Self, Self) {
        unsafe {
            let bits = _mm512_castps_si512(self.0);
            let exponent =
                _mm512_srai_epi32::<23>(_mm512_sub_epi32(bits, _mm512_set1_epi32(SQRT_HALF_F32 as i32)));
            let mantissa = _mm512_sub_epi32(bits, _mm512_slli_epi32::<23>(exponent));
            (Self(_mm512_castsi512_ps(mantissa)), Self(_mm512_cvtepi32_ps(exponent)))
        }
    }
}

impl Lanes for F64x4 {
    type Element = f64;

    #[inline(always)]
    unsafe fn load_chunk(signals: *const f64, stride: usize) -> [Self; 4] {
        unsafe {
            let mut rows = [_mm256_setzero_pd(); 4];
            for (i, row) in rows.iter_mut().enumerate() {
                let (l, at) = (i % 2, i / 2 * 2);
                *row = _mm256_castpd128_pd256(_mm_loadu_pd(signals.add(l * stride + at)));
                *row =
                    _mm256_insertf128_pd::<1>(*row, _mm_loadu_pd(signals.add(l * stride + 2 * stride + at)));
            }
            let [a, b, c, d] = rows;
            [
                Self(_mm256_unpacklo_pd(a, b)),
                Self(_mm256_unpackhi_pd(a, b)),
                Self(_mm256_unpacklo_pd(c, d)),
                Self(_mm256_unpackhi_pd(c, d)),
            ]
        }
    }
    #[inline(always)]
    unsafe fn turn_quad(signals: [*const f64; 4], to: *mut f64, width: usize) {
        unsafe {
            for s in [0, 2] {
                for l in [0, 2] {
                    let (a, b) = (_mm_loadu_pd(signals[l].add(s)), _mm_loadu_pd(signals[l + 1].add(s)));
                    _mm_storeu_pd(to.add(s * width + l), _mm_unpacklo_pd(a, b));
                    _mm_storeu_pd(to.add((s + 1) * width + l), _mm_unpackhi_pd(a, b));
                }
            }
        }
    }
    #[inline(always)]
    unsafe fn store_chunk(chunk: [Self; 4], signals: *mut f64, stride: usize) {
        unsafe {
            for s in [0, 2] {
                let (a, b) = (chunk[s].0, chunk[s + 1].0);
                for (l, row) in [_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b)].into_iter().enumerate() {
                    _mm_storeu_pd(signals.add(l * stride + s), _mm256_castpd256_pd128(row));
                    _mm_storeu_pd(signals.add(l * stride + 2 * stride + s), _mm256_extractf128_pd::<1>(row));
                }
            }
        }
    }
    #[inline(always)]
    unsafe fn stream(self, to: *mut f64) {
        unsafe { _mm256_stream_pd(to, self.0) }
    }
    #[inline(always)]
    unsafe fn interleave(re: Self, im: Self) -> (Self, Self) {
        unsafe {
            let (low, high) = (_mm256_unpacklo_pd(re.0, im.0), _mm256_unpackhi_pd(re.0, im.0));
            (Self(_mm256_permute2f128_pd::<0x20>(low, high)), Self(_mm256_permute2f128_pd::<0x31>(low, high)))
        }
    }
    #[inline(always)]
    unsafe fn deinterleave(low: Self, high: Self) -> (Self, Self) {
        unsafe {
            let even = _mm256_permute2f128_pd::<0x20>(low.0, high.0);
            let odd = _mm256_permute2f128_pd::<0x31>(low.0, high.0);
            (Self(_mm256_unpacklo_pd(even, odd)), Self(_mm256_unpackhi_pd(even, odd)))
        }
    }
    #[inline(always)]
    unsafe fn split_exponent(self) -> (Self, Self) {
        unsafe {
            let bits = _mm256_castpd_si256(self.0);
            let above = _mm256_sub_epi64(bits, _mm256_set1_epi64x(SQRT_HALF_F64 as i64));
            let kept = _mm256_and_si256(above, _mm256_set1_epi64x(!0 << 52));
            let mantissa = _mm256_sub_epi64(bits, kept);
            // AVX2 neither shifts nor converts signed 64-bit integers. The exponent is small: add a bias that makes it
            // positive, put it into the low bits of 2^52 and subtract both again.
            let biased = _mm256_srli_epi64::<52>(_mm256_add_epi64(above, _mm256_set1_epi64x(0x400 << 52)));
            let two52 = _mm256_set1_pd(4_503_599_627_370_496.0);
            let shifted = _mm256_castsi256_pd(_mm256_or_si256(biased, _mm256_castpd_si256(two52)));
            let exponent = _mm256_sub_pd(shifted, _mm256_set1_pd(4_503_599_627_370_496.0 + 1024.0));
            (Self(_mm256_castsi256_pd(mantissa)), Self(exponent))
        }
    }
}

impl Lanes for F64x8 {
    type Element = f64;

    #[inline(always)]
    unsafe fn load_chunk(signals: *const f64, stride: usize) -> [Self; 4] {
        unsafe {
            let mut rows = [_mm512_setzero_pd(); 4];
            for (i, row) in rows.iter_mut().enumerate() {
                let (l, at) = (i % 2, i / 2 * 2);
                *row = _mm512_castpd128_pd512(_mm_loadu_pd(signals.add(l * stride + at)));
                *row = _mm512_insertf64x2::<1>(*row, _mm_loadu_pd(signals.add(l * stride + 2 * stride + at)));
                *row = _mm512_insertf64x2::<2>(*row, _mm_loadu_pd(signals.add(l * stride + 4 * stride + at)));
                *row = _mm512_insertf64x2::<3>(*row, _mm_loadu_pd(signals.add(l * stride + 6 * stride + at)));
            }
            let [a, b, c, d] = rows;
            [
                Self(_mm512_unpacklo_pd(a, b)),
                Self(_mm512_unpackhi_pd(a, b)),
                Self(_mm512_unpacklo_pd(c, d)),
                Self(_mm512_unpackhi_pd(c, d)),
            ]
        }
    }
    #[inline(always)]
    unsafe fn turn_quad(signals: [*const f64; 4], to: *mut f64, width: usize) {
        unsafe {
            for s in [0, 2] {
                for l in [0, 2] {
                    let (a, b) = (_mm_loadu_pd(signals[l].add(s)), _mm_loadu_pd(signals[l + 1].add(s)));
                    _mm_storeu_pd(to.add(s * width + l), _mm_unpacklo_pd(a, b));
                    _mm_storeu_pd(to.add((s + 1) * width + l), _mm_unpackhi_pd(a, b));
                }
            }
        }
    }
    #[inline(always)]
    unsafe fn store_chunk(chunk: [Self; 4], signals: *mut f64, stride: usize) {
        unsafe {
            for s in [0, 2] {
                let (a, b) = (chunk[s].0, chunk[s + 1].0);
                for (l, row) in [_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b)].into_iter().enumerate() {
                    _mm_storeu_pd(signals.add(l * stride + s), _mm512_castpd512_pd128(row));
                    _mm_storeu_pd(signals.add(l * stride + 2 * stride + s), _mm512_extractf64x2_pd::<1>(row));
                    _mm_storeu_pd(signals.add(l * stride + 4 * stride + s), _mm512_extractf64x2_pd::<2>(row));
                    _mm_storeu_pd(signals.add(l * stride + 6 * stride + s), _mm512_extractf64x2_pd::<3>(row));
                }
            }
        }
    }
    #[inline(always)]
    unsafe fn stream(self, to: *mut f64) {
        unsafe { _mm512_stream_pd(to, self.0) }
    }
    #[inline(always)]
    unsafe fn interleave(re: Self, im: Self) -> (Self, Self) {
        unsafe {
            let low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
            let high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
            (Self(_mm512_permutex2var_pd(re.0, low, im.0)), Self(_mm512_permutex2var_pd(re.0, high, im.0)))
        }
    }
    #[inline(always)]
    unsafe fn deinterleave(low: Self, high: Self) -> (Self, Self) {
        unsafe {
            let even = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
            let odd = _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15);
            (
                Self(_mm512_permutex2var_pd(low.0, even, high.0)),
                Self(_mm512_permutex2var_pd(low.0, odd, high.0)),
            )
        }
    }
    #[inline(always)]
    unsafe fn split_exponent(self) -> (Self, Self) {
        unsafe {
            let bits = _mm512_castpd_si512(self.0);
            let exponent =
                _mm512_srai_epi64::<52>(_mm512_sub_epi64(bits, _mm512_set1_epi64(SQRT_HALF_F64 as i64)));
            let mantissa = _mm512_sub_epi64(bits, _mm512_slli_epi64::<52>(exponent));
            (Self(_mm512_castsi512_pd(mantissa)), Self(_mm512_cvtepi64_pd(exponent)))
        }
    }
}
