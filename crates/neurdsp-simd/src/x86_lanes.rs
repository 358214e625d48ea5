//! [`Lanes`] on AVX2 and AVX-512.
//!
//! A chunk is put together from 16-byte loads that are inserted straight from memory (a blend, not a shuffle), so that
//! only a transpose within each 16-byte part is left to do: half the shuffles of a transpose in registers alone.
//!
//! There are no closures here: a closure that the compiler does not inline has no instruction set, and calls every
//! intrinsic.
// Each line is an intrinsic on registers, or a load or store that the trait's own safety section covers.
#![allow(clippy::undocumented_unsafe_blocks)]

use crate::lanes::{EXPONENT_F32, EXPONENT_F64, Lanes, SQRT_HALF_F32, SQRT_HALF_F64};
use crate::x86::{F32x8, F32x16, F64x4, F64x8};
use std::arch::x86_64::*;

/// Transposes four vectors of `f32`, 4×4 within each 16-byte part.
macro_rules! turn_f32 {
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

/// Transposes two pairs of vectors of `f64`, 2×2 within each 16-byte part.
macro_rules! turn_f64 {
    ($rows:expr, $unpack_low:ident, $unpack_high:ident) => {{
        let [a, b, c, d] = $rows;
        [$unpack_low(a, b), $unpack_high(a, b), $unpack_low(c, d), $unpack_high(c, d)]
    }};
}

/// [`Lanes`] for one register. Part `k` of a register, 16 bytes wide, holds the signals from `k * WIDTH` on.
macro_rules! x86_lanes {
    ($name:ident, $t:ty, parts $($k:literal)+, $zero:ident, $load:ident, $store:ident, $cast_up:ident, $insert:ident,
     $cast_down:ident, $extract:ident, $turn:ident($($turns:ident),+), $turn_quad:ident, $stream:ident,
     $interleave:ident, $deinterleave:ident, $split_exponent:ident,
     $power_of_two:ident) => {
        impl Lanes for $name {
            type Element = $t;

            #[inline(always)]
            unsafe fn load_chunk(signals: *const $t, stride: usize) -> [Self; 4] {
                const WIDTH: usize = 16 / size_of::<$t>();
                unsafe {
                    let mut rows = [$zero(); 4];
                    for (i, row) in rows.iter_mut().enumerate() {
                        let (l, at) = (i % WIDTH, i / WIDTH * WIDTH);
                        *row = $cast_up($load(signals.add(l * stride + at)));
                        $(*row = $insert::<$k>(*row, $load(signals.add(l * stride + $k * WIDTH * stride + at)));)+
                    }
                    let [a, b, c, d] = $turn!(rows, $($turns),+);
                    [Self(a), Self(b), Self(c), Self(d)]
                }
            }
            #[inline(always)]
            unsafe fn turn_quad(signals: [*const $t; 4], to: *mut $t, width: usize) {
                unsafe { $turn_quad(signals, to, width) }
            }
            #[inline(always)]
            unsafe fn store_chunk(chunk: [Self; 4], signals: *mut $t, stride: usize) {
                const WIDTH: usize = 16 / size_of::<$t>();
                unsafe {
                    let rows = $turn!([chunk[0].0, chunk[1].0, chunk[2].0, chunk[3].0], $($turns),+);
                    for (i, row) in rows.into_iter().enumerate() {
                        let (l, at) = (i % WIDTH, i / WIDTH * WIDTH);
                        $store(signals.add(l * stride + at), $cast_down(row));
                        $($store(signals.add(l * stride + $k * WIDTH * stride + at), $extract::<$k>(row));)+
                    }
                }
            }
            #[inline(always)]
            unsafe fn stream(self, to: *mut $t) {
                unsafe { $stream(to, self.0) }
            }
            #[inline(always)]
            unsafe fn interleave(re: Self, im: Self) -> (Self, Self) {
                let (low, high) = unsafe { $interleave(re.0, im.0) };
                (Self(low), Self(high))
            }
            #[inline(always)]
            unsafe fn deinterleave(low: Self, high: Self) -> (Self, Self) {
                let (re, im) = unsafe { $deinterleave(low.0, high.0) };
                (Self(re), Self(im))
            }
            #[inline(always)]
            unsafe fn split_exponent(self) -> (Self, Self) {
                let (mantissa, exponent) = unsafe { $split_exponent(self.0) };
                (Self(mantissa), Self(exponent))
            }
            #[inline(always)]
            unsafe fn power_of_two(self) -> Self {
                Self(unsafe { $power_of_two(self.0) })
            }
        }
    };
}

#[inline(always)]
unsafe fn turn_quad_f32(signals: [*const f32; 4], to: *mut f32, width: usize) {
    unsafe {
        let rows = [
            _mm_loadu_ps(signals[0]),
            _mm_loadu_ps(signals[1]),
            _mm_loadu_ps(signals[2]),
            _mm_loadu_ps(signals[3]),
        ];
        let rows = turn_f32!(rows, _mm_unpacklo_ps, _mm_unpackhi_ps, _mm_shuffle_ps);
        for (s, row) in rows.into_iter().enumerate() {
            _mm_storeu_ps(to.add(s * width), row);
        }
    }
}

#[inline(always)]
unsafe fn turn_quad_f64(signals: [*const f64; 4], to: *mut f64, width: usize) {
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

/// Interleaves two AVX registers: within the 16-byte parts, then across them.
macro_rules! interleave_avx {
    ($name:ident, $reg:ty, $unpack_low:ident, $unpack_high:ident, $permute:ident) => {
        #[inline(always)]
        unsafe fn $name(re: $reg, im: $reg) -> ($reg, $reg) {
            unsafe {
                let (low, high) = ($unpack_low(re, im), $unpack_high(re, im));
                ($permute::<0x20>(low, high), $permute::<0x31>(low, high))
            }
        }
    };
}

interleave_avx!(interleave_f32x8, __m256, _mm256_unpacklo_ps, _mm256_unpackhi_ps, _mm256_permute2f128_ps);
interleave_avx!(interleave_f64x4, __m256d, _mm256_unpacklo_pd, _mm256_unpackhi_pd, _mm256_permute2f128_pd);

#[inline(always)]
unsafe fn deinterleave_f32x8(low: __m256, high: __m256) -> (__m256, __m256) {
    unsafe {
        let even = _mm256_permute2f128_ps::<0x20>(low, high);
        let odd = _mm256_permute2f128_ps::<0x31>(low, high);
        (_mm256_shuffle_ps::<0x88>(even, odd), _mm256_shuffle_ps::<0xdd>(even, odd))
    }
}

#[inline(always)]
unsafe fn deinterleave_f64x4(low: __m256d, high: __m256d) -> (__m256d, __m256d) {
    unsafe {
        let even = _mm256_permute2f128_pd::<0x20>(low, high);
        let odd = _mm256_permute2f128_pd::<0x31>(low, high);
        (_mm256_unpacklo_pd(even, odd), _mm256_unpackhi_pd(even, odd))
    }
}

/// Picks the lanes of two AVX-512 registers by two lists of indices; those of the second register follow the first's.
macro_rules! permute_avx512 {
    ($name:ident, $reg:ty, $permute:ident, $indices:ident, [$($first:literal)+], [$($second:literal)+]) => {
        #[inline(always)]
        unsafe fn $name(a: $reg, b: $reg) -> ($reg, $reg) {
            unsafe {
                let (first, second) = ($indices($($first),+), $indices($($second),+));
                ($permute(a, first, b), $permute(a, second, b))
            }
        }
    };
}

permute_avx512!(
    interleave_f32x16, __m512, _mm512_permutex2var_ps, _mm512_setr_epi32,
    [0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23],
    [8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31]
);
permute_avx512!(
    deinterleave_f32x16, __m512, _mm512_permutex2var_ps, _mm512_setr_epi32,
    [0 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30],
    [1 3 5 7 9 11 13 15 17 19 21 23 25 27 29 31]
);
permute_avx512!(
    interleave_f64x8, __m512d, _mm512_permutex2var_pd, _mm512_setr_epi64,
    [0 8 1 9 2 10 3 11],
    [4 12 5 13 6 14 7 15]
);
permute_avx512!(
    deinterleave_f64x8, __m512d, _mm512_permutex2var_pd, _mm512_setr_epi64,
    [0 2 4 6 8 10 12 14],
    [1 3 5 7 9 11 13 15]
);

/// Mantissa and exponent by integer arithmetic on the bits.
macro_rules! split_exponent {
    ($name:ident, $reg:ty, $sqrt_half:expr, $bits:literal, $to_int:ident, $splat:ident, $sub:ident, $shift_right:ident,
     $shift_left:ident, $from_int:ident, $convert:ident) => {
        #[inline(always)]
        unsafe fn $name(x: $reg) -> ($reg, $reg) {
            unsafe {
                let bits = $to_int(x);
                let exponent = $shift_right::<$bits>($sub(bits, $splat($sqrt_half)));
                let mantissa = $sub(bits, $shift_left::<$bits>(exponent));
                ($from_int(mantissa), $convert(exponent))
            }
        }
    };
}

split_exponent!(
    split_exponent_f32x8,
    __m256,
    SQRT_HALF_F32 as i32,
    23,
    _mm256_castps_si256,
    _mm256_set1_epi32,
    _mm256_sub_epi32,
    _mm256_srai_epi32,
    _mm256_slli_epi32,
    _mm256_castsi256_ps,
    _mm256_cvtepi32_ps
);
split_exponent!(
    split_exponent_f32x16,
    __m512,
    SQRT_HALF_F32 as i32,
    23,
    _mm512_castps_si512,
    _mm512_set1_epi32,
    _mm512_sub_epi32,
    _mm512_srai_epi32,
    _mm512_slli_epi32,
    _mm512_castsi512_ps,
    _mm512_cvtepi32_ps
);
split_exponent!(
    split_exponent_f64x8,
    __m512d,
    SQRT_HALF_F64 as i64,
    52,
    _mm512_castpd_si512,
    _mm512_set1_epi64,
    _mm512_sub_epi64,
    _mm512_srai_epi64,
    _mm512_slli_epi64,
    _mm512_castsi512_pd,
    _mm512_cvtepi64_pd
);

/// Adds the bias of the exponent in the low bits of the mantissa, and moves them up.
macro_rules! power_of_two {
    ($name:ident, $reg:ty, $bias:ident, $bits:literal, $splat:ident, $add:ident, $to_int:ident, $shift_left:ident,
     $from_int:ident) => {
        #[inline(always)]
        unsafe fn $name(x: $reg) -> $reg {
            unsafe { $from_int($shift_left::<$bits>($to_int($add(x, $splat($bias))))) }
        }
    };
}

power_of_two!(
    power_of_two_f32x8,
    __m256,
    EXPONENT_F32,
    23,
    _mm256_set1_ps,
    _mm256_add_ps,
    _mm256_castps_si256,
    _mm256_slli_epi32,
    _mm256_castsi256_ps
);
power_of_two!(
    power_of_two_f32x16,
    __m512,
    EXPONENT_F32,
    23,
    _mm512_set1_ps,
    _mm512_add_ps,
    _mm512_castps_si512,
    _mm512_slli_epi32,
    _mm512_castsi512_ps
);
power_of_two!(
    power_of_two_f64x4,
    __m256d,
    EXPONENT_F64,
    52,
    _mm256_set1_pd,
    _mm256_add_pd,
    _mm256_castpd_si256,
    _mm256_slli_epi64,
    _mm256_castsi256_pd
);
power_of_two!(
    power_of_two_f64x8,
    __m512d,
    EXPONENT_F64,
    52,
    _mm512_set1_pd,
    _mm512_add_pd,
    _mm512_castpd_si512,
    _mm512_slli_epi64,
    _mm512_castsi512_pd
);

#[inline(always)]
unsafe fn split_exponent_f64x4(x: __m256d) -> (__m256d, __m256d) {
    unsafe {
        let bits = _mm256_castpd_si256(x);
        let above = _mm256_sub_epi64(bits, _mm256_set1_epi64x(SQRT_HALF_F64 as i64));
        let kept = _mm256_and_si256(above, _mm256_set1_epi64x(!0 << 52));
        let mantissa = _mm256_sub_epi64(bits, kept);
        // AVX2 neither shifts nor converts signed 64-bit integers. The exponent is small: add a bias that makes it
        // positive, put it into the low bits of 2^52 and subtract both again.
        let biased = _mm256_srli_epi64::<52>(_mm256_add_epi64(above, _mm256_set1_epi64x(0x400 << 52)));
        let two52 = _mm256_set1_pd(4_503_599_627_370_496.0);
        let shifted = _mm256_castsi256_pd(_mm256_or_si256(biased, _mm256_castpd_si256(two52)));
        let exponent = _mm256_sub_pd(shifted, _mm256_set1_pd(4_503_599_627_370_496.0 + 1024.0));
        (_mm256_castsi256_pd(mantissa), exponent)
    }
}

x86_lanes!(
    F32x8, f32, parts 1, _mm256_setzero_ps, _mm_loadu_ps, _mm_storeu_ps, _mm256_castps128_ps256, _mm256_insertf128_ps,
    _mm256_castps256_ps128, _mm256_extractf128_ps, turn_f32(_mm256_unpacklo_ps, _mm256_unpackhi_ps, _mm256_shuffle_ps),
    turn_quad_f32, _mm256_stream_ps, interleave_f32x8, deinterleave_f32x8, split_exponent_f32x8,
    power_of_two_f32x8
);
x86_lanes!(
    F32x16, f32, parts 1 2 3, _mm512_setzero_ps, _mm_loadu_ps, _mm_storeu_ps, _mm512_castps128_ps512, _mm512_insertf32x4,
    _mm512_castps512_ps128, _mm512_extractf32x4_ps, turn_f32(_mm512_unpacklo_ps, _mm512_unpackhi_ps, _mm512_shuffle_ps),
    turn_quad_f32, _mm512_stream_ps, interleave_f32x16, deinterleave_f32x16, split_exponent_f32x16,
    power_of_two_f32x16
);
x86_lanes!(
    F64x4, f64, parts 1, _mm256_setzero_pd, _mm_loadu_pd, _mm_storeu_pd, _mm256_castpd128_pd256, _mm256_insertf128_pd,
    _mm256_castpd256_pd128, _mm256_extractf128_pd, turn_f64(_mm256_unpacklo_pd, _mm256_unpackhi_pd),
    turn_quad_f64, _mm256_stream_pd, interleave_f64x4, deinterleave_f64x4, split_exponent_f64x4,
    power_of_two_f64x4
);
x86_lanes!(
    F64x8, f64, parts 1 2 3, _mm512_setzero_pd, _mm_loadu_pd, _mm_storeu_pd, _mm512_castpd128_pd512, _mm512_insertf64x2,
    _mm512_castpd512_pd128, _mm512_extractf64x2_pd, turn_f64(_mm512_unpacklo_pd, _mm512_unpackhi_pd),
    turn_quad_f64, _mm512_stream_pd, interleave_f64x8, deinterleave_f64x8, split_exponent_f64x8,
    power_of_two_f64x8
);
