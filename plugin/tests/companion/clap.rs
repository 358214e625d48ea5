//! The companion in a CLAP host, from the same library.

use super::host::clap::Instance;
use super::host::{Module, Note, Song, library};
use super::{LATENCY, QUARTER, beat, class, play, rendering, sounding};

#[test]
fn its_note_ports_give_the_notes_that_a_vst3_host_gets() {
    let instance = Instance::open(&library(), class(&Module::load()) as u32);
    assert_eq!((instance.n_note_ports(true), instance.n_note_ports(false)), (1, 1));
    assert!(instance.set_offline(true));
    instance.start();
    assert_eq!(i64::from(instance.latency()), LATENCY);
    let (notes, len) = (beat(2), 9 * QUARTER);
    let played: Vec<Note> = (0..len / 1_000)
        .flat_map(|block| {
            let song = Song { beat: block as f64 * 1_000.0 / QUARTER as f64, ..Song::default() };
            instance.play_song(1_000 * block, 1_000, &notes, &song)
        })
        .collect();
    assert_eq!((sounding(&played), played.len()), (0, notes.len()));
    assert_eq!(played, play(&mut rendering("{}"), &notes, len, &[1_000]));
    // Held notes end with the song.
    let held = [Note::on(len + 10, 36, 0.7)];
    let mut last = instance.play_song(len, 1_000, &held, &Song { beat: 9.0, ..Song::default() });
    for block in 1..6 {
        let stopped = Song { plays: false, ..Song::default() };
        last.extend(instance.play_song(len + 1_000 * block, 1_000, &[], &stopped));
    }
    assert_eq!((sounding(&last), last.len()), (0, 2));
    let saved = instance.save();
    assert!(!instance.load(b"damaged") && instance.load(&saved));
    instance.stop();
}

#[test]
fn an_end_without_a_key_ends_every_note_in_the_order_of_time() {
    let instance = Instance::open(&library(), class(&Module::load()) as u32);
    assert!(instance.set_offline(true));
    instance.start();
    let any = Note { key: -1, ..Note::off(5_000, 0) };
    let notes = [Note::on(100, 36, 0.7), Note::on(400, 38, 0.7), Note::on(700, 60, 0.7), any];
    let played: Vec<Note> = (0..4)
        .flat_map(|block| {
            let song = Song { beat: block as f64 * 4_096.0 / QUARTER as f64, ..Song::default() };
            instance.play_song(4_096 * block, 4_096, &notes, &song)
        })
        .collect();
    assert_eq!((sounding(&played), played.len()), (0, 6));
    assert!(played.is_sorted_by_key(|note| note.sample));
    instance.stop();
}

#[test]
fn a_host_is_asked_to_activate_it_anew_for_another_latency_and_told_then() {
    let instance = Instance::open(&library(), class(&Module::load()) as u32);
    instance.start();
    let play = |begin| instance.play_song(begin, 512, &[], &Song::default());
    play(0);
    assert_eq!((i64::from(instance.latency()), instance.restarts()), (LATENCY, 0));
    assert!(instance.load(&stored(r#"{"late_only": {"bool": true}}"#)));
    play(512);
    play(1024);
    assert_eq!((i64::from(instance.latency()), instance.restarts()), (LATENCY, 1));
    instance.stop();
    instance.start();
    play(1536);
    assert_eq!((instance.latency(), instance.restarts()), (0, 1));
    instance.stop();
}

/// A state with these parameters, as a CLAP host keeps it.
fn stored(parameters: &str) -> Vec<u8> {
    let json = format!(r#"{{"version": "0.1.0", "params": {parameters}, "fields": {{}}}}"#);
    [&(json.len() as u64).to_le_bytes()[..], json.as_bytes()].concat()
}
