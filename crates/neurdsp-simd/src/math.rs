//! Elementary functions on vectors: accurate enough to be used everywhere, and fast enough to need no faster variant.
// Every block is arithmetic on a vector type; the caller vouches for the instruction set, as `Vector` asks.
#![allow(clippy::undocumented_unsafe_blocks)]

use crate::vector::{Real, Vector};

/// Where `tanh` is within 2.8e-7 of ±1; the rational function is fitted up to here.
const TANH_LIMIT: f32 = 7.905_311;

/// Coefficients of the odd numerator, highest power first: x¹³ … x¹.
#[allow(clippy::excessive_precision)]
const TANH_NUMERATOR: [f32; 7] = [
    -2.760_768_477_423_55e-16,
    2.000_187_904_824_77e-13,
    -8.604_671_522_137_35e-11,
    5.122_297_090_371_14e-08,
    1.485_722_357_179_79e-05,
    6.372_619_288_754_36e-04,
    4.893_524_558_917_86e-03,
];

/// Coefficients of the even denominator, highest power first: x⁶ … x⁰.
#[allow(clippy::excessive_precision)]
const TANH_DENOMINATOR: [f32; 4] =
    [1.198_258_394_667_02e-06, 1.185_347_056_866_54e-04, 2.268_434_632_439_00e-03, 4.893_525_185_543_85e-03];

/// Hyperbolic tangent of every lane, to within 4e-7 absolute; NaN stays NaN.
///
/// A rational function of degree 13 over 6 on the clamped argument (the one that Eigen uses). It is odd, monotone to
/// within its error, and never leaves [-1, 1] by more than one unit in the last place.
///
/// # Safety
///
/// Needs the instruction set of `V`.
///
/// # Examples
///
/// ```
/// use neurdsp_simd::{Scalar, math};
///
/// // SAFETY: the scalar vector needs no feature.
/// let y = unsafe { math::tanh(Scalar(0.5f32)) };
/// assert!((y.0 - 0.5f32.tanh()).abs() < 4e-7);
/// ```
#[inline(always)]
pub unsafe fn tanh<V: Vector<f32>>(x: V) -> V {
    unsafe { Tanh::begin(x).high_powers().low_powers().end() }
}

/// [`tanh`] in four stages of about equal latency, for loops that have other work to interleave.
///
/// The function is one long chain of dependent operations that ends in a division; done in one go it fills the
/// processor's window with waiting instructions. `Tanh::begin(x).high_powers().low_powers().end()` is `tanh(x)`, to the
/// bit.
#[derive(Clone, Copy)]
pub struct Tanh<V> {
    x: V,
    square: V,
    numerator: V,
    denominator: V,
}

impl<V: Vector<f32>> Tanh<V> {
    /// Clamps the argument and squares it.
    ///
    /// # Safety
    ///
    /// As for all stages: needs the instruction set of `V`.
    #[inline(always)]
    pub unsafe fn begin(x: V) -> Tanh<V> {
        unsafe {
            // `min` and `max` return their second operand where one is NaN: in this order NaN survives the clamp.
            let x = V::splat(TANH_LIMIT).min(V::splat(-TANH_LIMIT).max(x));
            let (numerator, denominator) = (V::splat(TANH_NUMERATOR[0]), V::splat(TANH_DENOMINATOR[0]));
            Tanh { x, square: x.mul(x), numerator, denominator }
        }
    }

    /// The higher powers of both polynomials.
    ///
    /// # Safety
    ///
    /// Needs the instruction set of `V`.
    #[inline(always)]
    #[must_use]
    pub unsafe fn high_powers(mut self) -> Tanh<V> {
        unsafe {
            for &c in &TANH_NUMERATOR[1..4] {
                self.numerator = fma(self.numerator, self.square, V::splat(c));
            }
            for &c in &TANH_DENOMINATOR[1..3] {
                self.denominator = fma(self.denominator, self.square, V::splat(c));
            }
            self
        }
    }

    /// The lower powers of both polynomials.
    ///
    /// # Safety
    ///
    /// Needs the instruction set of `V`.
    #[inline(always)]
    #[must_use]
    pub unsafe fn low_powers(mut self) -> Tanh<V> {
        unsafe {
            for &c in &TANH_NUMERATOR[4..] {
                self.numerator = fma(self.numerator, self.square, V::splat(c));
            }
            self.denominator = fma(self.denominator, self.square, V::splat(TANH_DENOMINATOR[3]));
            self
        }
    }

