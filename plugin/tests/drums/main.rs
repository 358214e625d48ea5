//! The drum separator in VST3 and CLAP hosts. The library is a debug build: an allocation while it plays ends the process.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]
#![allow(clippy::undocumented_unsafe_blocks, reason = "all of it is calls of VST3 by its rules")]

mod buses;
mod clap;
mod faders;
#[path = "../host/mod.rs"]
mod host;
mod projects;
mod sound;

use host::{Instance, Module, NETWORK_RATE, drum_state, network};

/// The index of the drum separator in the library.
const DRUMS: usize = 1;
const STEMS: [&str; 5] = ["kick", "snare", "toms", "hihat", "cymbals"];

/// The network of most tests.
fn file() -> Vec<u8> {
    network(&STEMS, 1)
}

/// An instance that plays at the rate of the network.
fn playing(parameters: &str) -> Instance {
    playing_at(NETWORK_RATE, parameters)
}

fn playing_at(sample_rate: f64, parameters: &str) -> Instance {
    let mut instance = Module::load().create_class(DRUMS);
    assert!(instance.set_state(&drum_state(parameters, &file())));
    instance.start(sample_rate, 4096);
    instance
}

/// The loudest sample.
fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, x| peak.max(x.abs()))
}

/// The level of the difference from a signal `late` samples before, in dB of the signal.
fn null_db(played: &[f32], signal: &[f32], late: usize) -> f64 {
    host::null_db(&played[late..], &signal[..signal.len() - late])
}
