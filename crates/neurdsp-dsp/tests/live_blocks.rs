//! Filters, gate and delay: closed forms, any block size, and no trace of a bad sample.
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

use neurdsp_dsp::live::{
    Biquad, BiquadCoefficients, DcBlock, Delay, GateSettings, LiveBlock, NoiseGate, ToneSettings, ToneStack,
};
use std::f64::consts::PI;

const RATE: f64 = 48_000.0;

/// Noise between −1 and 1 that is the same on every run.
fn noise(n: usize) -> Vec<f32> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

fn tone() -> ToneStack {
    let mut tone = ToneStack::new(RATE).unwrap();
    tone.set(ToneSettings { bass_db: 9.0, mid_db: -7.0, treble_db: 4.0 });
    tone
}

fn gate() -> NoiseGate {
    let settings = GateSettings { threshold_db: -12.0, hold_ms: 2.0, release_ms: 5.0, ..Default::default() };
    NoiseGate::new(RATE, settings).unwrap()
}

fn all() -> Vec<(&'static str, Box<dyn LiveBlock>)> {
    let peak = BiquadCoefficients::peak(RATE, 900.0, 12.0, 2.0);
    let mut delay = Delay::new(3, 500, 100).unwrap();
    delay.set(41);
    vec![
        ("biquad", Box::new(Biquad::new(peak, 100))),
        ("tone", Box::new(tone())),
        ("dc", Box::new(DcBlock::new(RATE, 5.0).unwrap())),
        ("gate", Box::new(gate())),
        ("delay", Box::new(delay)),
    ]
}

#[test]
fn the_cut_into_blocks_changes_no_bit() {
    // Bursts, so that the gate has something to do.
    let input: Vec<f32> = noise(6000)
        .iter()
        .enumerate()
        .map(|(i, x)| if (i / 1000) % 2 == 0 { *x } else { x * 0.01 })
        .collect();
    for block in [1, 7, 64, 500] {
        for ((name, mut cut), (_, mut whole)) in all().into_iter().zip(all()) {
            let (mut a, mut b) = (input.clone(), input.clone());
            a.chunks_mut(block).for_each(|part| cut.process(part));
            whole.process(&mut b);
            assert_eq!(a, b, "{name} in blocks of {block}");
        }
    }
}

#[test]
fn reset_forgets_everything() {
    let input = noise(3000);
    for (name, mut block) in all() {
        block.reset();
        let (mut first, mut second) = (input.clone(), input.clone());
        block.process(&mut first);
        block.reset();
        block.process(&mut second);
        assert_eq!(first, second, "{name}");
    }
}

#[test]
fn a_bad_sample_counts_as_zero_and_leaves_no_trace() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 3e38, -1e7] {
        for ((name, mut poisoned), (_, mut healthy)) in all().into_iter().zip(all()) {
            if name == "delay" {
                continue; // it has no feedback: what goes in comes out, once
            }
            let (mut a, mut b) = (noise(2000), noise(2000));
            (a[500], b[500]) = (bad, 0.0);
            poisoned.process(&mut a);
            healthy.process(&mut b);
            assert_eq!(a, b, "{name} with {bad}");
        }
    }
}

#[test]
fn a_filter_has_the_gain_that_its_coefficients_promise() {
    for (coefficients, frequency) in [
        (BiquadCoefficients::low_shelf(RATE, 150.0, 20.0, 0.707), 90.0),
        (BiquadCoefficients::high_shelf(RATE, 1800.0, -10.0, 0.707), 3000.0),
        (BiquadCoefficients::peak(RATE, 425.0, 15.0, 0.7), 425.0),
        (BiquadCoefficients::low_pass(RATE, 1000.0, 0.707), 2000.0),
        (BiquadCoefficients::high_pass(RATE, 1000.0, 0.707), 500.0),
    ] {
        let mut filter = Biquad::new(coefficients, 1);
        let mut sine: Vec<f32> =
            (0..96_000).map(|n| (2.0 * PI * frequency * n as f64 / RATE).sin() as f32 * 0.1).collect();
        filter.process(&mut sine);
        let power: f64 = sine[48_000..].iter().map(|y| f64::from(*y) * f64::from(*y)).sum();
        let gain_db = 10.0 * (power / (48_000.0 * 0.005)).log10();
        let promised = coefficients.gain_db(RATE, frequency);
        assert!((gain_db - promised).abs() < 1e-3, "{gain_db} dB measured, {promised} dB promised");
    }
}

#[test]
fn shelves_and_peak_reach_their_gain_and_half_of_it_at_the_corner() {
    let low = BiquadCoefficients::low_shelf(RATE, 150.0, 20.0, 0.707);
    let high = BiquadCoefficients::high_shelf(RATE, 1800.0, -10.0, 0.707);
    let peak = BiquadCoefficients::peak(RATE, 425.0, -15.0, 1.5);
    for (filter, frequency, gain_db) in [
        (low, 0.0, 20.0),
        (low, 150.0, 10.0),
        (low, 24_000.0, 0.0),
        (high, 0.0, 0.0),
        (high, 1800.0, -5.0),
        (high, 24_000.0, -10.0),
        (peak, 0.0, 0.0),
        (peak, 425.0, -15.0),
        (peak, 24_000.0, 0.0),
    ] {
        let got = filter.gain_db(RATE, frequency);
        assert!((got - gain_db).abs() < 1e-9, "{got} dB at {frequency} Hz, not {gain_db}");
    }
}