    /// The quotient.
    ///
    /// # Safety
    ///
    /// Needs the instruction set of `V`.
    #[inline(always)]
    pub unsafe fn end(self) -> V {
        unsafe { self.numerator.mul(self.x).div(self.denominator) }
    }
}

/// Where [`tanh_fraction`] is within 2.8e-7 of ±1, its coefficients of x¹¹ … x¹, and those of x⁶ … x⁰.
///
/// Fitted for the smallest largest error, which is 1.5e-8 before rounding. Both parts begin with one, so that tanh(x) of a
/// small x is x.
#[allow(clippy::excessive_precision)]
const FRACTION_NUMERATOR: [f32; 6] = [
    2.358_566_987_548_11e-11,
    -1.470_928_623_348_30e-08,
    9.873_936_505_755_41e-06,
    2.984_890_248_626_47e-03,
    1.297_814_846_038_82e-01,
    1.0,
];

#[allow(clippy::excessive_precision)]
const FRACTION_DENOMINATOR: [f32; 4] =
    [2.370_955_771_766_60e-04, 2.402_343_973_517_42e-02, 4.631_145_000_457_76e-01, 1.0];

/// [`tanh`] as a numerator and a denominator, with a short chain of dependent operations.
///
/// For recurrences, where each step waits for the one before, and whose gates multiply: products of several such
/// fractions need one division. The quotient is within 4e-7 of the hyperbolic tangent, but is not bit-identical to
/// `tanh`. The denominator is from 1 to 182, and is done a few cycles before the numerator, so that its reciprocal costs
/// less time than a quotient. For NaN the quotient is 1, so that a recurrent state that was finite stays finite.
///
/// # Safety
///
/// Needs the instruction set of `V`.
#[inline(always)]
pub unsafe fn tanh_fraction<V: Vector<f32>>(x: V) -> (V, V) {
    unsafe {
        let x = within_tanh_limit(x);
        fraction(x, x)
    }
}

/// [`tanh_fraction`] with `scale` times the numerator, which takes no longer where the scale is known before `x`.
///
/// # Safety
///
/// Needs the instruction set of `V`.
#[inline(always)]
pub unsafe fn scaled_tanh_fraction<V: Vector<f32>>(scale: V, x: V) -> (V, V) {
    unsafe {
        let x = within_tanh_limit(x);
        fraction(x, scale.mul(x))
    }
}

/// `x` clamped to where the fractions are fitted; NaN becomes the upper limit.
#[inline(always)]
unsafe fn within_tanh_limit<V: Vector<f32>>(x: V) -> V {
    // `min` gives its second operand where one is NaN.
    unsafe { x.min(V::splat(TANH_LIMIT)).max(V::splat(-TANH_LIMIT)) }
}

/// The fraction of an `x` within the limits, with `factor` in place of the last factor `x` of the numerator.
#[inline(always)]
unsafe fn fraction<V: Vector<f32>>(x: V, factor: V) -> (V, V) {
    unsafe {
        let square = x.mul(x);
        let fourth = square.mul(square);
        let pair = |high: f32, low: f32| fma(square, V::splat(high), V::splat(low));
        let [n11, n9, n7, n5, n3, n1] = FRACTION_NUMERATOR;
        let high = fma(fourth, pair(n11, n9), pair(n7, n5));
        let [d6, d4, d2, d0] = FRACTION_DENOMINATOR;
        let numerator = fma(factor.mul(fourth), high, factor.mul(pair(n3, n1)));
        (numerator, fma(fourth, pair(d6, d4), pair(d2, d0)))
    }
}

/// Logistic function `1 / (1 + exp(-x))` of every lane, to within 2.5e-7 absolute; NaN stays NaN.
///
/// # Safety
///
/// Needs the instruction set of `V`.
#[inline(always)]
pub unsafe fn sigmoid<V: Vector<f32>>(x: V) -> V {
    unsafe {
        let half = V::splat(0.5);
        fma(half, tanh(half.mul(x)), half)
    }
}

