//! From what the network says to velocities: a shape is added, and none is flattened.

use std::collections::BTreeMap;

use super::condition::{Conditions, N_STEPS, Note};
use crate::error::{Error, Result};

/// The highest velocity.
pub(super) const LOUDEST: f32 = 127.0;

/// New velocities for the notes of a piece.
///
/// To each velocity comes the difference of what the network says from its mean over the part; what the mood changes in that
/// mean moves the whole part. A part that would have less spread than it came with is stretched until it has as much, as far
/// as velocities from 1 to 127 allow.
///
/// # Arguments
/// * `conditions`: of [`super::conditions`].
/// * `outputs`: what the network says to each, 0 to 1.
/// * `neutral`: what it says with valence and arousal 0.
/// * `amount`: how much of the shape is added, 0 to 2.
///
/// # Errors
/// An amount that is out of range, or lists of the wrong lengths.
///
/// # Example
/// ```
/// use neurdsp_models::music::Timeline;
/// use neurdsp_models::music::dynamics::{Note, conditions, reshape};
/// let note = |tick| Note { tick, pitch: 60, velocity: 80, part: 0, drum: false, valence: 0.0, arousal: 0.0 };
/// let notes = [note(0), note(240)];
/// let asked = conditions(&Timeline::new(480, &[], &[])?, &notes)?;
/// let mut says = [0.5; 16];
/// says[0] = 0.6;
/// let louder = reshape(&notes, &asked, &[says], &[says], 1.0)?;
/// assert_eq!(louder, [86, 74]);
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
pub fn reshape(
    notes: &[Note],
    conditions: &Conditions,
    outputs: &[[f32; N_STEPS]],
    neutral: &[[f32; N_STEPS]],
    amount: f32,
) -> Result<Vec<u8>> {
    let wrong = |name: &str, got: String, expected: String| {
        Err(Error::OutOfRange { name: name.into(), got, expected })
    };
    if !(0.0..=2.0).contains(&amount) {
        return wrong("amount", amount.to_string(), "from 0 to 2".into());
    }
    let calls = conditions.inputs.len();
    if outputs.len() != calls || neutral.len() != calls || conditions.of_note.len() != notes.len() {
        return wrong(
            "the number of answers",
            format!("{} and {}", outputs.len(), neutral.len()),
            calls.to_string(),
        );
    }
    let mut parts: BTreeMap<(u32, u8), Vec<usize>> = BTreeMap::new();
    for (number, part) in conditions.part_of_note.iter().enumerate() {
        parts.entry(*part).or_default().push(number);
    }
    let said = |answers: &[[f32; N_STEPS]], at: usize| {
        LOUDEST * answers[conditions.of_note[at]][conditions.step_of_note[at]].clamp(0.0, 1.0)
    };
    let mut velocities: Vec<u8> = notes.iter().map(|note| note.velocity).collect();
    if amount == 0.0 {
        return Ok(velocities);
    }
    for members in parts.values() {
        let mean = |value: &dyn Fn(usize) -> f32| {
            members.iter().map(|&at| value(at)).sum::<f32>() / members.len() as f32
        };
        let level = mean(&|at| f32::from(notes[at].velocity));
        let usual = mean(&|at| said(neutral, at));
        let told = mean(&|at| said(outputs, at));
        let before: Vec<f32> = members.iter().map(|&at| f32::from(notes[at].velocity) - level).collect();
        let mut after: Vec<f32> =
            members.iter().zip(&before).map(|(&at, own)| own + amount * (said(outputs, at) - told)).collect();
        let (had, has) = (spread(&before), spread(&after));
        if has < had {
            // The shape cancelled what was there: with less of it, what was there prevails.
            let factor = if has > 0.1 * had { had / has } else { 1.0 };
            let source = if has > 0.1 * had { &after } else { &before };
            after = source.iter().map(|value| factor * value).collect();
        }
        let (low, high) =
            after.iter().fold((0.0_f32, 0.0_f32), |(low, high), &value| (low.min(value), high.max(value)));
        let fitting = f32::min(1.0, (LOUDEST - 1.0) / f32::max(high - low, 1.0));
        let (low, high) = (1.0 - fitting * low, LOUDEST - fitting * high);
        let moved = (level + amount * (told - usual)).clamp(low.min(high), high.max(low));
        for (&at, value) in members.iter().zip(&after) {
            velocities[at] = (moved + fitting * value).round().clamp(1.0, LOUDEST) as u8;
        }
    }
    Ok(velocities)
}

