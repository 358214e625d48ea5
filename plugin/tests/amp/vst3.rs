//! The amp player in a VST3 host. The library is a debug build: an allocation while it plays ends the process.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../host/mod.rs"]
mod host;

use std::time::{Duration, Instant};

use host::{BARE, Instance, Module, TS9, noise, state_with};

const RATE: f64 = 48_000.0;

/// A model of two sizes, one twice as loud as the other.
const TWO_SIZES: &str = r#"{"version": "0.7.0", "architecture": "SlimmableContainer", "weights": [], "sample_rate": 48000,
    "config": {"submodels": [
      {"max_value": 0.5, "model": {"version": "0.5.4", "architecture": "Linear", "sample_rate": 48000,
       "config": {"receptive_field": 1, "bias": false}, "weights": [0.5]}},
      {"max_value": 1.0, "model": {"version": "0.5.4", "architecture": "Linear", "sample_rate": 48000,
       "config": {"receptive_field": 1, "bias": false}, "weights": [1.0]}}]}}"#;

fn playing(module: &Module, parameters: &str, model: &[u8]) -> Instance {
    let mut instance = module.create();
    assert!(instance.set_state(&state_with(parameters, model)));
    instance.start(RATE, 8192);
    instance
}

fn ts9(signal: &[f32]) -> Vec<f32> {
    let mut stream = neurdsp_models::load_bytes(TS9).unwrap().build_stream().unwrap();
    let mut output = vec![0.0; signal.len()];
    stream.process(signal, &mut output);
    output
}

#[test]
fn random_blocks_play_what_the_engine_plays() {
    let module = Module::load();
    let signal = noise(60_000, 0.3);
    let mut instance = playing(&module, BARE, TS9);
    let blocks = [1, 17, 8192, 0, 64, 333, 2, 1000, 4096, 5];
    assert_eq!(instance.play(&signal, &blocks), ts9(&signal));
    assert_eq!(instance.latency(), 0);
}

#[test]
fn automation_takes_effect_at_its_sample() {
    let module = Module::load();
    let signal = noise(8192, 0.3);
    let whole = playing(&module, BARE, TS9).play(&signal, &[8192]);
    let mut instance = playing(&module, BARE, TS9);
    instance.automate("Output", &[(3000, 0.0)]);
    let automated = instance.play(&signal, &[8192]);
    assert_eq!(automated[..3000], whole[..3000]);
    let later = |x: &[f32]| x[5000..].iter().map(|x| x * x).sum::<f32>().sqrt();
    let change_db = 20.0 * (later(&automated) / later(&whole)).log10();
    assert!((change_db + 24.0).abs() < 1e-3, "{change_db} dB");
}

#[test]
fn a_state_comes_back_and_a_damaged_one_is_refused() {
    let module = Module::load();
    let signal = noise(5000, 0.3);
    let mut first = playing(&module, r#"{"bass": {"f32": 6.0}}"#, TS9);
    let state = first.state();
    let played = first.play(&signal, &[512]);
    let mut second = module.create();
    for damaged in [&b""[..], b"{", &state[..state.len() / 2], &[0xff; 64]] {
        assert!(!second.set_state(damaged));
    }
    assert!(second.set_state(&state));
    second.start(RATE, 512);
    assert_eq!(second.play(&signal, &[512]), played);
    assert_eq!(second.state(), state);
}

#[test]
fn after_a_long_silence_it_goes_on_as_if_it_had_played_all_along() {
    let module = Module::load();
    let sound = noise(48_000, 0.3);
    let signal = [&sound[..], &[0.0; 8 * 48_000], &sound[..]].concat();
    let played = playing(&module, "{}", TS9).play(&signal, &[480, 100]);

    let (mut chain, mut handle) = neurdsp_rt::AmpChain::new(RATE, 1).unwrap();
    let settings = neurdsp_rt::ChainSettings::default()
        .with(neurdsp_rt::Parameter::GateOn, 1.0)
        .with(neurdsp_rt::Parameter::GateThresholdDb, -75.0)
        .with(neurdsp_rt::Parameter::OutputMode, 1.0);
    handle.settings().store(&settings);
    let model = neurdsp_models::load_bytes(TS9).unwrap();
    handle.load_model(&model, neurdsp_rt::Operation::at(RATE)).unwrap();
    chain.reset();
    let mut expected = signal.clone();
    chain.process(&mut [&mut expected]);
    let error = played.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(error < 1e-6, "{error}");
}

/// Turns a parameter for which the model is prepared again, and plays until it has `arrived` in the last 480 samples.
fn swap(
    instance: &mut Instance,
    (title, value): (&str, f64),
    sine: &mut impl FnMut() -> Vec<f32>,
    arrived: impl Fn(&Instance, &[f32]) -> bool,
) -> Vec<f32> {
    instance.automate(title, &[(0, value)]);
    let mut output = Vec::new();
    let start = Instant::now();
    while output.len() < 960 || !arrived(instance, &output[output.len() - 480..]) {
        output.extend(instance.play(&sine(), &[64]));
        std::thread::sleep(Duration::from_micros(300));
        assert!(start.elapsed() < Duration::from_secs(20), "{title} {value} has not arrived");
    }
    output
}

#[test]
fn a_hundred_swaps_while_it_plays_do_not_click() {
    let module = Module::load();
    let mut instance = playing(&module, BARE, TWO_SIZES.as_bytes());
    let mut phase = 0.0f32;
    let step = std::f32::consts::TAU * 200.0 / RATE as f32;
    let mut sine = || {
        (0..64)
            .map(|_| {
                phase = (phase + step) % std::f32::consts::TAU;
                0.5 * phase.sin()
            })
            .collect::<Vec<f32>>()
    };
    let mut output = Vec::new();
    for i in 0..100 {
        // The larger model returns the sine, the smaller one half of it.
        let (size, level) = if i % 2 == 0 { (0.0, 0.25) } else { (1.0, 0.5) };
        let arrived = |_: &Instance, end: &[f32]| {
            let peak = end.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
            (peak - level).abs() < 0.01
        };
        output.extend(swap(&mut instance, ("Quality", size), &mut sine, arrived));
    }
    let steepest = output.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    // The sine itself moves by 0.0131 a sample; two equal signals that fade with equal power reach 1.41 of one.
    assert!(steepest < 2.0 * 0.5 * step, "a step of {steepest}");
}

#[test]
fn oversampling_is_prepared_elsewhere_and_its_latency_reported() {
    let module = Module::load();
    let mut instance = playing(&module, BARE, TS9);
    let reported = |instance: &Instance, _: &[f32]| instance.latency() == 162;
    swap(&mut instance, ("Oversampling", 0.5), &mut || vec![0.0; 64], reported);
    assert_ne!(instance.handler.restarts.load(std::sync::atomic::Ordering::Relaxed), 0);
}
