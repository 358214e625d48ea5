//! The kick instrument in VST3 and CLAP hosts. The library is a debug build: an allocation while it plays ends the process.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]
#![allow(clippy::undocumented_unsafe_blocks, reason = "all of it is calls of VST3 and CLAP by their rules")]

mod clap;
mod controls;
mod ends;
#[path = "../host/mod.rs"]
mod host;
mod notes;
mod projects;

use host::{Instance, Module, Press};

/// The index of the kick instrument in the library.
const KICK: usize = 3;
/// The note that plays.
const NOTE: i16 = 36;
const RATE: f64 = 48_000.0;

/// A state with these parameters, as JSON, and no kick.
fn state_of(parameters: &str) -> Vec<u8> {
    format!(r#"{{"version": "0.1.0", "params": {parameters}, "fields": {{}}}}"#).into_bytes()
}

/// An instance that plays.
fn playing(parameters: &str) -> Instance {
    playing_at(RATE, parameters)
}

fn playing_at(sample_rate: f64, parameters: &str) -> Instance {
    let mut instance = Module::load().create_class(KICK);
    assert!(instance.set_state(&state_of(parameters)));
    instance.start(sample_rate, 4096);
    instance
}

/// The left channel of notes that an instance plays in blocks of 512.
fn left(instance: &mut Instance, len: usize, notes: &[Press]) -> Vec<f32> {
    let [left, right] = instance.play_instrument(len, &[512], notes);
    assert!(left == right);
    left
}

/// A hit at full velocity.
fn hit(at: i32) -> Press {
    Press::on(at, NOTE, 1.0)
}

/// A kick from a sample on, in silence.
fn placed(kick: &[f32], at: usize, len: usize) -> Vec<f32> {
    let mut placed = vec![0.0; len];
    placed.iter_mut().skip(at).zip(kick).for_each(|(to, x)| *to = *x);
    placed
}
