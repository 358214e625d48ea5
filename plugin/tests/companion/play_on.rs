//! A melody that goes on where the player stops: when, in which tones, and that it ends.

use super::host::{Note, Song};
use super::{LATENCY, QUARTER, play, rendering, sounding};

const BAR: i64 = 4 * QUARTER;
const ON: &str = r#"{"play_on": {"bool": true}}"#;

/// Two bars of a tune in C, then five bars of nothing, and a note.
fn tune() -> Vec<Note> {
    let keys = [60, 64, 67, 64, 65, 69, 67, 62];
    let mut notes = Vec::new();
    let mut add = |at: i64, key| {
        notes.push(Note { channel: 0, ..Note::on(at, key, 0.7) });
        notes.push(Note { channel: 0, ..Note::off(at + 20_000, key) });
    };
    for (at, key) in (0..).zip(keys) {
        add(at * QUARTER, key);
    }
    add(7 * BAR + 1_000, 60);
    notes
}

/// What is played beside the tune.
fn added(played: &[Note]) -> Vec<Note> {
    let own: Vec<Note> = tune().into_iter().map(|note| note.later(LATENCY)).collect();
    assert!(own.iter().all(|note| played.contains(note)));
    played.iter().filter(|note| !own.contains(note)).copied().collect()
}

#[test]
fn it_begins_a_bar_after_the_last_note_and_ends_with_the_next() {
    let played = play(&mut rendering(ON), &tune(), 9 * BAR, &[512]);
    assert_eq!(sounding(&played), 0);
    let added = added(&played);
    let starts: Vec<Note> = added.iter().filter(|note| note.is_on).copied().collect();
    assert!(starts.len() >= 6, "{starts:?}");
    for note in &starts {
        let at = note.sample - LATENCY;
        assert!((3 * BAR..7 * BAR + 1_000).contains(&at) && at % (QUARTER / 4) <= 1, "{note:?}");
        assert!(note.channel == 0 && (56..=73).contains(&note.key), "{note:?}");
        assert!((note.velocity - 0.7).abs() < 1e-3);
    }
    // Whatever sounds when the player comes back ends there.
    assert!(added.iter().all(|note| note.sample <= 7 * BAR + 1_000 + LATENCY), "{added:?}");
    assert_eq!(added_without_it(), []);
    // Another seed is another melody.
    let other =
        play(&mut rendering(&ON.replacen('{', r#"{"seed": {"i32": 5}, "#, 1)), &tune(), 9 * BAR, &[512]);
    assert!(other != played);
}

fn added_without_it() -> Vec<Note> {
    added(&play(&mut rendering("{}"), &tune(), 9 * BAR, &[4096]))
}

#[test]
fn it_is_the_same_in_blocks_of_any_size() {
    let len = 5 * BAR;
    let notes = &tune()[..16];
    let whole = play(&mut rendering(ON), notes, len, &[4096]);
    for blocks in [&[64][..], &[480, 1, 333, 4096, 7]] {
        assert!(play(&mut rendering(ON), notes, len, blocks) == whole, "blocks of {blocks:?}");
    }
}

#[test]
fn a_stop_a_jump_a_bypass_and_a_seam_leave_no_note_behind() {
    let stopped = Song { plays: false, ..Song::default() };
    let jumped = Song { beat: 64.0, ..Song::default() };
    let seam = Song { beat: 15.0, loop_beats: Some((0.0, 16.0)), ..Song::default() };
    for begin in [3 * BAR + 2_000, 3 * BAR + BAR / 2, 4 * BAR - QUARTER] {
        for (after, bypass) in [(stopped, 0.0), (jumped, 0.0), (stopped, 1.0), (seam, 0.0)] {
            let mut instance = rendering(ON);
            let mut played = play(&mut instance, &tune()[..16], begin, &[512]);
            instance.automate("Bypass", &[(0, bypass)]);
            played.extend(instance.play_song(begin, 4_096, &[], &after));
            for block in 0..4 {
                played.extend(instance.play_song(begin + 4_096 * (block + 1), 4_096, &[], &stopped));
            }
            assert_eq!(sounding(&played), 0, "{begin} {after:?} {bypass}");
        }
    }
}
