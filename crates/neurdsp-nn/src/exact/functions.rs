//! Elementary functions of single values in double precision, of sums and products alone.

use std::f64::consts::{LN_2, PI, TAU};

/// The sum of `terms[n]·x^n`.
fn series(terms: &[f64], x: f64) -> f64 {
    terms.iter().rev().fold(0.0, |sum, term| sum * x + term)
}

/// `sign^n / (first + n·step)!`.
const fn inverse_factorials<const N: usize>(first: usize, step: usize, sign: f64) -> [f64; N] {
    let (mut terms, mut value, mut at, mut n) = ([0.0; N], 1.0, 1, 0);
    while n < N {
        while at <= first + n * step {
            value /= at as f64;
            at += 1;
        }
        terms[n] = if n % 2 == 1 { sign * value } else { value };
        n += 1;
    }
    terms
}

/// `sign^n / (2n + 1)`.
const fn inverse_odds<const N: usize>(sign: f64) -> [f64; N] {
    let (mut terms, mut n) = ([0.0; N], 0);
    while n < N {
        terms[n] = if n % 2 == 1 { sign } else { 1.0 } / (2 * n + 1) as f64;
        n += 1;
    }
    terms
}

/// `2^n` for −1022 to 1023.
fn power_of_two(n: i64) -> f64 {
    f64::from_bits(((n + 1023) as u64) << 52)
}

/// The nearest whole number, of values that fit 52 bits.
fn nearest(x: f64) -> f64 {
    const ROUND: f64 = 6_755_399_441_055_744.0;
    (x + ROUND) - ROUND
}

/// The exponential function, to within 4e-16 of itself; arguments are limited to ±700.
///
/// # Examples
///
/// ```
/// assert!((neurdsp_nn::exact::functions::exp(1.0) - std::f64::consts::E).abs() < 1e-15);
/// ```
#[must_use]
pub fn exp(x: f64) -> f64 {
    // `ln 2` in two parts, the first of which has few bits.
    const HIGH: f64 = 0.693_147_180_369_123_8;
    const LOW: f64 = 1.908_214_929_270_587_7e-10;
    let x = x.clamp(-700.0, 700.0);
    let whole = nearest(x / LN_2);
    let rest = (x - whole * HIGH) - whole * LOW;
    // The series of an argument below 0.35.
    const SERIES: [f64; 15] = inverse_factorials(0, 1, 1.0);
    series(&SERIES, rest) * power_of_two(whole as i64)
}

/// The natural logarithm of a positive normal number, to within 1e-15.
///
/// # Examples
///
/// ```
/// assert!((neurdsp_nn::exact::functions::ln(10.0) - std::f64::consts::LN_10).abs() < 1e-15);
/// ```
#[must_use]
pub fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7ff) as i64 - 1023;
    let mut mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | (1023 << 52));
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    // 2 artanh(s): the series of an argument below 0.172.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    const SERIES: [f64; 12] = inverse_odds(1.0);
    exponent as f64 * LN_2 + 2.0 * s * series(&SERIES, square)
}

/// The cosine of an angle in turns, to within 1e-15.
///
/// # Examples
///
/// ```
/// assert!((neurdsp_nn::exact::functions::cos_turns(1.0 / 6.0) - 0.5).abs() < 1e-15);
/// ```
#[must_use]
pub fn cos_turns(x: f64) -> f64 {
    sin_turns(0.25 - (x - nearest(x)).abs())
}

/// The sine of an angle in turns, to within 1e-15.
#[must_use]
pub fn sin_turns(x: f64) -> f64 {
    // Within a quarter of a turn of zero, where the series is short.
    let x = x - nearest(x);
    let x = if x > 0.25 {
        0.5 - x
    } else if x < -0.25 {
        -0.5 - x
    } else {
        x
    };
    let angle = x * TAU;
    let square = angle * angle;
    const SERIES: [f64; 11] = inverse_factorials(1, 2, -1.0);
    angle * series(&SERIES, square)
}

/// The hyperbolic tangent, to within 4e-16.
#[must_use]
pub fn tanh(x: f64) -> f64 {
    1.0 - 2.0 / (exp(2.0 * x) + 1.0)
}

/// The angle of a point, −π to π, to within 1e-15; 0 for the origin.
#[must_use]
pub fn atan2(y: f64, x: f64) -> f64 {
    let (low, high) = (x.abs().min(y.abs()), x.abs().max(y.abs()));
    if high == 0.0 {
        return 0.0;
    }
    // Halve the angle twice: tan(a / 2) = t / (1 + sqrt(1 + t²)).
    let half = |t: f64| t / (1.0 + (1.0 + t * t).sqrt());
    let t = half(half(low / high));
    let square = t * t;
    const SERIES: [f64; 14] = inverse_odds(-1.0);
    let angle = 4.0 * t * series(&SERIES, square);
    let angle = if y.abs() > x.abs() { PI / 2.0 - angle } else { angle };
    let angle = if x < 0.0 { PI - angle } else { angle };
    if y < 0.0 { -angle } else { angle }
}

/// The modified Bessel function of the first kind of order 0, for ±30.
#[must_use]
pub fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut term, mut sum) = (1.0, 1.0);
    for n in 1..80 {
        term *= quarter / f64::from(n * n);
        sum += term;
    }
    sum
}
