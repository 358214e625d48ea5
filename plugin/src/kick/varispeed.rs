//! Playback at another speed: a windowed sinc, made lower where the sound becomes higher, so that nothing folds.
//!
//! J. O. Smith, "Digital audio resampling", <https://ccrma.stanford.edu/~jos/resample/>, has the stretched filter.

use std::f64::consts::PI;
use std::sync::LazyLock;

/// Zero crossings of the sinc on each side.
const CROSSINGS: usize = 16;
/// Values of the table between two of them.
const FINE: usize = 256;
/// Shape of the Kaiser window: side lobes at -90 dB.
const BETA: f64 = 9.0;

/// Half of the filter, from its centre on.
static TABLE: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let value = |i: usize| {
        let x = i as f64 / FINE as f64;
        let sinc = if i == 0 { 1.0 } else { (PI * x).sin() / (PI * x) };
        let share = x / CROSSINGS as f64;
        sinc * bessel(BETA * (1.0 - share * share).max(0.0).sqrt()) / bessel(BETA)
    };
    // Two more, so that the value after the last can be read.
    (0..CROSSINGS * FINE + 2).map(|i| value(i) as f32).collect()
});

/// The modified Bessel function of the first kind, of order 0.
fn bessel(x: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..40 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}

/// Makes the table, which must not happen on the audio thread.
pub(super) fn prepare() {
    LazyLock::force(&TABLE);
}

/// The value of `samples` at a place between two of them, for playback at `step` samples a sample. Outside they are 0.
pub(super) fn read(samples: &[f32], at: f64, step: f64) -> f32 {
    // Above half the rate divided by the step, everything would fold.
    let cutoff = 1.0 / step.max(1.0);
    let reach = CROSSINGS as f64 / cutoff;
    let first = (at - reach).ceil().max(0.0) as usize;
    let last = ((at + reach).floor() as usize).min(samples.len().saturating_sub(1));
    let mut sum = 0.0;
    for (i, sample) in samples.iter().enumerate().take(last + 1).skip(first) {
        let x = (at - i as f64).abs() * cutoff * FINE as f64;
        let (index, share) = (x as usize, x.fract() as f32);
        if let [left, right] = TABLE[index.min(CROSSINGS * FINE)..][..2] {
            sum += sample * (left + share * (right - left));
        }
    }
    sum * cutoff as f32
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::read;

    fn tone(cycles_a_sample: f64) -> Vec<f32> {
        (0..4000).map(|i| (TAU * cycles_a_sample * f64::from(i)).sin() as f32).collect()
    }

    #[test]
    fn a_tone_is_the_same_tone_at_another_speed() {
        for step in [0.5, 0.943_874, 1.334_84, 3.9] {
            let frequency = 0.1 / step;
            let samples = tone(frequency);
            for i in 100..900 {
                let at = f64::from(i) * step;
                let error = f64::from(read(&samples, at, step)) - (TAU * frequency * at).sin();
                assert!(error.abs() < 2e-4, "{step}: {error}");
            }
        }
    }

    #[test]
    fn what_would_fold_is_silent_and_what_is_outside_is_zero() {
        let samples = tone(0.4);
        let loudest = (100..900).map(|i| read(&samples, f64::from(i) * 2.0, 2.0).abs()).fold(0.0, f32::max);
        assert!(loudest < 1e-3, "{loudest}");
        assert_eq!(read(&[1.0; 8], 100.0, 2.0), 0.0);
        assert_eq!(read(&[], 0.0, 1.0), 0.0);
        assert_eq!(read(&[0.25, 0.5], 1.0, 1.0), 0.5);
    }
}
