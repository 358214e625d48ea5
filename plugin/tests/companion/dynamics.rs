//! What the dynamics network does to velocities, and what it leaves.

use super::host::Note;
use super::{LATENCY, QUARTER, beat, play, rendering, sounding};

const LEN: i64 = 6 * 4 * QUARTER + 4_000;
const ON: &str = r#"{"feel": {"bool": false}, "dynamics": {"f32": 1.0}, "lock_snare": {"bool": true}}"#;

/// A beat, and a tune of even velocity, of six bars.
fn notes() -> Vec<Note> {
    let mut notes = beat(6);
    for eighth in 0..48 {
        let (at, key) = (eighth * QUARTER / 2, [60, 64, 67, 72][(eighth % 4) as usize]);
        notes.push(Note { channel: 0, ..Note::on(at, key, 80.0 / 127.0) });
        notes.push(Note { channel: 0, ..Note::off(at + 6_000, key) });
    }
    notes.sort_by_key(|note| (note.sample, note.is_on, note.channel, note.key));
    notes
}

#[test]
fn velocities_get_a_shape_in_place_and_a_locked_voice_does_not() {
    let mut played = play(&mut rendering(ON), &notes(), LEN, &[512]);
    played.sort_by_key(|note| (note.sample, note.is_on, note.channel, note.key));
    assert_eq!((sounding(&played), played.len()), (0, notes().len()));
    let mut changed = std::collections::BTreeMap::<(i16, i16), usize>::new();
    let mut tune = Vec::new();
    for (from, to) in notes().iter().zip(&played) {
        assert_eq!(Note { velocity: to.velocity, ..from.later(LATENCY) }, *to);
        if from.is_on && from.velocity != to.velocity {
            *changed.entry((from.channel, from.key)).or_default() += 1;
        }
        if from.is_on && from.channel == 0 {
            tune.push((127.0 * to.velocity).round());
        }
    }
    let of_tune: usize = changed.iter().filter(|(name, _)| name.0 == 0).map(|(_, count)| count).sum();
    assert!(of_tune >= 20 && changed[&(9, 42)] >= 10, "{changed:?}");
    assert_eq!(changed.get(&(9, 38)), None);
    // The shape keeps the level: it is a difference from the mean.
    let mean = tune[16..].iter().sum::<f32>() / (tune.len() - 16) as f32;
    assert!((mean - 80.0).abs() < 3.0, "{mean}");
}

#[test]
fn they_are_the_same_in_blocks_of_any_size() {
    let len = 3 * 4 * QUARTER;
    let whole = play(&mut rendering(ON), &notes(), len, &[4096]);
    for blocks in [&[64][..], &[480, 1, 333, 4096, 7]] {
        assert!(play(&mut rendering(ON), &notes(), len, blocks) == whole, "blocks of {blocks:?}");
    }
}
