//! AVX2 with FMA, and AVX-512.
// Each method is one intrinsic; the trait's own safety section is what each block relies on.
#![allow(clippy::undocumented_unsafe_blocks)]

use crate::vector::Vector;
use std::arch::x86_64::*;

macro_rules! x86_vector {
    ($name:ident, $doc:literal, $reg:ty, $t:ty, $lanes:literal, $splat:ident, $load:ident, $store:ident, $add:ident,
     $sub:ident, $mul:ident, $div:ident, $fmadd:ident, $fmsub:ident, $fnmadd:ident, $min:ident, $max:ident, $sqrt:ident,
     $neg:ident, $abs:ident, $broadcast:ident) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug)]
        #[repr(transparent)]
        pub struct $name(pub $reg);

        impl Vector<$t> for $name {
            const LANES: usize = $lanes;
            #[inline(always)]
            unsafe fn splat(value: $t) -> Self {
                Self(unsafe { $splat(value) })
            }
            #[inline(always)]
            unsafe fn broadcast(self, lane: usize) -> Self {
                Self(unsafe { $broadcast(self.0, lane) })
            }
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                Self(unsafe { $load(from) })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                unsafe { $store(to, self.0) }
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                Self(unsafe { $add(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn sub(self, other: Self) -> Self {
                Self(unsafe { $sub(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn mul(self, other: Self) -> Self {
                Self(unsafe { $mul(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn div(self, other: Self) -> Self {
                Self(unsafe { $div(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn fma(self, factor: Self, term: Self) -> Self {
                Self(unsafe { $fmadd(self.0, factor.0, term.0) })
            }
            #[inline(always)]
            unsafe fn fms(self, factor: Self, term: Self) -> Self {
                Self(unsafe { $fmsub(self.0, factor.0, term.0) })
            }
            #[inline(always)]
            unsafe fn fnma(self, factor: Self, term: Self) -> Self {
                Self(unsafe { $fnmadd(self.0, factor.0, term.0) })
            }
            #[inline(always)]
            unsafe fn min(self, other: Self) -> Self {
                Self(unsafe { $min(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn max(self, other: Self) -> Self {
                Self(unsafe { $max(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn neg(self) -> Self {
                Self(unsafe { $neg(self.0) })
            }
            #[inline(always)]
            unsafe fn abs(self) -> Self {
                Self(unsafe { $abs(self.0) })
            }
            #[inline(always)]
            unsafe fn sqrt(self) -> Self {
                Self(unsafe { $sqrt(self.0) })
            }
            #[inline(always)]
            unsafe fn max_lane(self) -> $t {
                let mut lanes = [0.0; $lanes];
                unsafe { self.store(lanes.as_mut_ptr()) };
                lanes.into_iter().fold(<$t>::NEG_INFINITY, |a, b| if b > a { b } else { a })
            }
            #[inline(always)]
            unsafe fn sum_lanes(self) -> $t {
                let mut lanes = [0.0; $lanes];
                unsafe { self.store(lanes.as_mut_ptr()) };
                let mut half = $lanes / 2;
                while half > 0 {
                    for i in 0..half {
                        lanes[i] += lanes[i + half];
                    }
                    half /= 2;
                }
                lanes[0]
            }
        }
    };
}

/// Every lane with its sign flipped, or cleared: AVX2 has no instruction for either.
macro_rules! sign_bits {
    ($neg:ident, $abs:ident, $reg:ty, $xor:ident, $andnot:ident, $splat:ident) => {
        #[inline(always)]
        unsafe fn $neg(v: $reg) -> $reg {
            unsafe { $xor(v, $splat(-0.0)) }
        }
        #[inline(always)]
        unsafe fn $abs(v: $reg) -> $reg {
            unsafe { $andnot($splat(-0.0), v) }
        }
    };
}

sign_bits!(neg_f32x8, abs_f32x8, __m256, _mm256_xor_ps, _mm256_andnot_ps, _mm256_set1_ps);
sign_bits!(neg_f64x4, abs_f64x4, __m256d, _mm256_xor_pd, _mm256_andnot_pd, _mm256_set1_pd);
sign_bits!(neg_f32x16, abs_f32x16, __m512, _mm512_xor_ps, _mm512_andnot_ps, _mm512_set1_ps);
sign_bits!(neg_f64x8, abs_f64x8, __m512d, _mm512_xor_pd, _mm512_andnot_pd, _mm512_set1_pd);

#[inline(always)]
unsafe fn broadcast_f32x8(v: __m256, lane: usize) -> __m256 {
    unsafe { _mm256_permutevar8x32_ps(v, _mm256_set1_epi32(lane as i32)) }
}

/// AVX2 moves halves of `f64` only.
#[inline(always)]
unsafe fn broadcast_f64x4(v: __m256d, lane: usize) -> __m256d {
    unsafe {
        let halves = _mm256_add_epi32(_mm256_set1_epi32(2 * lane as i32), _mm256_set1_epi64x(1 << 32));
        _mm256_castps_pd(_mm256_permutevar8x32_ps(_mm256_castpd_ps(v), halves))
    }
}

#[inline(always)]
unsafe fn broadcast_f32x16(v: __m512, lane: usize) -> __m512 {
    unsafe { _mm512_permutexvar_ps(_mm512_set1_epi32(lane as i32), v) }
}

#[inline(always)]
unsafe fn broadcast_f64x8(v: __m512d, lane: usize) -> __m512d {
    unsafe { _mm512_permutexvar_pd(_mm512_set1_epi64(lane as i64), v) }
}

x86_vector!(
    F32x8,
    "Eight `f32` in an AVX register.",
    __m256,
    f32,
    8,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_add_ps,
    _mm256_sub_ps,
    _mm256_mul_ps,
    _mm256_div_ps,
    _mm256_fmadd_ps,
    _mm256_fmsub_ps,
    _mm256_fnmadd_ps,
    _mm256_min_ps,
    _mm256_max_ps,
    _mm256_sqrt_ps,
    neg_f32x8,
    abs_f32x8,
    broadcast_f32x8
);
x86_vector!(
    F64x4,
    "Four `f64` in an AVX register.",
    __m256d,
    f64,
    4,
    _mm256_set1_pd,
    _mm256_loadu_pd,
    _mm256_storeu_pd,
    _mm256_add_pd,
    _mm256_sub_pd,
    _mm256_mul_pd,
    _mm256_div_pd,
    _mm256_fmadd_pd,
    _mm256_fmsub_pd,
    _mm256_fnmadd_pd,
    _mm256_min_pd,
    _mm256_max_pd,
    _mm256_sqrt_pd,
    neg_f64x4,
    abs_f64x4,
    broadcast_f64x4
);
x86_vector!(
    F32x16,
    "Sixteen `f32` in an AVX-512 register.",
    __m512,
    f32,
    16,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_add_ps,
    _mm512_sub_ps,
    _mm512_mul_ps,
    _mm512_div_ps,
    _mm512_fmadd_ps,
    _mm512_fmsub_ps,
    _mm512_fnmadd_ps,
    _mm512_min_ps,
    _mm512_max_ps,
    _mm512_sqrt_ps,
    neg_f32x16,
    abs_f32x16,
    broadcast_f32x16
);
x86_vector!(
    F64x8,
    "Eight `f64` in an AVX-512 register.",
    __m512d,
    f64,
    8,
    _mm512_set1_pd,
    _mm512_loadu_pd,
    _mm512_storeu_pd,
    _mm512_add_pd,
    _mm512_sub_pd,
    _mm512_mul_pd,
    _mm512_div_pd,
    _mm512_fmadd_pd,
    _mm512_fmsub_pd,
    _mm512_fnmadd_pd,
    _mm512_min_pd,
    _mm512_max_pd,
    _mm512_sqrt_pd,
    neg_f64x8,
    abs_f64x8,
    broadcast_f64x8
);
