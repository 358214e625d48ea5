//! The amp player in a CLAP host, from the same library as in the VST3 one.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../host/mod.rs"]
mod host;

use host::clap::Instance;
use host::{BARE, TS9, noise, state_with};

/// The state as a CLAP host stores it: its length, and the JSON.
fn stored(parameters: &str) -> Vec<u8> {
    let json = state_with(parameters, TS9);
    [&(json.len() as u64).to_le_bytes()[..], &json].concat()
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
