//! Where the song stops, jumps, loops or changes its tempo, each note ends once.

use super::host::{Instance, Note, Song};
use super::{LATENCY, QUARTER, RATE, beat, rendering, sounding};

/// Plays on for a while without notes.
fn drain(instance: &mut Instance, begin: i64, song: &Song) -> Vec<Note> {
    (0..8).flat_map(|block| instance.play_song(begin + 1024 * block, 1024, &[], song)).collect()
}

const HELD: [Note; 2] = [
    Note { sample: 100, is_on: true, channel: 9, key: 36, velocity: 0.8 },
    Note { sample: 200, is_on: true, channel: 9, key: 63, velocity: 0.8 },
];

#[test]
fn a_stop_a_jump_and_a_seam_end_each_held_note_once_and_the_hosts_own_end_is_not_sent_again() {
    let plays = |beat| Song { beat, ..Song::default() };
    let stops = Song { plays: false, ..Song::default() };
    let seam = Song { loop_beats: Some((0.0, 4096.0 / QUARTER as f64)), ..Song::default() };
    for (first, after) in [(plays(0.0), stops), (plays(0.0), plays(64.0)), (seam, seam)] {
        let mut instance = rendering("{}");
        let mut played = instance.play_song(0, 4096, &HELD, &first);
        assert_eq!(sounding(&played), 2);
        let late = [Note::off(4_200, 36), Note::off(4_300, 63)];
        played.extend(instance.play_song(4096, 1024, &late, &after));
        played.extend(drain(&mut instance, 5_120, &stops));
        assert_eq!((sounding(&played), played.len()), (0, 4), "{after:?}");
        // The end is heard where the song jumps.
        let end = played.iter().find(|note| !note.is_on && note.key == 63).unwrap();
        assert_eq!(end.sample, 4096 + LATENCY);
    }
}

#[test]
fn the_note_at_a_loops_start_sounds_once_in_each_round() {
    let mut instance = rendering(r#"{"tightness": {"f32": 1.0}}"#);
    let len = 2 * QUARTER;
    let mut played = Vec::new();
    for round in 0..6 {
        let notes = [Note::on(round * len, 36, 0.8), Note::off(round * len + 9_000, 36)];
        for at in (0..len).step_by(1_000) {
            let song =
                Song { beat: at as f64 / QUARTER as f64, loop_beats: Some((0.0, 2.0)), ..Song::default() };
            played.extend(instance.play_song(round * len + at, 1_000, &notes, &song));
        }
    }
    played.extend(drain(&mut instance, 6 * len, &Song { plays: false, ..Song::default() }));
    assert_eq!((sounding(&played), played.len()), (0, 12));
    let starts: Vec<i64> = played.iter().filter(|note| note.is_on).map(|note| note.sample).collect();
    for (round, start) in (0..).zip(&starts) {
        assert!((start - LATENCY - round * len).abs() <= 1_440, "{starts:?}");
    }
}

#[test]
fn a_bypass_or_a_stop_of_the_host_in_a_note_leaves_none_behind() {
    let mut instance = rendering("{}");
    let song = Song::default();
    let mut played = instance.play_song(0, 4096, &HELD, &song);
    instance.automate("Bypass", &[(0, 1.0)]);
    let ends = [Note::off(4_200, 36), Note::off(4_300, 63)];
    let on = Song { beat: 4096.0 / QUARTER as f64, ..song };
    played.extend(instance.play_song(4096, 1024, &ends, &on));
    played.extend(drain(&mut instance, 5_120, &Song { plays: false, ..song }));
    assert_eq!((sounding(&played), played.len()), (0, 4));

    // A host that stops in a note cannot be told before it starts again.
    let mut instance = rendering("{}");
    let mut played = instance.play_song(0, 4096, &HELD, &song);
    instance.stop();
    instance.start_offline(RATE, 4096);
    let ends = instance.play_song(4096, 64, &[], &song);
    assert!(ends.iter().all(|note| note.sample == 4096 && !note.is_on));
    played.extend(ends);
    assert_eq!((sounding(&played), played.len()), (0, 4));
}

#[test]
fn a_panic_ends_what_sounds_at_once_and_forgets_what_waits() {
    let mut instance = rendering("{}");
    let song = Song::default();
    let waits = [HELD[0], HELD[1], Note::on(4_000, 38, 0.5)];
    let mut played = instance.play_song(0, 4096, &waits, &song);
    instance.automate("Panic", &[(0, 1.0)]);
    let on = Song { beat: 4096.0 / QUARTER as f64, ..song };
    let ends = instance.play_song(4096, 1024, &[Note::off(4_500, 36), Note::off(4_500, 38)], &on);
    assert!(ends.iter().all(|note| note.sample == 4096));
    played.extend(ends);
    played.extend(drain(&mut instance, 5_120, &Song { plays: false, ..song }));
    assert_eq!((sounding(&played), played.len()), (0, 4));
}

#[test]
fn a_tempo_that_changes_in_a_note_keeps_its_length_and_ends_it_once() {
    let mut instance = rendering(r#"{"amount": {"f32": 0.0}}"#);
    let notes = [Note::on(1_000, 36, 0.5), Note::off(30_000, 36)];
    let (mut played, mut beat) = (Vec::new(), 0.0);
    for block in 0..40 {
        let tempo = if block < 12 { 120.0 } else { 60.0 };
        played.extend(instance.play_song(
            1_000 * block,
            1_000,
            &notes,
            &Song { beat, tempo, ..Song::default() },
        ));
        beat += 1_000.0 * tempo / (60.0 * RATE);
    }
    assert_eq!(played, [notes[0].later(LATENCY), notes[1].later(LATENCY)]);
}

#[test]
fn random_blocks_with_stops_jumps_and_odd_meters_leave_no_note_behind() {
    let all = r#"{"chords": {"bool": true}, "dynamics": {"f32": 1.5}, "mood": {"bool": true}, "play_on": {"bool": true}}"#;
    let mut instance = rendering(all);
    let mut state = 5u32;
    let mut random = |n: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % n
    };
    let notes = beat(8);
    let (mut at, mut position, mut played) = (0i64, 0.0, Vec::new());
    while at < 8 * 4 * QUARTER {
        let count = 1 + i64::from(random(4096));
        let mut song =
            Song { beat: position, meter: [(4, 4), (7, 8), (3, 4)][random(3) as usize], ..Song::default() };
        match random(12) {
            0 => song.plays = false,
            1 => song.beat = f64::from(random(64)) / 3.0,
            2 => song.tempo = 30.0 + f64::from(random(270)),
            3 => song.loop_beats = Some((1.0, 1.0 + f64::from(random(9)) / 2.0)),
            _ => {}
        }
        played.extend(instance.play_song(at, count as usize, &notes, &song));
        position = song.beat + count as f64 * song.tempo / (60.0 * RATE);
        at += count;
    }
    played.extend(drain(&mut instance, at, &Song { plays: false, ..Song::default() }));
    assert_eq!(sounding(&played), 0);
    assert!(played.len() > 100);
}
