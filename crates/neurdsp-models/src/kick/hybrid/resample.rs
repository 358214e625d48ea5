//! The noise from 44,100 Hz to any rate, by a windowed sine cardinal.

use neurdsp_nn::exact::functions::{bessel_i0, sin_turns};
use std::f64::consts::PI;
use std::sync::LazyLock;

/// Zero crossings of the filter to each side.
const CROSSINGS: usize = 16;
const BETA: f64 = 8.0;
/// Values of the filter between two zero crossings; others are interpolated, to within 4e-7.
const STEPS: usize = 2048;
/// Most filters that are kept.
const KEPT: u64 = 4096;
/// Sums that run side by side, so that their order is fixed.
const LANES: usize = 8;

/// `sinc(x) K(x / 16)` for x from 0 to 16.
static FILTER: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let norm = bessel_i0(BETA);
    let of = |step: usize| {
        let x = step as f64 / STEPS as f64;
        let way = x / CROSSINGS as f64;
        let window = bessel_i0(BETA * (1.0 - way * way).max(0.0).sqrt()) / norm;
        let sinc = if step == 0 { 1.0 } else { sin_turns(x / 2.0) / (PI * x) };
        (sinc * window) as f32
    };
    (0..CROSSINGS * STEPS).map(of).chain([0.0]).collect()
});

/// Adds `noise`, at 44,100 Hz, to a signal of another rate.
pub(super) fn add_resampled(noise: &[f32], rate: u32, to: &mut [f32]) {
    const FROM: u64 = 44_100;
    let cutoff = (f64::from(rate) / FROM as f64).min(1.0);
    let half = (CROSSINGS as f64 / cutoff).ceil() as usize;
    let taps = (2 * half + 2).next_multiple_of(LANES);
    let step = gcd(FROM, u64::from(rate));
    // Positions are multiples of 1 / phases.
    let (phases, stride) = (u64::from(rate) / step, FROM / step);
    let row = |phase: u64, row: &mut [f32]| {
        let share = phase as f64 / phases as f64;
        for (tap, value) in row.iter_mut().enumerate() {
            let distance = (share + half as f64 - tap as f64) * cutoff;
            *value = (cutoff * filter(distance.abs())) as f32;
        }
    };
    let kept: Vec<f32> = if phases <= KEPT.min(to.len() as u64) {
        let mut rows = vec![0.0; phases as usize * taps];
        rows.chunks_exact_mut(taps).zip(0..).for_each(|(values, phase)| row(phase, values));
        rows
    } else {
        Vec::new()
    };
    let mut padded = vec![0.0; half + noise.len() + taps + 1];
    padded[half..half + noise.len()].copy_from_slice(noise);
    let mut own = vec![0.0; taps];
    for (n, to) in (0_u64..).zip(to) {
        let (whole, phase) = ((n * stride / phases) as usize, n * stride % phases);
        // The first tap is `half` samples back.
        let Some(past) = padded.get(whole..whole + taps) else { break };
        *to += if kept.is_empty() {
            row(phase, &mut own);
            dot(&own, past)
        } else {
            dot(&kept[phase as usize * taps..][..taps], past)
        };
    }
}

/// The filter at a distance from its middle.
fn filter(distance: f64) -> f64 {
    if distance >= CROSSINGS as f64 {
        return 0.0;
    }
    let place = distance * STEPS as f64;
    let index = place as usize;
    let (from, to) = (f64::from(FILTER[index]), f64::from(FILTER[index + 1]));
    from + (to - from) * (place - index as f64)
}

/// A sum of products in an order that no processor changes.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    for (a, b) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
