//! Gradients against their definitions: the adjoint identity of the linear part, differences of the rest.

use super::*;
use crate::blocks::FrameFilter;
use crate::mel::{Filterbank, MelConfig};
use crate::padding::PadMode;
use crate::spectrum::{Projection, StftConfig};

/// Numbers between -1 and 1 that look like noise.
fn noise(length: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    (0..length).map(|_| next()).collect()
}

fn config(n_fft: usize, hop_length: usize, pad_mode: PadMode) -> StftConfig {
    let window = noise(n_fft - n_fft / 5, 9);
    StftConfig { n_fft, hop_length, window, pad: n_fft / 2, pad_mode, filter: None, drop_last: n_fft == 32 }
}

#[test]
fn the_gradient_of_an_stft_is_its_adjoint_whatever_the_padding() {
    let modes = [PadMode::Constant, PadMode::Edge, PadMode::Reflect, PadMode::Symmetric, PadMode::Wrap];
    for (n_fft, hop, length) in [(1, 1, 3), (2, 1, 5), (7, 3, 20), (12, 5, 3), (16, 4, 1), (256, 100, 2000)] {
        for mode in modes {
            for filter in [None, Some(FrameFilter { remove_mean: true, preemphasis: 0.97 })] {
                let stft = Stft::<f64>::new(StftConfig { filter, ..config(n_fft, hop, mode) }).unwrap();
                let samples = noise(length, 1);
                let spectrum = stft.process(&samples).unwrap();
                let parts = noise(2 * spectrum.len(), 2);
                let gradient: Vec<_> = parts.chunks(2).map(|p| Complex::new(p[0], p[1])).collect();
                let mut back = vec![0.0; length];
                stft.backward_batch(vec![(&gradient[..], &mut back[..])], 1).unwrap();
                let there: f64 = spectrum.iter().zip(&gradient).map(|(x, g)| x.re * g.re + x.im * g.im).sum();
                let again: f64 = samples.iter().zip(&back).map(|(x, g)| x * g).sum();
                let scale = (spectrum.len() * n_fft) as f64;
                assert!((there - again).abs() < 1e-13 * scale, "{n_fft} {hop} {mode:?}: {there} {again}");
            }
        }
    }
}

fn plans(pad_mode: PadMode) -> Vec<Spectrogram<f64>> {
    let mel = Filterbank::mel(&MelConfig { n_mels: 6, ..MelConfig::new(8000.0, 32) }).unwrap();
    let log = Some(LogScale { floor: 0.02, offset: 0.01, scale: 4.3 });
    let magnitudes = [Magnitude::Power, Magnitude::Root { eps: 1e-3 }, Magnitude::Exponent(1.5)];
    let mut plans = Vec::new();
    for magnitude in magnitudes {
        for projection in [Projection::Bins(11), Projection::Bands(mel.clone())] {
            for log in [None, log] {
                let plan =
                    Spectrogram::new(config(32, 9, pad_mode), magnitude, projection.clone(), log).unwrap();
                plans.push(plan);
            }
        }
    }
    plans
}

fn loss(plan: &Spectrogram<f64>, samples: &[f64], weights: &[f64]) -> f64 {
    plan.process(samples).unwrap().iter().zip(weights).map(|(value, weight)| value * weight).sum()
}

#[test]
fn the_gradient_of_a_spectrogram_is_its_central_difference() {
    for plan in plans(PadMode::Reflect) {
        let samples = noise(70, 3);
        let weights = noise(plan.n_rows() * plan.n_frames(70).unwrap(), 4);
        let mut gradient = vec![0.0; 70];
        plan.backward_batch(vec![(&samples[..], &weights[..], &mut gradient[..])], 1).unwrap();
        for (i, got) in gradient.iter().enumerate() {
            let step = 1e-6;
            let moved = |by: f64| {
                let mut samples = samples.clone();
                samples[i] += by;
                loss(&plan, &samples, &weights)
            };
            let expected = (moved(step) - moved(-step)) / (2.0 * step);
            let scale = 1.0 + gradient.iter().fold(0.0, |a: f64, g| a.max(g.abs()));
            assert!((got - expected).abs() < 1e-6 * scale, "sample {i}: {got} {expected}");
        }
    }
}

#[test]
fn silence_has_a_finite_gradient_and_none_below_the_floor() {
    for (index, plan) in plans(PadMode::Constant).iter().enumerate() {
        let weights = vec![1.0; plan.n_rows() * plan.n_frames(50).unwrap()];
        let mut gradient = vec![1.0; 50];
        plan.backward_batch(vec![(&[0.0; 50][..], &weights[..], &mut gradient[..])], 1).unwrap();
        assert!(gradient.iter().all(|g| *g == 0.0), "plan {index}: {gradient:?}");
    }
}

#[test]
fn threads_change_no_bit_and_single_precision_is_close_to_double() {
    let build = || (StftConfig::new(512), MelConfig::new(16_000.0, 512));
    let (stft, mel) = build();
    let log = Some(LogScale { floor: 1e-5, offset: 0.0, scale: 1.0 });
    let bank = Projection::Bands(Filterbank::mel(&mel).unwrap());
    let single = Spectrogram::<f32>::new(stft.clone(), Magnitude::Power, bank.clone(), log).unwrap();
    let double = Spectrogram::<f64>::new(stft, Magnitude::Power, bank, log).unwrap();
    let rows: Vec<Vec<f32>> =
        (0..5).map(|row| noise(3000 + 500 * row, row as u64).iter().map(|x| *x as f32).collect()).collect();
    let weights: Vec<Vec<f32>> = rows
        .iter()
        .map(|row| noise(128 * single.n_frames(row.len()).unwrap(), 7).iter().map(|x| *x as f32).collect())
        .collect();
    let run = |n_threads: usize, in_double: bool| {
        let mut results: Vec<Vec<f32>> = rows.iter().map(|row| vec![0.0; row.len()]).collect();
        let batch = rows.iter().zip(&weights).zip(&mut results);
        let batch = batch.map(|((row, weights), result)| (&row[..], &weights[..], &mut result[..])).collect();
        if in_double {
            double.backward_batch(batch, n_threads).unwrap();
        } else {
            single.backward_batch(batch, n_threads).unwrap();
        }
        results.concat()
    };
    let one = run(1, false);
    assert_eq!(one, run(3, false));
    let exact = run(1, true);
    let peak = exact.iter().fold(0.0, |a: f32, g| a.max(g.abs()));
    let error = one.iter().zip(&exact).fold(0.0, |a: f32, (x, y)| a.max((x - y).abs()));
    assert!(peak > 0.1 && error < 1e-4 * peak, "{error} of {peak}");
}

#[test]
fn wrong_lengths_are_refused() {
    let plan = &plans(PadMode::Reflect)[0];
    let n_frames = plan.n_frames(50).unwrap();
    let samples = [0.0; 50];
    let mut result = [0.0; 50];
    let short = vec![0.0; 11 * n_frames - 1];
    assert!(plan.backward_batch(vec![(&samples[..], &short[..], &mut result[..])], 1).is_err());
    let right = vec![0.0; 11 * n_frames];
    assert!(plan.backward_batch(vec![(&samples[..], &right[..], &mut result[..49])], 1).is_err());
    assert!(plan.backward_batch(vec![(&samples[..], &right[..], &mut result[..])], 1).is_ok());
}
