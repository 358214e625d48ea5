//! What the feel does to notes, and what it leaves.

use super::host::{Module, Note, noise};
use super::{LATENCY, QUARTER, RATE, beat, class, play, rendering, sounding};

const LEN: i64 = 4 * 4 * QUARTER + 4_000;

fn starts(played: &[Note]) -> Vec<Note> {
    played.iter().filter(|note| note.is_on).copied().collect()
}

#[test]
fn amount_zero_a_bypass_and_a_switched_off_feel_return_the_notes_to_the_bit_and_the_latency() {
    let notes = beat(2);
    let expected: Vec<Note> = notes.iter().map(|note| note.later(LATENCY)).collect();
    for parameters in
        [r#"{"amount": {"f32": 0.0}}"#, r#"{"bypass": {"bool": true}}"#, r#"{"feel": {"bool": false}}"#]
    {
        let mut instance = rendering(parameters);
        assert_eq!(i64::from(instance.latency()), LATENCY);
        let mut played = play(&mut instance, &notes, LEN, &[512]);
        played.sort_by_key(|note| (note.sample, note.is_on));
        assert_eq!(played, expected, "{parameters}");
    }
}

#[test]
fn hits_move_within_the_latency_and_what_no_kit_has_does_not() {
    let notes = beat(4);
    let mut instance = rendering("{}");
    let played = play(&mut instance, &notes, LEN, &[512]);
    assert_eq!(sounding(&played), 0);
    let (before, after) = (starts(&notes), starts(&played));
    assert_eq!(before.len(), after.len());
    let (mut early, mut late, mut louder) = (0, 0, 0);
    for key in [36, 38, 42, 63] {
        let own =
            |notes: &[Note]| -> Vec<Note> { notes.iter().filter(|note| note.key == key).copied().collect() };
        for (from, to) in own(&before).iter().zip(own(&after)) {
            let shift = to.sample - from.sample - LATENCY;
            assert!((-1440..=3_000).contains(&shift), "{key}: {shift}");
            if key == 63 {
                assert_eq!((shift, to.velocity), (0, from.velocity));
            }
            early += i32::from(shift < -48);
            late += i32::from(shift > 48);
            louder += i32::from(to.velocity != from.velocity);
        }
    }
    // From the first beat on: the answers about it are there before it is decided.
    assert!(early > 10 && late > 5 && louder > 30, "{early} {late} {louder}");
    assert!(after[0].sample != LATENCY || after[1].sample != LATENCY);
}

#[test]
fn blocks_of_any_size_and_two_renders_give_the_same_notes() {
    let notes = beat(3);
    let whole = play(&mut rendering("{}"), &notes, LEN, &[4096]);
    assert!(play(&mut rendering("{}"), &notes, LEN, &[4096]) == whole);
    for blocks in [&[64][..], &[480, 1, 333, 4096, 7]] {
        assert!(play(&mut rendering("{}"), &notes, LEN, blocks) == whole, "blocks of {blocks:?}");
    }
    let short = 3 * QUARTER;
    let begin: Vec<Note> = whole.iter().filter(|note| note.sample < short).copied().collect();
    assert!(play(&mut rendering("{}"), &notes, short, &[1]) == begin);
    // Another seed is another take.
    assert!(play(&mut rendering(r#"{"seed": {"i32": 7}}"#), &notes, LEN, &[4096]) != whole);
}

#[test]
fn late_only_has_no_latency_and_no_early_hit_and_a_lock_keeps_its_voice() {
    let notes = beat(4);
    let mut instance = rendering(r#"{"late_only": {"bool": true}, "lock_kick": {"bool": true}}"#);
    assert_eq!(instance.latency(), 0);
    let played = play(&mut instance, &notes, LEN, &[480]);
    let own =
        |notes: &[Note], key| -> Vec<Note> { notes.iter().filter(|note| note.key == key).copied().collect() };
    assert_eq!(own(&played, 36), own(&notes, 36));
    let hats = own(&starts(&played), 42);
    let shifts: Vec<i64> =
        hats.iter().zip(own(&starts(&notes), 42)).map(|(to, from)| to.sample - from.sample).collect();
    assert!(shifts.iter().all(|shift| *shift >= 0) && shifts.iter().any(|shift| *shift > 48), "{shifts:?}");
}

#[test]
fn the_sound_passes_as_late_as_the_notes() {
    let module = Module::load();
    let mut instance = module.create_class(class(&module));
    instance.start(RATE, 512);
    let signal = noise(6_000, 0.5);
    let [left, right] = instance.play_both(&signal, &signal, 512);
    let late = LATENCY as usize;
    assert!(
        left[late..] == signal[..6_000 - late] && left[..late].iter().all(|x| *x == 0.0) && left == right
    );
}
