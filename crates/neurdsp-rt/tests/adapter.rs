//! A model at other rates: exact latency, any block size, and less aliasing when it is oversampled.
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Toy, noise, pulse};
use neurdsp_dsp::live::ResampleQuality;
use neurdsp_models::StreamingModel;
use neurdsp_rt::{Operation, adapt};
use std::f64::consts::PI;

fn operation(sample_rate: f64, oversample: usize, quality: ResampleQuality) -> Operation {
    Operation { sample_rate, oversample, quality }
}

fn adapted(toy: fn() -> Toy, model_rate: f64, operation: Operation) -> Box<dyn StreamingModel> {
    adapt(&mut || Ok(toy().boxed()), model_rate, operation).unwrap()
}

fn played(stream: &mut dyn StreamingModel, input: &[f32], block: usize) -> Vec<f32> {
    let mut output = vec![0.0; input.len()];
    for (input, output) in input.chunks(block).zip(output.chunks_mut(block)) {
        stream.process(input, output);
    }
    output
}

const RATES: [f64; 7] = [44_100.0, 48_000.0, 88_200.0, 96_000.0, 192_000.0, 22_050.0, 44_099.5];

#[test]
fn a_pulse_comes_out_exactly_as_late_as_the_latency_says() {
    for sample_rate in RATES {
        for oversample in [1, 2, 4] {
            for quality in [ResampleQuality::High, ResampleQuality::LowLatency] {
                let operation = operation(sample_rate, oversample, quality);
                let mut stream = adapted(|| Toy::gain(0.5), 48_000.0, operation);
                let latency = stream.latency();
                assert_eq!(latency == 0, sample_rate == 48_000.0 * oversample as f64);
                let input: Vec<f32> = (0..4000).map(|n| pulse(f64::from(n) - 900.0) as f32).collect();
                for (n, y) in played(stream.as_mut(), &input, 480).iter().enumerate() {
                    let error = f64::from(*y) - 0.5 * pulse(n as f64 - 900.0 - latency as f64);
                    assert!(error.abs() < 2e-6, "{operation:?}: sample {n} is off by {error}");
                }
            }
        }
    }
}

#[test]
fn the_latencies_are_those_of_the_documentation() {
    let latency =
        |rate, n, quality| adapted(|| Toy::gain(1.0), 48_000.0, operation(rate, n, quality)).latency();
    assert_eq!(latency(48_000.0, 1, ResampleQuality::High), 0);
    assert_eq!(latency(44_100.0, 1, ResampleQuality::High), 163);
    assert_eq!(latency(48_000.0, 2, ResampleQuality::High), 162);
    assert_eq!(latency(48_000.0, 2, ResampleQuality::LowLatency), 46);
    assert_eq!(latency(96_000.0, 1, ResampleQuality::High), 324);
    assert_eq!(latency(96_000.0, 2, ResampleQuality::High), 0);
}

#[test]
fn the_cut_into_blocks_changes_no_bit() {
    let input = noise(9000, 5);
    for (rate, oversample) in [(44_100.0, 1), (96_000.0, 1), (48_000.0, 4), (44_099.5, 2)] {
        let operation = operation(rate, oversample, ResampleQuality::High);
        let toy = || Toy::new(2.0, 0.1, 0.3, 1, f32::tanh);
        let whole = played(adapted(toy, 48_000.0, operation).as_mut(), &input, 8192);
        for block in [1, 7, 64, 255, 1000] {
            let mut stream = adapted(toy, 48_000.0, operation);
            assert_eq!(played(stream.as_mut(), &input, block), whole, "{operation:?} in blocks of {block}");
            stream.reset();
            assert_eq!(played(stream.as_mut(), &input, block), whole, "{operation:?} after reset");
        }
    }
}

/// `n` streams that take turns are the model with its delays made `n` times as long, at `n` times the rate.
#[test]
fn oversampling_stretches_the_delays_of_the_model() {
    let input = noise(5000, 6);
    let streams = adapted(
        || Toy::new(3.0, 0.0, -0.7, 1, f32::tanh),
        48_000.0,
        operation(48_000.0, 4, ResampleQuality::High),
    );
    let stretched = adapted(
        || Toy::new(3.0, 0.0, -0.7, 4, f32::tanh),
        192_000.0,
        operation(48_000.0, 1, ResampleQuality::High),
    );
    let [mut a, mut b] = [streams, stretched];
    assert_eq!(played(a.as_mut(), &input, 64), played(b.as_mut(), &input, 64));
}