/// How far values that are 0 in the mean lie from it.
pub(super) fn spread(values: &[f32]) -> f32 {
    (values.iter().map(|value| value * value).sum::<f32>() / values.len() as f32).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Timeline;
    use crate::music::dynamics::conditions;

    fn notes(velocities: &[u8]) -> Vec<Note> {
        let note = |(step, &velocity)| Note {
            tick: 120 * step as u64,
            pitch: 60,
            velocity,
            part: 0,
            drum: false,
            valence: 0.0,
            arousal: 0.0,
        };
        velocities.iter().enumerate().map(note).collect()
    }

    fn shaped(velocities: &[u8], says: [f32; N_STEPS], neutral: [f32; N_STEPS], amount: f32) -> Vec<u8> {
        let notes = notes(velocities);
        let asked = conditions(&Timeline::new(480, &[], &[]).unwrap(), &notes).unwrap();
        let calls = asked.inputs.len();
        reshape(&notes, &asked, &vec![says; calls], &vec![neutral; calls], amount).unwrap()
    }

    fn spread_of(velocities: &[u8]) -> f32 {
        let mean = velocities.iter().map(|&value| f32::from(value)).sum::<f32>() / velocities.len() as f32;
        let power: f32 = velocities.iter().map(|&value| (f32::from(value) - mean).powi(2)).sum();
        (power / velocities.len() as f32).sqrt()
    }

    #[test]
    fn no_shape_takes_spread_away() {
        let came = [40, 90, 60, 110, 50, 100, 70, 120, 30, 80, 64, 96, 45, 85, 75, 105];
        let against: [f32; N_STEPS] = std::array::from_fn(|step| 1.0 - f32::from(came[step]) / 127.0);
        let flat = [0.5; N_STEPS];
        for says in [against, flat] {
            for amount in [0.3, 1.0, 2.0] {
                let found = shaped(&came, says, says, amount);
                assert!(spread_of(&found) > spread_of(&came) - 0.5, "{amount}: {found:?}");
            }
        }
    }

    #[test]
    fn a_flat_part_gets_the_shape_and_keeps_its_level() {
        let says: [f32; N_STEPS] = std::array::from_fn(|step| if step % 4 == 0 { 0.7 } else { 0.5 });
        let found = shaped(&[80; 16], says, says, 1.0);
        let mean = found.iter().map(|&value| f32::from(value)).sum::<f32>() / 16.0;
        assert!((mean - 80.0).abs() < 1.0);
        assert_eq!(i16::from(found[0]) - i16::from(found[1]), 25);
    }

    #[test]
    fn what_the_mood_changes_moves_the_whole_part() {
        let found = shaped(&[80; 16], [0.6; N_STEPS], [0.5; N_STEPS], 1.0);
        assert_eq!(found, [93; 16]);
    }

    #[test]
    fn amount_zero_changes_nothing_and_a_larger_one_than_two_is_refused() {
        let came = [1, 127, 64];
        assert_eq!(shaped(&came, [0.9; N_STEPS], [0.1; N_STEPS], 0.0), came);
        let asked = conditions(&Timeline::new(480, &[], &[]).unwrap(), &notes(&came)).unwrap();
        let answers = vec![[0.5; N_STEPS]; asked.inputs.len()];
        assert!(reshape(&notes(&came), &asked, &answers, &answers, 2.5).is_err());
    }
}
