//! The resampler: exact delay, no aliases above −100 dB, a flat pass band, any block size.
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

use neurdsp_dsp::live::{Ratio, ResampleQuality, Resampler, resample_clip};
use std::f64::consts::PI;

const PAIRS: [(f64, f64); 8] = [
    (44_100.0, 48_000.0),
    (48_000.0, 44_100.0),
    (48_000.0, 96_000.0),
    (96_000.0, 48_000.0),
    (88_200.0, 48_000.0),
    (48_000.0, 192_000.0),
    (44_101.0, 48_000.0),
    (48_000.0, 44_099.5),
];

fn resampler(from: f64, to: f64, quality: ResampleQuality) -> Resampler {
    Resampler::new(Ratio::new(from, to).unwrap(), quality, 8192).unwrap()
}

fn run(resampler: &mut Resampler, input: &[f32], block: usize) -> Vec<f32> {
    let mut output = Vec::new();
    for part in input.chunks(block) {
        resampler.push(part);
        let start = output.len();
        output.resize(start + resampler.ready(), 0.0);
        resampler.pull(&mut output[start..]);
    }
    output
}

fn sine(frequency: f64, rate: f64, n: usize) -> Vec<f32> {
    (0..n).map(|i| (2.0 * PI * frequency * i as f64 / rate).sin() as f32).collect()
}

