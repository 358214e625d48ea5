//! The transient: cosines over the first 18 ms.

use neurdsp_nn::exact::functions::cos_turns;

use super::code::{KickCode, Part};
use super::noise::RATE;

/// Samples of the transient at 44,100 Hz.
const SAMPLES: f64 = 794.0;
/// Samples over which it ends.
const EDGE: f64 = 64.0;

/// Adds the transient to `to`, which begins with the kick.
///
/// Each sample is a sum of cosines of multiples of one angle, by the recurrence of C. W. Clenshaw ("A note on the summation
/// of Chebyshev series", MTAC 1955).
pub(super) fn add_transient(code: &KickCode, rate: f64, to: &mut [f32]) {
    let coefficients = code.part(Part::Transient);
    // Those above half the rate would fold.
    let heard = |k: usize| k as f64 * RATE / (2.0 * SAMPLES) <= rate / 2.0;
    let Some(last) = (0..coefficients.len()).rposition(|k| coefficients[k] != 0.0 && heard(k)) else {
        return;
    };
    let scale = (2.0 / SAMPLES).sqrt();
    for (n, to) in to.iter_mut().enumerate() {
        let at = n as f64 * (RATE / rate);
        if at >= SAMPLES {
            break;
        }
        let cosine = cos_turns((at + 0.5) / (2.0 * SAMPLES));
        let (mut after, mut sum) = (0.0, 0.0);
        for coefficient in coefficients[1..=last].iter().rev() {
            (after, sum) = (sum, f64::from(*coefficient) + 2.0 * cosine * sum - after);
        }
        let first = f64::from(coefficients[0]) * std::f64::consts::FRAC_1_SQRT_2;
        let value = scale * (first + cosine * sum - after);
        *to += (value * ((SAMPLES - at) / EDGE).min(1.0)) as f32;
    }
}
