//! Chords that follow a melody: where they sound, and that they end.

use super::host::{Note, Song};
use super::{LATENCY, QUARTER, play, rendering, sounding};

const LEN: i64 = 4 * 4 * QUARTER + 4_000;
const HALF_BAR: i64 = 2 * QUARTER;
const ON: &str = r#"{"chords": {"bool": true}}"#;

/// A tune in C of four bars.
fn tune() -> Vec<Note> {
    let keys = [60, 64, 67, 64, 65, 69, 72, 69, 67, 71, 74, 71, 72, 67, 64, 60];
    let mut notes = Vec::new();
    for (at, key) in (0..).zip(keys) {
        notes.push(Note { channel: 0, ..Note::on(at * QUARTER, key, 0.7) });
        notes.push(Note { channel: 0, ..Note::off(at * QUARTER + 20_000, key) });
    }
    notes
}

/// The notes of a channel.
fn of(played: &[Note], channel: i16) -> Vec<Note> {
    played.iter().filter(|note| note.channel == channel).copied().collect()
}

#[test]
fn chords_begin_with_half_bars_on_their_channel_and_the_melody_stays() {
    let played = play(&mut rendering(ON), &tune(), LEN, &[512]);
    let late: Vec<Note> = tune().into_iter().map(|note| note.later(LATENCY)).collect();
    assert_eq!(of(&played, 0), late);
    let chords = of(&played, 1);
    assert_eq!(played.len(), late.len() + chords.len());
    let starts: Vec<Note> = chords.iter().filter(|note| note.is_on).copied().collect();
    assert!(starts.len() >= 9, "{starts:?}");
    let places = starts.iter().map(|note| (note.sample - LATENCY) % HALF_BAR);
    assert!(places.clone().all(|place| place <= 1), "{:?}", places.collect::<Vec<_>>());
    assert!(starts.iter().all(|note| [0, 2, 4, 5, 7, 9, 11].contains(&(note.key % 12))), "{starts:?}");
    // Without the switch there are none.
    assert_eq!(of(&play(&mut rendering("{}"), &tune(), LEN, &[512]), 1), []);
}

#[test]
fn they_are_the_same_in_blocks_of_any_size() {
    let whole = play(&mut rendering(ON), &tune(), LEN, &[4096]);
    for blocks in [&[64][..], &[480, 1, 333, 4096, 7]] {
        assert!(play(&mut rendering(ON), &tune(), LEN, blocks) == whole, "blocks of {blocks:?}");
    }
}

#[test]
fn a_chord_that_sounds_ends_once_where_the_song_stops_jumps_or_is_bypassed() {
    let stopped = Song { plays: false, ..Song::default() };
    for (after, bypass) in [(stopped, 0.0), (Song { beat: 64.0, ..Song::default() }, 0.0), (stopped, 1.0)] {
        let mut instance = rendering(ON);
        let begin = 3 * QUARTER;
        let mut played = play(&mut instance, &tune(), begin, &[512]);
        assert!(sounding(&of(&played, 1)) >= 3);
        instance.automate("Bypass", &[(0, bypass)]);
        played.extend(instance.play_song(begin, 4_096, &[], &after));
        for block in 0..4 {
            played.extend(instance.play_song(begin + 4_096 * (block + 1), 4_096, &[], &stopped));
        }
        assert_eq!(sounding(&of(&played, 1)), 0, "{after:?} {bypass}");
    }
}
