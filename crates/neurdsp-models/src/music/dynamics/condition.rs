//! What the dynamics network is asked about the notes of a piece.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::music::groove::{group_of, voice_of};
use crate::music::timeline::Timeline;

/// Values of a condition.
pub const N_CONDITION: usize = 32;
/// Steps of a window: four for each quarter note.
pub const N_STEPS: usize = 16;

const MAX_NOTES: usize = 1 << 20;
const STEPS_OF_QUARTER: f64 = 4.0;

/// A note of a piece.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Note {
    /// When it begins.
    pub tick: u64,
    /// 0 to 127; 60 is middle C.
    pub pitch: u8,
    /// 1 to 127.
    pub velocity: u8,
    /// Number of its part: a track and channel. The voices of a drum part are told apart by themselves.
    pub part: u32,
    /// Whether it is a drum.
    pub drum: bool,
    /// Mood of its place, each −1 to 1.
    pub valence: f32,
    /// See `valence`.
    pub arousal: f32,
}

/// The questions for a piece.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    /// Of each call.
    pub inputs: Vec<[f32; N_CONDITION]>,
    /// The number of the call of each note.
    pub of_note: Vec<usize>,
    /// The step of each note in its window.
    pub step_of_note: Vec<usize>,
    /// A number for the part of each note, drums by what they are.
    pub(super) part_of_note: Vec<(u32, u8)>,
}

/// What the network is asked about each note.
///
/// # Errors
/// More than a million notes, or a velocity of 0 or a mood that is not within −1 to 1.
///
/// # Example
/// ```
/// use neurdsp_models::music::Timeline;
/// use neurdsp_models::music::dynamics::{Note, conditions};
/// let note = |tick| Note { tick, pitch: 60, velocity: 80, part: 0, drum: false, valence: 0.0, arousal: 0.5 };
/// let found = conditions(&Timeline::new(480, &[], &[])?, &[note(0), note(240)])?;
/// assert_eq!((found.inputs.len(), found.step_of_note), (1, vec![0, 2]));
/// assert_eq!(found.inputs[0][..3], [0.0, 0.5, 0.25]);
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
pub fn conditions(timeline: &Timeline, notes: &[Note]) -> Result<Conditions> {
    check(notes)?;
    let mut found = Conditions::default();
    // By window and part: the numbers of its notes.
    let mut calls: BTreeMap<(u64, (u32, u8)), Vec<usize>> = BTreeMap::new();
    let mut in_window: BTreeMap<u64, usize> = BTreeMap::new();
    let mut levels: BTreeMap<(u32, u8), Vec<f32>> = BTreeMap::new();
    for (number, note) in notes.iter().enumerate() {
        let place = timeline.place(nearest_step(timeline, note.tick));
        let part = (note.part, if note.drum { voice_of(note.pitch).map_or(6, group_of) } else { 5 });
        calls.entry((place.window, part)).or_default().push(number);
        *in_window.entry(place.window).or_default() += 1;
        levels.entry(part).or_default().push(f32::from(note.velocity));
        found.step_of_note.push(((place.quarters * STEPS_OF_QUARTER).round() as usize).min(N_STEPS - 1));
        found.part_of_note.push(part);
    }
    let levels: BTreeMap<_, _> =
        levels.into_iter().map(|(part, values)| (part, mean_and_spread(&values))).collect();
    found.of_note = vec![0; notes.len()];
    for ((window, part), members) in calls {
        let steps = &found.step_of_note;
        let first = notes[members[0]];
        let mut values = [0.0; N_CONDITION];
        let pitch = members.iter().map(|&at| f32::from(notes[at].pitch)).sum::<f32>() / members.len() as f32;
        let (mean, spread) = levels[&part];
        values[0] = first.valence;
        values[1] = first.arousal;
        values[2] = mean / 64.0 - 1.0;
        values[3] = spread / 32.0;
        values[4] = (60_000.0 / timeline.quarter_ms(first.tick).max(1.0) / 120.0 - 1.0) as f32;
        values[5] = (in_window[&window] as f32 / 16.0 - 1.0).min(3.0);
        if first.drum {
            values[7] = 1.0;
            if part.1 < 5 {
                values[8 + usize::from(part.1)] = 1.0;
            }
        } else {
            values[6] = pitch / 64.0 - 1.0;
            values[if pitch < 48.0 {
                13
            } else if pitch < 72.0 {
                14
            } else {
                15
            }] = 1.0;
        }
        for &at in &members {
            let above = if first.drum { 0.0 } else { (f32::from(notes[at].pitch) - pitch) / 24.0 };
            let place = &mut values[16 + steps[at]];
            *place = if *place == 0.0 { 1.0 + above } else { place.max(1.0 + above) };
            found.of_note[at] = found.inputs.len();
        }
        found.inputs.push(values);
    }
    Ok(found)
}

