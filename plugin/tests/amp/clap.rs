//! The amp player in a CLAP host, from the same library as in the VST3 one.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../host/mod.rs"]
mod host;

use host::clap::Instance;
use host::{BARE, TS9, noise, state_of_version, state_with};

const CRUNCH: &[u8] = include_bytes!("../../../python/neurdsp/amp/shipped/crunch.safetensors");

/// The state as a CLAP host stores it: its length, and the JSON.
fn stored(parameters: &str) -> Vec<u8> {
    stored_json(&state_with(parameters, TS9))
}

fn stored_json(json: &[u8]) -> Vec<u8> {
    [&(json.len() as u64).to_le_bytes()[..], json].concat()
}

#[test]
fn it_plays_what_the_engine_plays_and_keeps_its_state() {
    let signal = noise(20_000, 0.3);
    let mut expected = vec![0.0; signal.len()];
    neurdsp_models::load_bytes(TS9).unwrap().build_stream().unwrap().process(&signal, &mut expected);

    let first = Instance::create();
    assert!(first.load(&stored(BARE)));
    first.start();
    assert_eq!(first.play(&signal, 333), expected);
    let saved = first.save();
    first.stop();

    let second = Instance::create();
    for damaged in [&b""[..], &[0xff; 40], &saved[..saved.len() / 2]] {
        assert!(!second.load(damaged));
    }
    assert!(second.load(&saved));
    second.start();
    assert_eq!(second.play(&signal, 1024), expected);
    assert_eq!(second.save(), saved);
    second.stop();
}

#[test]
fn the_tail_the_names_and_the_mode_are_those_of_what_plays() {
    let instance = Instance::create();
    assert!(instance.names().contains(&"Knob 1".to_owned()));
    assert!(instance.load(&stored_json(&state_of_version(2, BARE, CRUNCH))));
    instance.start();
    assert!((24_000..480_000).contains(&instance.tail()), "{}", instance.tail());
    let names = instance.names();
    assert!(
        ["Gain", "Tone", "Knob 3"].iter().all(|name| names.iter().any(|found| found == name)),
        "{names:?}"
    );
    // While it is active, as a host may.
    let signal = noise(4800, 0.3);
    let first = instance.play(&signal, 480);
    assert!(instance.set_offline(true) && instance.set_offline(false));
    instance.stop();
    instance.start();
    assert!(instance.play(&signal, 480) == first);
    instance.stop();
}

#[test]
fn crossed_buffers_play_as_separate_ones() {
    let (left, right) = (noise(480, 0.3), noise(480, 0.3));
    let alone = |signal: &[f32]| {
        let mut expected = vec![0.0; signal.len()];
        neurdsp_models::load_bytes(TS9).unwrap().build_stream().unwrap().process(signal, &mut expected);
        expected
    };
    let instance = Instance::create();
    assert!(instance.load(&stored(BARE)));
    instance.start();
    let (mut a, mut b) = (left.clone(), right.clone());
    instance.play_crossed(&mut a, &mut b);
    assert!(b == alone(&left) && a == alone(&right));
    instance.stop();
}

#[test]
fn rates_that_no_interface_has_are_played_too() {
    let instance = Instance::create();
    assert!(instance.load(&stored(BARE)));
    for rate in [8000.0, 1234.5678, 12_345.678, 45_678.901, 123_456.78, 768_000.0] {
        instance.start_at(rate);
        // Longer than the latency at the highest of them.
        let played = instance.play(&noise(12_000, 0.3), 512);
        assert!(played.iter().all(|x| x.is_finite()) && played.iter().any(|x| x.abs() > 1e-3), "{rate}");
        instance.stop();
    }
}

#[test]
fn an_automated_offline_render_is_the_same_each_time_whenever_the_host_says_that_it_is_one() {
    let signal = noise(24_000, 0.3);
    let render = |block: usize, says_first: bool| {
        let instance = Instance::create();
        assert!(instance.load(&stored_json(&state_of_version(2, BARE, CRUNCH))));
        assert!(!says_first || instance.set_offline(true));
        instance.start();
        assert!(says_first || instance.set_offline(true));
        let mut output = Vec::new();
        for start in (0..signal.len()).step_by(block) {
            let end = (start + block).min(signal.len());
            let points = (start..end).filter(|at| at % 500 == 0).map(|at| (at - start, at as f64 / 24_000.0));
            let points: Vec<(usize, f64)> = points.collect();
            output.extend(instance.play_automated(&signal[start..end], "knob1", &points));
        }
        instance.stop();
        output
    };
    let whole = render(1000, true);
    assert!(whole == render(1000, true) && whole == render(64, true) && whole == render(777, false));
}
