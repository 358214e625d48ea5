//! Knobs of models, and whole states, changed while sound plays. The library is a debug build: an allocation while it plays
//! ends the process.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../host/mod.rs"]
mod host;

use std::time::{Duration, Instant};

use host::{Instance, Module, TS9, noise, null_db, state_of_version, state_with, steepest};
use neurdsp_models::LoadedModel;

const CRUNCH: &[u8] = include_bytes!("../../../python/neurdsp/amp/shipped/crunch.safetensors");
const RATE: f64 = 48_000.0;
/// Parameters under which the model plays alone, to be followed by others.
const ALONE: &str = r#""gate": {"bool": false}, "tone": {"bool": false}, "dc_block": {"bool": false},
    "output_mode": {"string": "raw"}, "oversampling": {"string": "1x"}, "mix": {"f32": 1.0}"#;

fn state(knobs: &str, model: &[u8]) -> Vec<u8> {
    state_of_version(2, &format!("{{{ALONE}, {knobs}}}"), model)
}

/// What the engine plays with the model's knobs there.
fn engine(model: &LoadedModel, knobs: &[f32], signal: &[f32]) -> Vec<f32> {
    let mut stream = model.with_knobs(knobs).unwrap().build_stream().unwrap();
    let mut output = vec![0.0; signal.len()];
    stream.process(signal, &mut output);
    output
}

fn crunch() -> LoadedModel {
    neurdsp_models::load_bytes(CRUNCH).unwrap()
}

/// A sine of 200 Hz, from sample `at` on.
fn sine(at: usize, len: usize) -> Vec<f32> {
    let phase = |i: usize| std::f64::consts::TAU * (200.0 * i as f64 / RATE).fract();
    (at..at + len).map(|i| 0.25 * phase(i).sin() as f32).collect()
}

/// Plays a sine in blocks of 64, with pauses as a host makes them, until `done` with the last 10 ms.
fn play_until(instance: &mut Instance, at: &mut usize, done: impl Fn(&[f32], &[f32]) -> bool) -> Vec<f32> {
    let start = Instant::now();
    let (mut input, mut output) = (Vec::new(), Vec::new());
    while output.len() < 2048 || !done(&input[input.len() - 480..], &output[output.len() - 480..]) {
        let block = sine(*at, 64);
        output.extend(instance.play(&block, &[64]));
        input.extend(block);
        *at += 64;
        std::thread::sleep(Duration::from_micros(500));
        assert!(start.elapsed() < Duration::from_secs(20), "the change has not arrived");
    }
    output
}