#[test]
fn turning_a_knob_makes_no_zipper() {
    // A jump of every knob from one end to the other, on a sine of 100 Hz: what appears above 5 kHz is the zipper.
    let mut tone = ToneStack::new(RATE).unwrap();
    tone.set(ToneSettings { bass_db: -20.0, mid_db: -15.0, treble_db: -10.0 });
    tone.reset();
    let mut samples: Vec<f32> =
        (0..9600).map(|n| (2.0 * PI * 100.0 * n as f64 / RATE).sin() as f32 * 0.1).collect();
    tone.process(&mut samples[..4800]);
    tone.set(ToneSettings { bass_db: 20.0, mid_db: 15.0, treble_db: 10.0 });
    tone.process(&mut samples[4800..]);
    let peak = samples.iter().fold(0.0f32, |peak, y| peak.max(y.abs()));
    let mut high = Biquad::new(BiquadCoefficients::high_pass(RATE, 5000.0, 0.54), 1);
    let mut higher = Biquad::new(BiquadCoefficients::high_pass(RATE, 5000.0, 1.31), 1);
    high.process(&mut samples);
    higher.process(&mut samples);
    let zipper = samples[1000..].iter().fold(0.0f32, |peak, y| peak.max(y.abs()));
    let zipper_db = 20.0 * (zipper / peak).log10();
    assert!(zipper_db < -80.0, "{zipper_db} dB below the peak");
}

#[test]
fn settings_out_of_reach_are_clamped() {
    let run = |settings| {
        let mut tone = ToneStack::new(RATE).unwrap();
        tone.set(settings);
        let mut samples = noise(2000);
        tone.process(&mut samples);
        samples
    };
    let wild = ToneSettings { bass_db: 1e9, mid_db: f32::NAN, treble_db: -1e9 };
    assert_eq!(run(wild), run(ToneSettings { bass_db: 20.0, mid_db: 0.0, treble_db: -10.0 }));
}

#[test]
fn the_gate_follows_its_closed_form() {
    let settings = GateSettings {
        threshold_db: -20.0,
        hysteresis_db: 6.0,
        attack_ms: 1.0,
        hold_ms: 10.0,
        release_ms: 5.0,
    };
    let mut gate = NoiseGate::new(RATE, settings).unwrap();
    let curve = |p: f64| p * p * (3.0 - 2.0 * p);

    // Below the threshold: closed, exactly.
    let mut quiet = vec![0.099f32; 4800];
    gate.process(&mut quiet);
    assert!(quiet.iter().all(|y| *y == 0.0));

    // At the threshold it opens along the curve, over 48 samples.
    let mut loud = vec![0.11f32; 480];
    gate.process(&mut loud);
    for (n, y) in loud.iter().enumerate() {
        let p = ((n + 1) as f64 / 48.0).min(1.0);
        assert!((f64::from(*y) - 0.11 * curve(p)).abs() < 1e-6, "sample {n} is {y}");
    }

    // Between the two thresholds it stays open for ever.
    let mut between = vec![0.06f32; 48_000];
    gate.process(&mut between);
    assert!(between.iter().all(|y| *y == 0.06));

    // Then the level decays with 15 ms until it is under the lower threshold, the hold passes, and it closes.
    let low = 0.1 * 10f64.powf(-6.0 / 20.0);
    let decay_samples = (0.015 * RATE * (0.06 / low).ln()).ceil() as usize;
    let mut tail = vec![0.001f32; 4800];
    gate.process(&mut tail);
    let closes_at = decay_samples + 480 - 1;
    let open = tail.iter().take_while(|y| **y == 0.001).count();
    assert!(open.abs_diff(closes_at) <= 2, "open for {open} samples, not {closes_at}");
    for (n, y) in tail[open..open + 240].iter().enumerate() {
        let p = 1.0 - (n + 1) as f64 / 240.0;
        assert!((f64::from(*y) - 0.001 * curve(p)).abs() < 1e-8, "sample {n} after the hold is {y}");
    }
    assert!(tail[open + 241..].iter().all(|y| *y == 0.0));
    assert!(!gate.is_passing());
}

#[test]
fn the_gate_does_not_flutter_on_a_low_string() {
    let settings = GateSettings { threshold_db: -40.0, hold_ms: 0.0, attack_ms: 0.0, ..Default::default() };
    let mut gate = NoiseGate::new(RATE, settings).unwrap();
    let input: Vec<f32> =
        (0..48_000).map(|n| (2.0 * PI * 41.2 * n as f64 / RATE).sin() as f32 * 0.0101).collect();
    let mut output = input.clone();
    gate.process(&mut output);
    // Open from the first peak on.
    assert_eq!(output[1200..], input[1200..]);
}

#[test]
fn a_change_of_delay_fades_in_a_straight_line() {
    let mut delay = Delay::new(10, 100, 50).unwrap();
    let mut samples: Vec<f32> = (0..1000).map(|n| n as f32).collect();
    delay.process(&mut samples[..500]);
    delay.set(60);
    delay.process(&mut samples[500..]);
    assert_eq!(samples[499], 489.0);
    for (n, sample) in samples.iter().enumerate().skip(500) {
        let share = ((n - 499) as f32 / 50.0).min(1.0);
        let expected = n as f32 - (10.0 + 50.0 * share);
        assert!((sample - expected).abs() < 1e-3, "sample {n} is {sample}, not {expected}");
    }
}

#[test]
fn what_cannot_be_built_is_refused_with_its_value() {
    let error = ToneStack::new(4000.0).unwrap_err().to_string();
    assert_eq!(error, "sample_rate is 4000, but it must be 8000 to 768000 Hz");
    assert!(DcBlock::new(RATE, f64::NAN).is_err());
    assert!(DcBlock::new(RATE, 12_000.0).is_err());
    assert!(NoiseGate::new(f64::NAN, GateSettings::default()).is_err());
    assert!(Delay::new(11, 10, 1).is_err());
    assert!(Delay::new(0, usize::MAX, 1).is_err());
}
