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
