//! The natural logarithm on vectors, in both precisions.
//!
//! Both forms write `x = m·2^e` with `m` in `[√½, √2)` and add a polynomial in `m - 1` to `e·ln 2`, whose high part has so
//! few bits that its product with `e` is exact. The coefficients are minimax fits (Lawson's weighted least squares).
// Arithmetic on registers only; the caller vouches for the instruction set, as `Vector` asks.
#![allow(clippy::undocumented_unsafe_blocks)]

use crate::lanes::Lanes;
use crate::vector::Real;

/// `ln(1 + f) = f - f²/2 + f³·p(f)` to 6e-9 of itself; the highest power first.
const SINGLE: [f64; 8] = [
    -0.076_344_929_635_524_75,
    0.127_615_749_835_968_02,
    -0.131_601_825_356_483_46,
    0.142_017_588_019_371_03,
    -0.166_233_569_383_621_22,
    0.200_012_266_635_894_78,
    -0.250_008_195_638_656_6,
    0.333_333_313_465_118_4,
];

/// `ln(1 + s) - ln(1 - s) = 2s + s·z·p(z)` with `z = s²` to 1e-17 of itself; the highest power first.
const DOUBLE: [f64; 7] = [
    0.149_699_800_164_967_84,
    0.152_971_487_946_387_2,
    0.181_841_964_797_964_83,
    0.222_221_872_636_734_46,
    0.285_714_288_394_972_5,
    0.399_999_999_990_620_7,
    0.666_666_666_666_677_8,
];

/// `ln 2` in two parts for single precision: fifteen bits, and the rest.
const LN2_SINGLE: (f64, f64) = (0.693_145_751_953_125, 1.428_606_820_309_417_2e-6);
/// `ln 2` in two parts for double precision: 32 bits, and the rest.
const LN2_DOUBLE: (f64, f64) = (0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10);

/// Natural logarithm of every lane, to within one unit in the last place.
///
/// The lanes must be positive normal numbers; the result for any other finite number is meaningless. NaN and infinity give
/// NaN.
///
/// # Safety
///
/// Needs the instruction set of `V`.
///
/// # Examples
///
/// ```
/// use neurdsp_simd::{Scalar, ln};
///
/// // SAFETY: the scalar vector needs no feature.
/// let y = unsafe { ln(Scalar(0.3f64)) };
/// assert!((y.0 - 0.3f64.ln()).abs() < 1e-15);
/// ```
#[inline(always)]
pub unsafe fn ln<V: Lanes>(x: V) -> V {
    unsafe { ln_of([x])[0] }
}

/// [`ln`] of several vectors in lockstep: a single logarithm is one long chain of dependent instructions.
///
/// # Safety
///
/// Needs the instruction set of `V`.
#[inline(always)]
pub unsafe fn ln_of<V: Lanes, const N: usize>(x: [V; N]) -> [V; N] {
    unsafe {
        let (mut f, mut exponent) = (x, x);
        for i in 0..N {
            (f[i], exponent[i]) = x[i].split_exponent();
            f[i] = f[i].sub(splat(1.0));
        }
        let mut logarithm = x;
        if size_of::<V::Element>() == 4 {
            let sum = polynomial(f, &SINGLE);
            for i in 0..N {
                let square = f[i].mul(f[i]);
                let cubic = sum[i].mul(f[i]).mul(square);
                let low = exponent[i].fma(splat(LN2_SINGLE.1), cubic);
                let small = square.fma(splat(-0.5), low);
                logarithm[i] = exponent[i].fma(splat(LN2_SINGLE.0), f[i].add(small));
            }
        } else {
            let (mut s, mut z) = (x, x);
            for i in 0..N {
                s[i] = f[i].div(f[i].add(splat(2.0)));
                z[i] = s[i].mul(s[i]);
            }
            let sum = polynomial(z, &DOUBLE);
            for i in 0..N {
                let half_square = f[i].mul(f[i]).mul(splat(0.5));
                let rest = z[i].fma(sum[i], half_square);
                let low = s[i].fma(rest, exponent[i].mul(splat(LN2_DOUBLE.1)));
                logarithm[i] = exponent[i].fma(splat(LN2_DOUBLE.0), f[i].sub(half_square.sub(low)));
            }
        }
        for i in 0..N {
            // Zero, unless x is NaN or infinite.
            logarithm[i] = logarithm[i].add(x[i].sub(x[i]));
        }
        logarithm
    }
}

#[inline(always)]
unsafe fn polynomial<V: Lanes, const N: usize>(x: [V; N], coefficients: &[f64]) -> [V; N] {
    unsafe {
        let mut sum = [splat::<V>(coefficients[0]); N];
        for coefficient in &coefficients[1..] {
            let coefficient = splat(*coefficient);
            for i in 0..N {
                sum[i] = sum[i].fma(x[i], coefficient);
            }
        }
        sum
    }
}

#[inline(always)]
unsafe fn splat<V: Lanes>(value: f64) -> V {
    unsafe { V::splat(V::Element::from_f64(value)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Isa, kernels};

    kernels! {
        trait Kernels<T> {
            fn ln_on(values: &mut [T]) = ln_all;
        }
    }

    #[inline(always)]
    unsafe fn ln_all<V: Lanes>(values: &mut [V::Element]) {
        for block in values.chunks_exact_mut(V::LANES) {
            unsafe { ln(V::load(block.as_ptr())).store(block.as_mut_ptr()) }
        }
    }

    /// Every power of two with mantissas all over, and a fine grid around one, where the result is near zero.
    fn grid<T: Real>(exponents: std::ops::Range<i32>) -> Vec<T> {
        let wide = exponents.flat_map(|e| (0..64).map(move |i| (1.0 + f64::from(i) / 64.0) * 2f64.powi(e)));
        wide.chain((0..160_000).map(|i| 0.6 + f64::from(i) * 0.5e-5)).map(T::from_f64).collect()
    }

    fn check_within_one_unit<T: Real + Kernels<T>>(x: &[T], epsilon: f64) {
        let mut first: Option<Vec<T>> = None;
        for isa in Isa::available() {
            let mut y = x.to_vec();
            T::ln_on(isa, &mut y);
            for (x, y) in x.iter().zip(&y) {
                let wanted = x.to_f64().ln();
                let error = (y.to_f64() - wanted).abs() / (wanted.abs() * epsilon).max(1e-300);
                assert!(error <= 1.0, "{}: ln {x:?} = {y:?}, off by {error} units", isa.name());
            }
            let first = first.get_or_insert_with(|| y.clone());
            let bits = |y: &T| y.to_f64().to_bits();
            assert!(first.iter().zip(&y).all(|(a, b)| bits(a) == bits(b)), "{}", isa.name());
        }
    }

    #[test]
    fn the_logarithm_is_within_one_unit_in_the_last_place_on_every_instruction_set() {
        check_within_one_unit(&grid::<f32>(f32::MIN_EXP - 1..f32::MAX_EXP), f32::EPSILON.into());
        check_within_one_unit(&grid::<f64>(f64::MIN_EXP - 1..f64::MAX_EXP), f64::EPSILON);
    }

    fn check_not_finite<T: Real + Kernels<T>>() {
        for isa in Isa::available() {
            for bad in [f64::NAN, f64::INFINITY] {
                let mut values = [T::from_f64(bad); 16];
                T::ln_on(isa, &mut values);
                assert!(values.iter().all(|v| v.to_f64().is_nan()), "{} {bad}", isa.name());
            }
        }
    }

    #[test]
    fn what_is_not_finite_stays_visible() {
        check_not_finite::<f32>();
        check_not_finite::<f64>();
    }
}