#[test]
fn a_model_that_hums_on_silence_does_not_click_at_the_start() {
    for rate in [44_100.0, 96_000.0] {
        let operation = operation(rate, 2, ResampleQuality::High);
        let mut stream = adapted(|| Toy::new(1.0, 0.3, 0.0, 1, |x| x), 48_000.0, operation);
        let output = played(stream.as_mut(), &[0.0; 2000], 100);
        assert!(output.iter().all(|y| (y - 0.3).abs() < 1e-6));
    }
}

/// Power of what is neither a harmonic nor the offset over that of the harmonics, in dB: the aliasing-to-signal ratio.
fn aliasing_db(oversample: usize, quality: ResampleQuality) -> f64 {
    const N: usize = 48_000;
    // The number of periods is prime, so no alias falls on a harmonic before the hundredth.
    let cycles = 4987;
    let mut stream =
        adapted(|| Toy::new(8.0, 0.2, 0.0, 1, f32::tanh), 48_000.0, operation(48_000.0, oversample, quality));
    let sine: Vec<f32> =
        (0..2 * N).map(|n| (2.0 * PI * f64::from(cycles) * n as f64 / N as f64).sin() as f32).collect();
    let output = played(stream.as_mut(), &sine, 512);
    let steady: Vec<f64> = output[N..].iter().map(|y| f64::from(*y)).collect();
    let mean = steady.iter().sum::<f64>() / N as f64;
    let total = steady.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / N as f64;
    let mut harmonic = 0.0;
    for order in (1..).take_while(|order| order * cycles < N as i32 / 2) {
        let w = 2.0 * PI * f64::from(order * cycles) / N as f64;
        let (mut re, mut im) = (0.0, 0.0);
        for (n, y) in steady.iter().enumerate() {
            let (s, c) = (w * n as f64).sin_cos();
            (re, im) = (re + y * c, im + y * s);
        }
        harmonic += 2.0 * (re * re + im * im) / (N as f64).powi(2);
    }
    10.0 * ((total - harmonic).max(1e-30) / harmonic).log10()
}

#[test]
fn oversampling_a_driven_model_takes_aliasing_down() {
    let plain = aliasing_db(1, ResampleQuality::High);
    let twice = aliasing_db(2, ResampleQuality::High);
    let four_times = aliasing_db(4, ResampleQuality::High);
    let quick = aliasing_db(2, ResampleQuality::LowLatency);
    let figures = format!("{plain:.1}, {twice:.1}, {four_times:.1} dB; {quick:.1} dB with low latency");
    assert!((-15.0..-12.0).contains(&plain), "{figures}");
    assert!(twice < -30.0 && four_times < -60.0 && quick < -25.0, "{figures}");
}

#[test]
fn bad_samples_leave_no_trace_and_bad_operations_are_refused() {
    let op = operation(44_100.0, 2, ResampleQuality::High);
    let [mut a, mut b] = [0, 1].map(|_| adapted(|| Toy::new(2.0, 0.0, 0.9, 1, f32::tanh), 48_000.0, op));
    let (mut bad, mut healed) = (noise(3000, 8), noise(3000, 8));
    (bad[700], healed[700]) = (f32::NAN, 0.0);
    (bad[701], healed[701]) = (f32::INFINITY, 0.0);
    assert_eq!(played(a.as_mut(), &bad, 64), played(b.as_mut(), &healed, 64));

    let refused = |rate, oversample| {
        adapt(
            &mut || Ok(Toy::gain(1.0).boxed()),
            48_000.0,
            operation(rate, oversample, ResampleQuality::High),
        )
        .err()
        .map(|error| error.to_string())
    };
    assert_eq!(refused(48_000.0, 3).unwrap(), "oversample is 3, but it must be 1, 2 or 4");
    assert!(refused(f64::NAN, 1).is_some());
    assert!(refused(0.0, 1).is_some());
}