/// Amplitude and phase of the sine of this frequency that fits best, and the RMS of what is left, in dB of that of a full
/// sine.
fn fit(samples: &[f32], frequency: f64, rate: f64) -> (f64, f64, f64) {
    let w = 2.0 * PI * frequency / rate;
    let (mut ss, mut cc, mut sc, mut sy, mut cy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (n, y) in samples.iter().enumerate() {
        let (s, c) = (w * n as f64).sin_cos();
        let y = f64::from(*y);
        (ss, cc, sc) = (ss + s * s, cc + c * c, sc + s * c);
        (sy, cy) = (sy + s * y, cy + c * y);
    }
    let determinant = ss * cc - sc * sc;
    let (a, b) = ((sy * cc - cy * sc) / determinant, (cy * ss - sy * sc) / determinant);
    let rest: f64 = samples
        .iter()
        .enumerate()
        .map(|(n, y)| {
            let (s, c) = (w * n as f64).sin_cos();
            (f64::from(*y) - a * s - b * c).powi(2)
        })
        .sum();
    let rest_db = 10.0 * (rest / samples.len() as f64 / 0.5).max(1e-30).log10();
    (a.hypot(b), b.atan2(a), rest_db)
}

/// Sines over the whole band of the input: one comes out as itself, delayed, or, where the output has no room for it, as
/// nothing; all else, images and aliases, lies 100 dB below.
#[test]
fn a_sweep_leaves_no_alias_above_minus_100_db() {
    for (from, to) in PAIRS {
        let mut worst_db = f64::NEG_INFINITY;
        let lower = from.min(to);
        for step in 1..48 {
            let frequency = 0.4997 * from * f64::from(step) / 47.0;
            let mut resampler = resampler(from, to, ResampleQuality::High);
            let output = run(&mut resampler, &sine(frequency, from, 12_000), 512);
            let skip = 4 * resampler.delay() + 1000;
            let steady = &output[skip..];
            if frequency > lower / 2.0 {
                let power: f64 = steady.iter().map(|y| f64::from(*y).powi(2)).sum();
                worst_db = worst_db.max(10.0 * (power / steady.len() as f64 / 0.5).log10());
                continue;
            }
            let (amplitude, phase, rest_db) = fit(steady, frequency, to);
            worst_db = worst_db.max(rest_db);
            if frequency < 0.45 * lower {
                let gain_db = 20.0 * amplitude.log10();
                assert!(gain_db.abs() < 0.001, "{from} -> {to}: {gain_db} dB at {frequency} Hz");
                let instant = skip as f64 / to - resampler.delay() as f64 / from;
                let off = (phase - 2.0 * PI * frequency * instant).rem_euclid(2.0 * PI);
                let off = off.min(2.0 * PI - off);
                assert!(off < 1e-4, "{from} -> {to}: {frequency} Hz is off by {off} rad");
            }
        }
        assert!(worst_db < -100.0, "{from} -> {to}: {worst_db} dB");
    }
}

#[test]
fn low_latency_is_as_clean_below_its_pass_band() {
    for (from, to) in [(44_100.0, 48_000.0), (48_000.0, 96_000.0), (96_000.0, 48_000.0)] {
        let (lower, mut worst_db) = (f64::min(from, to), f64::NEG_INFINITY);
        for step in 1..30 {
            let frequency = 5.0 / 12.0 * lower * f64::from(step) / 30.0;
            let mut resampler = resampler(from, to, ResampleQuality::LowLatency);
            let output = run(&mut resampler, &sine(frequency, from, 8000), 512);
            let (amplitude, _, rest_db) = fit(&output[500..], frequency, to);
            worst_db = worst_db.max(rest_db);
            assert!((20.0 * amplitude.log10()).abs() < 0.001);
        }
        assert!(worst_db < -100.0, "{from} -> {to}: {worst_db} dB");
    }
}

#[test]
fn the_delay_is_exact() {
    for quality in [ResampleQuality::High, ResampleQuality::LowLatency] {
        for (rate, to) in PAIRS {
            // There and back: both delays are whole numbers at this rate.
            let ratio = Ratio::new(rate, to).unwrap();
            let mut there = Resampler::new(ratio, quality, 8192).unwrap();
            let mut back = Resampler::with_output_delay(ratio.inverse(), quality, 60_000).unwrap();
            let delay = there.delay() + back.delay();
            // A smooth pulse, of which 100 dB lie below the pass bands.
            let pulse = |n: f64| (-0.5 * (n / 20.0).powi(2)).exp();
            let input: Vec<f32> = (0..4096).map(|n| pulse(f64::from(n) - 1500.0) as f32).collect();
            let output = run(&mut back, &run(&mut there, &input, 1000), 1000);
            for (n, y) in output.iter().enumerate() {
                let error = f64::from(*y) - pulse(n as f64 - delay as f64 - 1500.0);
                assert!(error.abs() < 3e-6, "{rate} by {to} Hz: sample {n} is off by {error}");
            }
        }
    }
}

#[test]
fn the_cut_into_blocks_changes_no_bit_and_counts_are_as_promised() {
    let input: Vec<f32> = (0..20_000).map(|n| ((n * n % 1013) as f32 / 506.0) - 1.0).collect();
    for (from, to) in PAIRS {
        let ratio = Ratio::new(from, to).unwrap();
        let whole = run(&mut resampler(from, to, ResampleQuality::High), &input, 8192);
        assert_eq!(whole.len() as u64, (input.len() as u64 * ratio.up).div_ceil(ratio.down));
        for block in [1, 7, 64, 1001] {
            let mut cut = resampler(from, to, ResampleQuality::High);
            assert_eq!(run(&mut cut, &input, block), whole, "{from} -> {to} in blocks of {block}");
        }
        let mut reset = resampler(from, to, ResampleQuality::High);
        run(&mut reset, &input[..777], 100);
        reset.reset(0.0);
        assert_eq!(run(&mut reset, &input, 333), whole);
    }
}

#[test]
fn a_constant_is_a_constant_from_the_first_sample_after_reset() {
    for (from, to) in PAIRS {
        let mut resampler = resampler(from, to, ResampleQuality::High);
        resampler.reset(0.25);
        let output = run(&mut resampler, &[0.25; 1000], 10);
        assert!(output.iter().all(|y| (y - 0.25).abs() < 1e-6), "{from} -> {to}");
    }
}

#[test]
fn a_clip_keeps_its_place_and_its_length() {
    let pulse = |t: f64| (-0.5 * ((t - 0.01) * 2e3).powi(2)).exp();
    for (from, to) in PAIRS {
        let clip: Vec<f32> = (0..2001).map(|n| pulse(f64::from(n) / from) as f32).collect();
        let resampled = resample_clip(&clip, from, to).unwrap();
        assert_eq!(resampled.len(), (2001.0 * to / from).round() as usize);
        for (n, y) in resampled.iter().enumerate() {
            assert!((f64::from(*y) - pulse(n as f64 / to)).abs() < 3e-6, "{from} -> {to}: sample {n}");
        }
    }
    assert_eq!(resample_clip(&[0.5], 48_000.0, 48_000.0).unwrap(), [0.5]);
}

#[test]
fn bad_samples_pass_by_and_bad_rates_are_refused() {
    let mut resampler = resampler(44_100.0, 48_000.0, ResampleQuality::High);
    let mut input = sine(1000.0, 44_100.0, 2000);
    (input[100], input[200], input[300]) = (f32::NAN, f32::INFINITY, -3e38);
    assert!(run(&mut resampler, &input, 64).iter().all(|y| y.abs() < 2.0));
    for (from, to) in [(0.0, 48_000.0), (48_000.0, f64::NAN), (8000.0, 1e9), (8000.0, 700_000.0)] {
        assert!(Ratio::new(from, to).is_err(), "{from} -> {to}");
    }
}
