//! The companion in VST3 and CLAP hosts. The library is a debug build: an allocation while it plays ends the process.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]
#![allow(clippy::undocumented_unsafe_blocks, reason = "all of it is calls of VST3 by its rules")]

mod chords;
mod clap;
mod dynamics;
mod feel;
#[path = "../host/mod.rs"]
mod host;
mod messages;
mod mood;
mod play_on;
mod projects;
mod transport;

use host::{Instance, Module, Note, Song};

const RATE: f64 = 48_000.0;
/// The latency at that rate.
const LATENCY: i64 = 1920;
/// Samples of a quarter note at 120 beats a minute.
const QUARTER: i64 = 24_000;

/// The index of the companion among the classes of the library.
fn class(module: &Module) -> usize {
    let is_ours = |class: &vst3::Steinberg::PClassInfo2| {
        class.cid.iter().map(|byte| *byte as u8).eq(*b"neurdsp.Compani1")
    };
    module.classes().iter().position(is_ours).unwrap()
}

/// An instance with these parameters, as JSON, that renders offline: every answer of the network is there in time.
fn rendering(parameters: &str) -> Instance {
    let mut instance = stopped(parameters);
    instance.start_offline(RATE, 4096);
    instance
}

/// An instance that nobody has started.
fn stopped(parameters: &str) -> Instance {
    let module = Module::load();
    let instance = module.create_class(class(&module));
    let parameters: serde_json::Value = serde_json::from_str(parameters).unwrap();
    let state = serde_json::json!({"version": "0.1.0", "params": parameters, "fields": {}});
    assert!(instance.set_state(state.to_string().as_bytes()));
    instance
}

/// Plays notes through a song that runs at 120 beats a minute from its start, in blocks of the given lengths, over and over.
fn play(instance: &mut Instance, notes: &[Note], len: i64, blocks: &[usize]) -> Vec<Note> {
    let (mut played, mut at) = (Vec::new(), 0);
    for size in blocks.iter().cycle() {
        let count = (*size as i64).min(len - at);
        let song = Song { beat: at as f64 / QUARTER as f64, ..Song::default() };
        played.extend(instance.play_song(at, count as usize, notes, &song));
        at += count;
        if at == len {
            break;
        }
    }
    played
}

/// A beat of a number of bars: hats in eighths, kick and snare; and a conga, which no kit has.
fn beat(bars: i64) -> Vec<Note> {
    let mut notes = Vec::new();
    for eighth in 0..8 * bars {
        let at = eighth * QUARTER / 2;
        let mut hit = |key, velocity: u8| {
            notes.push(Note::on(at, key, f32::from(velocity) / 127.0));
            notes.push(Note::off(at + 3_000, key));
        };
        hit(42, if eighth % 2 == 0 { 90 } else { 64 });
        match eighth % 8 {
            0 | 5 => hit(36, 100),
            2 | 6 => hit(38, 110),
            3 => hit(63, 77),
            _ => {}
        }
    }
    notes.sort_by_key(|note| (note.sample, note.is_on));
    notes
}

/// Checks that no note ends that does not sound; returns how many sound at the end.
fn sounding(played: &[Note]) -> usize {
    let mut sounds = std::collections::BTreeMap::<(i16, i16), i32>::new();
    for note in played {
        let count = sounds.entry((note.channel, note.key)).or_default();
        *count += if note.is_on { 1 } else { -1 };
        assert!(*count >= 0, "{note:?} ends twice");
    }
    sounds.values().sum::<i32>() as usize
}