/// The tick of the step that is nearest to a tick.
fn nearest_step(timeline: &Timeline, tick: u64) -> f64 {
    let within = timeline.place(tick as f64).quarters * STEPS_OF_QUARTER;
    let moved = (within.round() - within) / STEPS_OF_QUARTER * timeline.ticks_per_quarter();
    (tick as f64 + moved).max(0.0)
}

fn mean_and_spread(values: &[f32]) -> (f32, f32) {
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    let power = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / values.len() as f32;
    (mean, power.sqrt())
}

fn check(notes: &[Note]) -> Result<()> {
    let wrong = |name: &str, got: String, expected: &str| {
        Err(Error::OutOfRange { name: name.into(), got, expected: expected.into() })
    };
    if notes.len() > MAX_NOTES {
        return wrong("the number of notes", notes.len().to_string(), "at most 1048576");
    }
    for note in notes {
        if !(1..=127).contains(&note.velocity) {
            return wrong("the velocity", note.velocity.to_string(), "1 to 127");
        }
        if note.tick >= 1 << 48 {
            return wrong("the tick", note.tick.to_string(), "below 2^48");
        }
        for (name, value) in [("valence", note.valence), ("arousal", note.arousal)] {
            if !(-1.0..=1.0).contains(&value) {
                return wrong(name, value.to_string(), "from -1 to 1");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(tick: u64, pitch: u8, drum: bool) -> Note {
        Note { tick, pitch, velocity: 90, part: 0, drum, valence: 0.0, arousal: 0.0 }
    }

    #[test]
    fn voices_of_a_kit_are_asked_apart_and_those_of_a_chord_together() {
        let timeline = Timeline::new(480, &[], &[]).unwrap();
        let kit =
            conditions(&timeline, &[note(0, 36, true), note(0, 42, true), note(960, 46, true)]).unwrap();
        assert_eq!(kit.of_note, [0, 1, 1]);
        assert_eq!(kit.inputs[1][7..13], [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        let chord = conditions(&timeline, &[note(0, 60, false), note(0, 72, false)]).unwrap();
        assert_eq!(chord.of_note, [0, 0]);
        assert!((chord.inputs[0][16] - 1.25).abs() < 1e-6);
    }

    #[test]
    fn an_early_note_is_on_the_first_step_of_the_next_bar() {
        let timeline = Timeline::new(480, &[], &[]).unwrap();
        let found = conditions(&timeline, &[note(1_910, 60, false), note(1_930, 60, false)]).unwrap();
        assert_eq!((found.of_note, found.step_of_note), (vec![0, 0], vec![0, 0]));
    }

    #[test]
    fn a_mood_out_of_range_is_refused_by_name() {
        let timeline = Timeline::new(480, &[], &[]).unwrap();
        let loud = Note { arousal: 1.5, ..note(0, 60, false) };
        assert_eq!(
            conditions(&timeline, &[loud]).unwrap_err().to_string(),
            "arousal is 1.5, but must be from -1 to 1"
        );
    }
}
