//! A cabinet sounds the same at every rate, and one that cannot be heard is refused.
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

mod common;

use common::{noise, pulse};
use neurdsp_rt::{AmpChain, ImpulseResponse, Parameter, ResponseChannel};
use std::f64::consts::PI;

const RATES: [f64; 5] = [44_100.0, 48_000.0, 88_200.0, 96_000.0, 192_000.0];

/// Responses that begin at their peak, as those of cabinets do, or are nothing but a peak, or begin late.
fn responses() -> Vec<Vec<f32>> {
    let decaying: Vec<f32> =
        noise(2000, 2).iter().enumerate().map(|(n, x)| x * (-0.004 * n as f32).exp()).collect();
    let late = (0..800).map(|n| pulse(f64::from(n) - 200.0) as f32).collect();
    vec![vec![1.0], vec![0.9, -0.5, 0.3, 0.1], decaying, late]
}

fn gain_db(response: &[f32], rate: f64, frequency_hz: f64) -> f64 {
    let turn = |n: usize| 2.0 * PI * frequency_hz * n as f64 / rate;
    let sum = |part: fn(f64) -> f64| -> f64 {
        response.iter().enumerate().map(|(n, h)| f64::from(*h) * part(turn(n))).sum()
    };
    10.0 * (sum(f64::cos).powi(2) + sum(f64::sin).powi(2)).log10()
}

#[test]
fn the_gain_at_every_frequency_is_the_same_at_every_rate_of_file_and_chain() {
    for own_rate in [44_100.0, 48_000.0, 96_000.0] {
        for (kind, samples) in responses().into_iter().enumerate() {
            let response = ImpulseResponse::new(vec![samples.clone()], own_rate).unwrap();
            for normalise in [false, true] {
                let at_48k = response.prepared(48_000.0, normalise).unwrap();
                for rate in RATES {
                    let prepared = response.prepared(rate, normalise).unwrap();
                    for frequency_hz in
                        [20.0, 100.0, 440.0, 1000.0, 3300.0, 5000.0, 10_000.0, 15_000.0, 19_000.0]
                    {
                        let wanted = gain_db(&at_48k[0], 48_000.0, frequency_hz);
                        let got = gain_db(&prepared[0], rate, frequency_hz);
                        // Deep notches are steeper than any tolerance.
                        if wanted > -40.0 {
                            let at = format!("response {kind}, {own_rate} to {rate} Hz, {frequency_hz} Hz");
                            assert!((got - wanted).abs() < 0.05, "{at}: {got} dB, not {wanted}");
                        }
                    }
                }
                if !normalise {
                    let (plain, own) =
                        (gain_db(&at_48k[0], 48_000.0, 1000.0), gain_db(&samples, own_rate, 1000.0));
                    assert!((plain - own).abs() < 0.02, "{plain} dB, but the file has {own}");
                }
            }
        }
    }
}

#[test]
fn a_sine_through_the_chain_is_as_loud_at_every_rate() {
    let response = ImpulseResponse::new(vec![vec![0.5, 0.25, -0.125]], 48_000.0).unwrap();
    let level_db = |rate: f64| {
        let (mut chain, mut handle) = AmpChain::new(rate, 1).unwrap();
        handle.load_cabinet(&response, true).unwrap();
        chain.reset();
        let n = (rate * 0.5) as usize;
        let mut sine: Vec<f32> =
            (0..n).map(|i| (2.0 * PI * 1000.0 * i as f64 / rate).sin() as f32 * 0.1).collect();
        chain.process(&mut [&mut sine]);
        let power: f64 = sine[n / 2..].iter().map(|y| f64::from(*y).powi(2)).sum();
        10.0 * (power / (n - n / 2) as f64).log10()
    };
    let reference = level_db(48_000.0);
    for rate in RATES {
        assert!(
            (level_db(rate) - reference).abs() < 0.02,
            "{rate} Hz: {} dB, not {reference}",
            level_db(rate)
        );
    }
}

#[test]
fn a_normalised_response_keeps_white_noise_as_loud_at_48_khz() {
    for samples in responses() {
        let response = ImpulseResponse::new(vec![samples], 48_000.0).unwrap();
        let energy: f32 = response.prepared(48_000.0, true).unwrap()[0].iter().map(|h| h * h).sum();
        assert!((energy - 1.0).abs() < 1e-5, "{energy}");
    }
}