/// `a * b + c`: fused in hardware vectors, two roundings in the portable code.
///
/// A baseline x86-64 has no fused instruction and calls a library function for each, too slow for real time.
///
/// # Safety
///
/// Needs the instruction set of `V`.
#[inline(always)]
pub unsafe fn fma<T: Real, V: Vector<T>>(a: V, b: V, c: V) -> V {
    unsafe { if V::LANES == 1 { a.mul(b).add(c) } else { a.fma(b, c) } }
}

#[cfg(test)]
mod tests {
    use crate::{Isa, Vector, dispatch};

    dispatch! {
        fn tanh_all(samples: &mut [f32]) = tanh_generic
    }
    dispatch! {
        fn sigmoid_all(samples: &mut [f32]) = sigmoid_generic
    }

    dispatch! {
        fn tanh_quotient_all(samples: &mut [f32]) = tanh_quotient_generic
    }

    #[inline(always)]
    unsafe fn tanh_quotient_generic<V: Vector<f32>>(samples: &mut [f32]) {
        for block in samples.chunks_exact_mut(V::LANES) {
            unsafe {
                let (numerator, denominator) = super::tanh_fraction(V::load(block.as_ptr()));
                numerator.div(denominator).store(block.as_mut_ptr());
            }
        }
    }

    #[inline(always)]
    unsafe fn tanh_generic<V: Vector<f32>>(samples: &mut [f32]) {
        for block in samples.chunks_exact_mut(V::LANES) {
            unsafe { super::tanh(V::load(block.as_ptr())).store(block.as_mut_ptr()) }
        }
    }

    #[inline(always)]
    unsafe fn sigmoid_generic<V: Vector<f32>>(samples: &mut [f32]) {
        for block in samples.chunks_exact_mut(V::LANES) {
            unsafe { super::sigmoid(V::load(block.as_ptr())).store(block.as_mut_ptr()) }
        }
    }

    /// A dense grid over [-12, 12], then the far ends; a multiple of 16 long.
    fn grid() -> Vec<f32> {
        let mut x: Vec<f32> = (0..1_600_000).map(|i| -12.0 + i as f32 * (24.0 / 1_600_000.0)).collect();
        x.extend([0.0, -0.0, 1e-30, -1e-30, 1e-4, -1e-4, 30.0, -30.0, 1e9, -1e9, 3e38, -3e38]);
        x.extend([f32::INFINITY, f32::NEG_INFINITY, 7.9, -7.9]);
        x
    }

    #[test]
    fn tanh_is_within_4e_7_of_double_precision() {
        for isa in Isa::available() {
            for function in [tanh_all, tanh_quotient_all] {
                let x = grid();
                let mut y = x.clone();
                function(isa, &mut y);
                let error = |(&x, &y): (&f32, &f32)| (f64::from(x).tanh() - f64::from(y)).abs();
                let worst = x.iter().zip(&y).map(error).fold(0.0, f64::max);
                assert!(worst <= 4e-7, "{}: {worst:e}", isa.name());
            }
            let mut nan = [f32::NAN; 16];
            tanh_quotient_all(isa, &mut nan);
            assert!(nan.iter().all(|y| (y - 1.0).abs() <= 4e-7), "{}", isa.name());
        }
    }

    #[test]
    fn sigmoid_is_within_2_5e_7_of_double_precision() {
        for isa in Isa::available() {
            let x = grid();
            let mut y = x.clone();
            sigmoid_all(isa, &mut y);
            let worst = x
                .iter()
                .zip(&y)
                .map(|(&x, &y)| (1.0 / (1.0 + (-f64::from(x)).exp()) - f64::from(y)).abs())
                .fold(0.0, f64::max);
            assert!(worst <= 2.5e-7, "{}: {worst:e}", isa.name());
        }
    }

    #[test]
    fn tanh_is_odd_to_the_bit_and_keeps_nan() {
        for isa in Isa::available() {
            let mut plus = grid();
            let mut minus: Vec<f32> = plus.iter().map(|x| -x).collect();
            tanh_all(isa, &mut plus);
            tanh_all(isa, &mut minus);
            assert!(plus.iter().zip(&minus).all(|(a, b)| a.to_bits() == (-b).to_bits()), "{}", isa.name());
            let mut nan = [f32::NAN; 16];
            tanh_all(isa, &mut nan);
            assert!(nan.iter().all(|x| x.is_nan()), "{}", isa.name());
        }
    }
}
