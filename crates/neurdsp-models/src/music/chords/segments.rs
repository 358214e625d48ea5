//! A melody cut into half bars, and what sounds in each.

use super::chord::Chord;
use super::key::Key;
use crate::error::{Error, Result};

/// Longest piece that is taken, in half bars: about five hours at 120 beats a minute.
pub const MAX_SEGMENTS: usize = 1 << 14;
/// Most notes that are taken.
const MAX_NOTES: usize = 1 << 20;

/// A note of a melody; times are in quarter notes, or any other unit that all share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MelodyNote {
    /// Where it begins.
    pub start: f64,
    /// Where it ends.
    pub end: f64,
    /// MIDI pitch, 0 to 127.
    pub pitch: u8,
}

/// What sounds in a half bar.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Segment {
    /// Share of the half bar in which each pitch class sounds, bit by bit 0 to 1.
    pub durations: [f32; 12],
    /// Pitch classes that sound as it begins: 1, or 0.
    pub first: [f32; 12],
    /// Notes that begin in it.
    pub onsets: f32,
    /// Whether it begins a bar.
    pub downbeat: bool,
}

/// Cuts a melody.
///
/// # Arguments
/// * `bounds`: where the half bars begin, ascending, and where the last one ends.
/// * `downbeats`: for each half bar, whether it begins a bar.
///
/// # Errors
/// [`Error::OutOfRange`] for bounds that do not ascend, too many of them or of the notes, or a time that is no number.
///
/// # Example
/// ```
/// use neurdsp_models::music::chords::{MelodyNote, segments};
/// let notes = [MelodyNote { start: 0.0, end: 3.0, pitch: 60 }];
/// let cut = segments(&notes, &[0.0, 2.0, 4.0], &[true, false])?;
/// assert_eq!((cut[0].durations[0], cut[1].durations[0], cut[1].onsets), (1.0, 0.5, 0.0));
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
pub fn segments(notes: &[MelodyNote], bounds: &[f64], downbeats: &[bool]) -> Result<Vec<Segment>> {
    let wrong = |name: &str, got: String, expected: String| {
        Err(Error::OutOfRange { name: name.into(), got, expected })
    };
    let n = downbeats.len();
    if n > MAX_SEGMENTS {
        return wrong("the number of half bars", n.to_string(), format!("at most {MAX_SEGMENTS}"));
    }
    if bounds.len() != n + 1 || !bounds.iter().all(|at| at.is_finite()) || !bounds.is_sorted_by(|a, b| a < b)
    {
        return wrong("bounds", format!("{} times", bounds.len()), format!("{} ascending times", n + 1));
    }
    if notes.len() > MAX_NOTES {
        return wrong("the number of notes", notes.len().to_string(), format!("at most {MAX_NOTES}"));
    }
    let mut cut: Vec<Segment> =
        downbeats.iter().map(|&downbeat| Segment { downbeat, ..Segment::default() }).collect();
    for note in notes {
        if !(note.start.is_finite() && note.end.is_finite()) || note.pitch > 127 {
            return wrong("a note", format!("{note:?}"), "a pitch of 0 to 127 between two times".into());
        }
        let class = usize::from(note.pitch % 12);
        let mut at = bounds.partition_point(|&bound| bound <= note.start).saturating_sub(1);
        while at < n && bounds[at] < note.end {
            let (begin, end) = (bounds[at], bounds[at + 1]);
            let (from, to) = (note.start.max(begin), note.end.min(end));
            let segment = &mut cut[at];
            if to > from {
                segment.durations[class] =
                    (segment.durations[class] + ((to - from) / (end - begin)) as f32).min(1.0);
                // A note that comes a little late still counts as the first.
                if from - begin < 0.125 * (end - begin) && to - begin > 0.125 * (end - begin) {
                    segment.first[class] = 1.0;
                }
            }
            if note.start >= begin && note.start < end {
                segment.onsets += 1.0;
            }
            at += 1;
        }
    }
    Ok(cut)
}

/// How long each pitch class sounds, in half bars.
#[must_use]
pub fn total_durations(segments: &[Segment]) -> [f32; 12] {
    let mut total = [0.0; 12];
    for segment in segments {
        for (sum, length) in total.iter_mut().zip(segment.durations) {
            *sum += length;
        }
    }
    total
}

/// The key of a melody.
#[must_use]
pub fn key_of(segments: &[Segment]) -> Key {
    Key::estimate(&total_durations(segments))
}

/// Part of the melody's time that is on tones of its chords, 0 to 1. Half bars whose chord names no root do not count.
#[must_use]
pub fn chord_tone_share(segments: &[Segment], chords: &[Chord]) -> f32 {
    let (mut on, mut all) = (0.0, 0.0);
    for (segment, chord) in segments.iter().zip(chords).filter(|(_, chord)| chord.root().is_some()) {
        on += covered(segment, chord.tones());
        all += segment.durations.iter().sum::<f32>();
    }
    if all > 0.0 { on / all } else { 0.0 }
}

/// Share of a half bar in which pitch classes of a set sound; with several at once, their sum.
pub(super) fn covered(segment: &Segment, tones: u16) -> f32 {
    (0..12).filter(|class| tones >> class & 1 == 1).map(|class| segment.durations[class]).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_note_lands_in_the_half_bars_that_it_covers() {
        let notes = [
            MelodyNote { start: -1.0, end: 0.5, pitch: 62 },
            MelodyNote { start: 1.0, end: 5.0, pitch: 64 },
            MelodyNote { start: 7.0, end: 99.0, pitch: 65 },
        ];
        let cut = segments(&notes, &[0.0, 2.0, 4.0, 6.0, 8.0], &[true, false, true, false]).unwrap();
        let at = |segment: usize, class: usize| cut[segment].durations[class];
        assert_eq!((at(0, 2), at(0, 4), at(1, 4), at(2, 4), at(3, 5)), (0.25, 0.5, 1.0, 0.5, 0.5));
        assert_eq!(cut.iter().map(|segment| segment.onsets).collect::<Vec<_>>(), [1.0, 0.0, 0.0, 1.0]);
        assert_eq!((cut[1].first[4], cut[3].first[5], cut[0].first[2]), (1.0, 0.0, 1.0));
        assert_eq!(total_durations(&cut)[4], 2.0);
    }

    #[test]
    fn what_is_out_of_range_is_refused() {
        assert!(segments(&[], &[0.0, 0.0], &[true]).is_err());
        assert!(segments(&[], &[0.0, f64::NAN], &[true]).is_err());
        assert!(segments(&[], &[0.0], &[true]).is_err());
        assert!(segments(&[], &[0.0], &[]).unwrap().is_empty());
        let note = MelodyNote { start: f64::NAN, end: 1.0, pitch: 1 };
        assert!(segments(&[note], &[0.0, 1.0], &[true]).is_err());
        assert!(segments(&[], &[], &vec![true; MAX_SEGMENTS + 1]).is_err());
    }

    #[test]
    fn the_share_on_chord_tones_is_weighted_by_time() {
        let notes =
            [MelodyNote { start: 0.0, end: 3.0, pitch: 60 }, MelodyNote { start: 3.0, end: 4.0, pitch: 62 }];
        let cut = segments(&notes, &[0.0, 4.0], &[true]).unwrap();
        let chord = Chord::parse("C").unwrap();
        assert_eq!(chord_tone_share(&cut, &[chord]), 0.75);
        assert_eq!(chord_tone_share(&cut, &[Chord::NONE]), 0.0);
    }
}