fn stereo(left: f32, right: f32) -> ImpulseResponse {
    ImpulseResponse::new(vec![vec![left, 0.5 * left], vec![right, 0.25 * right]], 48_000.0).unwrap()
}

#[test]
fn a_channel_is_chosen_by_its_place_or_all_are_averaged() {
    let response = stereo(1.0, 0.5);
    let chosen = |choice| response.select(choice, 1).unwrap().prepared(48_000.0, false).unwrap();
    assert_eq!(chosen(ResponseChannel::Each), [[1.0, 0.5]]);
    assert_eq!(chosen(ResponseChannel::One(1)), [[0.5, 0.125]]);
    assert_eq!(chosen(ResponseChannel::Mean), [[0.75, 0.3125]]);
    assert_eq!(response.select(ResponseChannel::Each, 2).unwrap(), response);
    let error = response.select(ResponseChannel::One(2), 1).unwrap_err().to_string();
    assert!(error.contains("is 2, but it must be 0 to 1"), "{error}");
}

#[test]
fn a_response_that_is_silent_where_the_chain_plays_is_refused_by_name() {
    let refusal = |response: &ImpulseResponse, choice, n_channels| {
        response.select(choice, n_channels).unwrap_err().to_string()
    };
    let right_only = stereo(0.0, 0.5);
    assert_eq!(
        refusal(&right_only, ResponseChannel::Each, 1),
        "the left channel of the impulse response, which the chain plays through, is silent, but it must carry sound; \
         choose another: the right channel of the impulse response is not"
    );
    // The noise of 16 bits beside a response counts as silence.
    assert!(refusal(&stereo(0.9, 2e-5), ResponseChannel::One(1), 1).starts_with("the right channel"));
    assert!(refusal(&stereo(0.9, 0.0), ResponseChannel::Each, 2).starts_with("the right channel"));
    assert!(stereo(0.9, 0.0).select(ResponseChannel::Each, 1).is_ok());
    let antiphase = ImpulseResponse::new(vec![vec![0.5], vec![-0.5]], 48_000.0).unwrap();
    assert!(refusal(&antiphase, ResponseChannel::Mean, 1).starts_with("the mean of"));
    for silent in [vec![vec![0.0; 8]], vec![vec![1e-12; 8], vec![0.0; 8]]] {
        let response = ImpulseResponse::new(silent, 48_000.0).unwrap();
        for choice in [ResponseChannel::Each, ResponseChannel::Mean, ResponseChannel::One(0)] {
            assert_eq!(
                refusal(&response, choice, 1),
                "the impulse response is silent, but it must carry sound; give another file"
            );
        }
        assert!(response.bank(48_000.0, 2, true).is_err());
        assert!(response.prepared(96_000.0, true).is_err());
    }
}

#[test]
fn an_absurd_level_is_normalised_or_refused_and_never_gives_a_bad_sample() {
    for level in [1e-7, 1e-3, 1e7, 1e30, 3e38] {
        let response = ImpulseResponse::new(vec![vec![level, -0.5 * level]], 44_100.0).unwrap();
        for rate in [44_100.0, 48_000.0] {
            let (mut chain, mut handle) = AmpChain::new(rate, 1).unwrap();
            handle.settings().set(Parameter::DcBlockOn, 0.0);
            handle.load_cabinet(&response, true).unwrap();
            chain.reset();
            let mut samples = noise(4800, 3);
            chain.process(&mut [&mut samples]);
            let power = samples[480..].iter().map(|y| y * y).sum::<f32>() / 4320.0;
            // Up to 24 kHz it would be as loud; at 44.1 kHz there is less above it.
            assert!((10.0 * (power * 3.0).log10()).abs() < 1.0, "{level} at {rate} Hz: {power}");
            assert_eq!(handle.monitor().dropped_samples(), 0);
            if level > 1e6 {
                let error = handle.load_cabinet(&response, false).unwrap_err().to_string();
                assert!(error.starts_with("the gain of the impulse response in dB is "), "{error}");
            }
        }
    }
}
