//! The exponential function on vectors, in single precision.
//!
//! `x = n·ln 2 + r` with a whole number `n` and `|r| ≤ ½ ln 2`; a polynomial in `r` is multiplied by `2^n`. The coefficients
//! are those of the Cephes library (S. Moshier).
// Arithmetic on registers only; the caller vouches for the instruction set, as `Vector` asks.
#![allow(clippy::undocumented_unsafe_blocks)]

use crate::lanes::Lanes;
use crate::math::fma;

/// Where the result leaves the normal numbers.
const RANGE: (f32, f32) = (-87.0, 88.0);
/// `1.5 · 2^23`: a sum with it has no fraction.
const ROUND: f32 = 12_582_912.0;
/// `ln 2` in two parts, the first of which has few bits.
const LN2: (f32, f32) = (0.693_359_4, -2.121_944_4e-4);
/// `exp(r) = 1 + r + r²·p(r)`, the highest power first.
const COEFFICIENTS: [f32; 6] =
    [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_6e-1, 0.5];

/// The exponential function of every lane, to within two units in the last place.
///
/// Arguments below -87 and above 88 count as these; NaN gives some number in the range of the function.
///
/// # Safety
///
/// Needs the instruction set of `V`.
///
/// # Examples
///
/// ```
/// use neurdsp_simd::{Scalar, exp};
///
/// // SAFETY: the scalar vector needs no feature.
/// let y = unsafe { exp(Scalar(0.3f32)) };
/// assert!((y.0 - 0.3f32.exp()).abs() < 2e-7);
/// ```
#[inline(always)]
pub unsafe fn exp<V: Lanes<Element = f32>>(x: V) -> V {
    unsafe {
        // `min` gives its second operand where one is NaN.
        let x = x.min(V::splat(RANGE.1)).max(V::splat(RANGE.0));
        let round = V::splat(ROUND);
        let whole = fma(x, V::splat(std::f32::consts::LOG2_E), round).sub(round);
        let rest = fma(whole, V::splat(-LN2.0), x);
        let rest = fma(whole, V::splat(-LN2.1), rest);
        let mut sum = V::splat(COEFFICIENTS[0]);
        for coefficient in &COEFFICIENTS[1..] {
            sum = fma(sum, rest, V::splat(*coefficient));
        }
        let sum = fma(sum, rest.mul(rest), rest).add(V::splat(1.0));
        sum.mul(whole.power_of_two())
    }
}

#[cfg(test)]
mod tests {
    use super::exp;
    use crate::{Isa, Lanes, dispatch};

    dispatch! {
        fn exp_all(samples: &mut [f32]) = exp_generic
    }

    #[inline(always)]
    unsafe fn exp_generic<V: Lanes<Element = f32>>(samples: &mut [f32]) {
        for block in samples.chunks_exact_mut(V::LANES) {
            unsafe { exp(V::load(block.as_ptr())).store(block.as_mut_ptr()) }
        }
    }

    #[test]
    fn it_is_within_two_units_in_the_last_place() {
        let x: Vec<f32> = (0..1_600_000).map(|i| -87.0 + i as f32 * (175.0 / 1_600_000.0)).collect();
        for isa in Isa::available() {
            let mut y = x.clone();
            exp_all(isa, &mut y);
            for (&x, &y) in x.iter().zip(&y) {
                let wanted = f64::from(x).exp();
                let error = (f64::from(y) - wanted).abs() / (wanted * f64::from(f32::EPSILON));
                assert!(error <= 2.0, "{}: exp {x} = {y}, off by {error} units", isa.name());
            }
        }
    }

    #[test]
    fn far_arguments_stay_positive_and_finite() {
        for isa in Isa::available() {
            let far = [-1e30, f32::NEG_INFINITY, -88.0, 88.5, 1e30, f32::INFINITY, f32::NAN, -0.0];
            let mut y = [far, far].concat();
            exp_all(isa, &mut y);
            assert!(y.iter().all(|y| *y > 0.0 && y.is_finite()), "{}: {y:?}", isa.name());
            assert_eq!(y[7], 1.0);
        }
    }
}
