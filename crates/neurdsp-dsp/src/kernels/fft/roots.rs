//! Roots of unity, as exact as a double can hold them.

use neurdsp_simd::Real;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_4};

/// `exp(-2πi k / n)`.
///
/// The angle is brought into the first eighth of the circle with integers before a cosine is taken, so that the axes and
/// the diagonals are exact and opposite roots agree in every bit.
pub(crate) fn root(k: usize, n: usize) -> (f64, f64) {
    let eighths = 8 * (k % n);
    let (octant, rest) = (eighths / n, eighths % n);
    // In an odd octant the angle is measured back from the next multiple of 45°.
    let angle = |part: usize| FRAC_PI_4 * part as f64 / n as f64;
    let (sin, cos) = match (octant % 2, rest) {
        (0, _) => angle(rest).sin_cos(),
        (_, 0) => (FRAC_1_SQRT_2, FRAC_1_SQRT_2),
        _ => angle(n - rest).sin_cos(),
    };
    let (re, im) = match octant {
        0 => (cos, sin),
        1 => (sin, cos),
        2 => (-sin, cos),
        3 => (-cos, sin),
        4 => (-cos, -sin),
        5 => (-sin, -cos),
        6 => (sin, -cos),
        _ => (cos, -sin),
    };
    (re, -im)
}

/// Roots `exp(-2πi k / n)` for the given `k`, each as its real and its imaginary part.
pub(crate) fn table<T: Real>(n: usize, exponents: impl Iterator<Item = usize>) -> Vec<T> {
    exponents
        .flat_map(|k| {
            let (re, im) = root(k, n);
            [T::from_f64(re), T::from_f64(im)]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_lie_on_the_circle_and_the_axes_are_exact() {
        for n in [1, 2, 4, 5, 8, 12, 25, 400, 2048] {
            for k in 0..2 * n {
                let (re, im) = root(k, n);
                let angle = -2.0 * std::f64::consts::PI * k as f64 / n as f64;
                assert!((re - angle.cos()).abs() < 4e-15 && (im - angle.sin()).abs() < 4e-15, "{k}/{n}");
            }
        }
        assert_eq!(root(1, 4), (0.0, -1.0));
        assert_eq!(root(2, 4), (-1.0, 0.0));
        assert_eq!(root(3, 4), (0.0, 1.0));
        assert_eq!(root(1, 8).0, -root(1, 8).1);
    }
}
