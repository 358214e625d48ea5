//! The times in seconds at which a code gives its levels.

use neurdsp_nn::exact::functions::{exp, ln};

/// Of the pitch and the level of partials.
pub(super) const PARTIAL_KNOTS: [f64; 31] = [
    0.0, 0.0015, 0.003, 0.0045, 0.006, 0.008, 0.0105, 0.0135, 0.017, 0.021, 0.026, 0.032, 0.040, 0.05,
    0.0625, 0.078, 0.098, 0.122, 0.153, 0.19, 0.24, 0.30, 0.375, 0.47, 0.59, 0.73, 0.92, 1.15, 1.43, 1.8,
    2.0,
];
/// Of the waveshaper.
pub(super) const DRIVE_KNOTS: [f64; 8] = [0.0, 0.006, 0.015, 0.04, 0.1, 0.25, 0.6, 2.0];
/// Of the low layer.
pub(super) const LOW_KNOTS: [f64; 14] =
    [0.012, 0.020, 0.030, 0.045, 0.065, 0.09, 0.125, 0.17, 0.24, 0.34, 0.48, 0.7, 1.1, 2.0];
/// How many knots the noise and the fine noise have.
pub(super) const NOISE_KNOTS: usize = 32;
pub(super) const FINE_KNOTS: usize = 12;

/// Of the noise.
pub(super) fn noise_knots() -> Vec<f64> {
    std::iter::once(0.010).chain(geometric(0.0125, 2.0, NOISE_KNOTS - 1)).collect()
}

/// Of the noise of the first 18 ms.
pub(super) fn fine_knots() -> Vec<f64> {
    std::iter::once(0.0).chain(geometric(0.0008, 0.018, FINE_KNOTS - 1)).collect()
}

/// `count` values from `first` to `last`, both of them exact.
fn geometric(first: f64, last: f64, count: usize) -> impl Iterator<Item = f64> {
    let step = ln(last / first) / (count - 1) as f64;
    (0..count).map(move |i| if i + 1 == count { last } else { first * exp(step * i as f64) })
}

/// The value at `time` of a line through `value(i)` at `knots[i]`, which holds its ends.
pub(super) fn interpolate(knots: &[f64], time: f64, value: impl Fn(usize) -> f64) -> f64 {
    let (index, share) = place(knots, time);
    let first = value(index);
    if share == 0.0 { first } else { first + (value(index + 1) - first) * share }
}

/// The knot before `time`, and the way to the next.
pub(super) fn place(knots: &[f64], time: f64) -> (usize, f64) {
    let after = knots.partition_point(|knot| *knot <= time);
    match after {
        0 => (0, 0.0),
        after if after == knots.len() => (after - 1, 0.0),
        after => (after - 1, (time - knots[after - 1]) / (knots[after] - knots[after - 1])),
    }
}