#[test]
fn knobs_of_a_state_and_of_the_first_block_hold_from_the_first_sample() {
    let module = Module::load();
    let signal = noise(30_000, 0.3);
    let expected = engine(&crunch(), &[0.9, 0.2], &signal);
    let mut recalled = module.create();
    assert!(recalled.set_state(&state(r#""knob1": {"f32": 0.9}, "knob2": {"f32": 0.2}"#, CRUNCH)));
    recalled.start(RATE, 8192);
    assert!(recalled.play(&signal, &[333, 64, 8192]) == expected);

    let mut automated = module.create();
    assert!(automated.set_state(&state("\"knob1\": {\"f32\": 0.1}", CRUNCH)));
    automated.start_offline(RATE, 8192);
    automated.automate("knob1", &[(0, 0.9)]);
    automated.automate("knob2", &[(0, 0.2)]);
    let played = automated.play(&signal, &[1000]);
    assert!(null_db(&played, &expected) < -110.0, "{} dB", null_db(&played, &expected));
}

#[test]
fn a_state_from_before_knobs_plays_the_model_at_its_defaults() {
    let module = Module::load();
    let signal = noise(20_000, 0.3);
    let model = crunch();
    let defaults: Vec<f32> = model.knobs().iter().map(|knob| knob.default).collect();
    let mut instance = module.create();
    assert!(instance.set_state(&state_with(&format!("{{{ALONE}}}"), CRUNCH)));
    instance.start(RATE, 512);
    assert!(instance.play(&signal, &[512]) == engine(&model, &defaults, &signal));
    let saved: serde_json::Value = serde_json::from_slice(&instance.state()).unwrap();
    let gain = saved["params"]["knob1"]["f32"].as_f64().unwrap();
    assert!((gain - f64::from(defaults[0])).abs() < 1e-6, "{gain}");
}

#[test]
fn an_automated_offline_render_is_the_same_however_it_is_cut() {
    let module = Module::load();
    let signal = sine(0, 60_000);
    // A point of the automation every 500 samples, wherever it falls in a block.
    let render = |block: usize| {
        let mut instance = module.create();
        assert!(instance.set_state(&state("\"knob1\": {\"f32\": 0.0}", CRUNCH)));
        instance.start_offline(RATE, 8192);
        let mut output = Vec::new();
        for start in (0..signal.len()).step_by(block) {
            let end = (start + block).min(signal.len());
            let points: Vec<(i32, f64)> = (start..end)
                .filter(|at| at % 500 == 0)
                .map(|at| ((at - start) as i32, (at as f64 / 50_000.0).min(1.0)))
                .collect();
            instance.automate("knob1", &points);
            output.extend(instance.play(&signal[start..end], &[end - start]));
        }
        output
    };
    let whole = render(8000);
    let first_difference = |block| render(block).iter().zip(&whole).position(|(a, b)| a != b);
    assert_eq!(first_difference(64), None);
    assert_eq!(first_difference(999), None);
    assert_eq!(first_difference(8000), None);
    // The knob reached its end at sample 50,000, and was followed there within two steps of 55 ms each.
    let model = crunch();
    let at = |gain| null_db(&whole[55_500..], &engine(&model, &[gain, 0.5], &signal)[55_500..]);
    assert!(at(1.0) < -60.0 && at(0.0) > -20.0, "{} dB, {} dB", at(1.0), at(0.0));
}

#[test]
fn a_knob_turned_under_sound_arrives_without_a_click() {
    let module = Module::load();
    let model = crunch();
    let mut instance = module.create();
    assert!(instance.set_state(&state("\"knob1\": {\"f32\": 0.0}", CRUNCH)));
    instance.start(RATE, 64);
    let mut at = 0;
    let mut output = play_until(&mut instance, &mut at, |_, _| true);
    // Swept up and down by hand: another position in each block.
    for step in 0..2000 {
        let up = (step as f64 / 500.0).fract();
        instance.automate("knob1", &[(0, if step / 500 % 2 == 0 { up } else { 1.0 - up })]);
        output.extend(instance.play(&sine(at, 64), &[64]));
        at += 64;
        std::thread::sleep(Duration::from_micros(400));
    }
    instance.automate("knob1", &[(0, 0.7)]);
    let expected = engine(&model, &[0.7, 0.5], &sine(0, at + 96_000));
    let begin = at;
    let end = play_until(&mut instance, &mut at, |input, output| {
        // The sine repeats after 240 samples, so the engine's output anywhere later is that of the same phase.
        let phase = (0..240).find(|phase| sine(*phase, 1)[0] == input[0]).unwrap_or(0);
        null_db(output, &expected[48_000 + phase..][..output.len()]) < -60.0
    });
    output.extend(&end);
    assert!(at - begin < 96_000, "the last position took {} samples", at - begin);
    // No step is steeper than the sound at its steepest position.
    let positions = (0..=10).map(|i| i as f32 / 10.0);
    let limit = positions
        .map(|gain| steepest(&engine(&model, &[gain, 0.5], &sine(0, 9600))[4800..]))
        .fold(0.0, f32::max);
    let step = steepest(&output[4800..]);
    assert!(step < 1.2 * limit, "a step of {step}, {limit} in the still sound");
}

#[test]
fn a_model_without_knobs_ignores_them() {
    let module = Module::load();
    let signal = noise(20_000, 0.3);
    let mut instance = module.create();
    assert!(instance.set_state(&state("\"knob1\": {\"f32\": 0.9}", TS9)));
    instance.start(RATE, 512);
    let model = neurdsp_models::load_bytes(TS9).unwrap();
    let mut output = Vec::new();
    for (i, block) in signal.chunks(500).enumerate() {
        instance.automate("knob1", &[(0, f64::from(i as u32 % 10) / 10.0)]);
        output.extend(instance.play(block, &[500]));
    }
    assert!(output == engine(&model, &[], &signal));
}

#[test]
fn knobs_come_back_with_the_state() {
    let module = Module::load();
    let mut first = module.create();
    assert!(first.set_state(&state(r#""knob1": {"f32": 0.31}, "knob2": {"f32": 1.0}"#, CRUNCH)));
    first.start(RATE, 512);
    let signal = noise(10_000, 0.3);
    let played = first.play(&signal, &[512]);
    let saved = first.state();
    let mut second = module.create();
    assert!(second.set_state(&saved));
    second.start(RATE, 512);
    assert!(second.play(&signal, &[512]) == played);
    assert_eq!(second.state(), saved);
}

/// A model that only amplifies.
fn gain(factor: f32) -> Vec<u8> {
    format!(
        r#"{{"version": "0.5.4", "architecture": "Linear", "sample_rate": 48000,
            "config": {{"receptive_field": 1, "bias": false}}, "weights": [{factor}]}}"#
    )
    .into_bytes()
}

#[test]
fn a_state_loaded_under_sound_fades_in_without_a_click_or_a_gap() {
    let module = Module::load();
    let mut instance = module.create();
    assert!(instance.set_state(&state("\"knob1\": {\"f32\": 0.5}", &gain(1.0))));
    instance.start(RATE, 64);
    let mut at = 0;
    let mut output = play_until(&mut instance, &mut at, |_, _| true);
    for factor in [0.5, 1.0, 0.25, 1.0] {
        assert!(instance.set_state(&state("\"knob1\": {\"f32\": 0.5}", &gain(factor))));
        let arrived = |input: &[f32], output: &[f32]| {
            input.iter().zip(output).all(|(x, y)| (y - factor * x).abs() < 1e-5)
        };
        output.extend(play_until(&mut instance, &mut at, arrived));
        assert_eq!(instance.latency(), 0);
    }
    // Two equal signals that fade with equal power reach 1.41 of one.
    let limit = 2f32.sqrt() * steepest(&sine(0, 480));
    assert!(steepest(&output) < 1.05 * limit, "a step of {}", steepest(&output));
    // Each period of the sine is as loud as the quietest model makes it.
    let quietest =
        output[480..].chunks_exact(240).map(|period| period.iter().fold(0.0f32, |a, b| a.max(b.abs())));
    let quietest = quietest.fold(f32::MAX, f32::min);
    assert!(quietest > 0.24 * 0.25, "a gap: {quietest}");
}

#[test]
fn a_state_loaded_under_sound_brings_its_model_its_knobs_and_its_settings() {
    let module = Module::load();
    let mut instance = module.create();
    assert!(instance.set_state(&state("\"knob1\": {\"f32\": 0.5}", TS9)));
    instance.start(RATE, 512);
    instance.play(&noise(4800, 0.3), &[480]);
    let next = r#""knob1": {"f32": 0.8}, "knob2": {"f32": 0.4}, "output": {"f32": -6.0}"#;
    assert!(instance.set_state(&state(next, CRUNCH)));
    let signal = noise(48_000, 0.3);
    let played = instance.play(&signal, &[480]);
    let quieter = 10f32.powf(-6.0 / 20.0);
    let expected: Vec<f32> = engine(&crunch(), &[0.8, 0.4], &signal).iter().map(|x| quieter * x).collect();
    let error = null_db(&played[24_000..], &expected[24_000..]);
    assert!(error < -90.0, "{error} dB");

    // A damaged model passes the sound.
    let mut damaged: serde_json::Value = serde_json::from_slice(&state(next, CRUNCH)).unwrap();
    let session = damaged["fields"]["session"].as_str().unwrap().replace("\"hash\":\"", "\"hash\":\"0");
    damaged["fields"]["session"] = session.into();
    assert!(instance.set_state(damaged.to_string().as_bytes()));
    let passed = instance.play(&signal, &[480]);
    let dry: Vec<f32> = signal.iter().map(|x| quieter * x).collect();
    assert!(null_db(&passed[24_000..], &dry[24_000..]) < -110.0);
}
