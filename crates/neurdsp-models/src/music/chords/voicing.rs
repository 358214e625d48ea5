//! Notes for chords: a bass and up to three voices that move as little as they can.

use super::chord::{Chord, Quality};
use super::segments::Segment;

/// The range of the bass, as MIDI pitches.
const BASS: std::ops::RangeInclusive<u8> = 36..=51;
/// The range of the other voices.
const UPPER: std::ops::RangeInclusive<u8> = 52..=76;
/// Where the first chord likes to lie.
const HOME: [i32; 3] = [57, 62, 66];
/// Semitones that each movement of the bass counts for, of those of the others.
const SPREAD_LIMIT: u8 = 12;

/// The notes of a chord, from the bass up; none for no chord.
pub type Voicing = Vec<u8>;

/// The root and the quality of a chord. One that names no root gets the root whose tones cover most of the melody and of
/// the chord before.
#[must_use]
pub fn resolve(chord: Chord, segment: &Segment, before: u16) -> Option<(u8, Quality)> {
    let quality = chord.quality();
    if quality == Quality::None {
        return None;
    }
    if let Some(root) = chord.root() {
        return Some((root, quality));
    }
    let fit = |root: u8| -> f32 {
        let of_interval = |interval: &u8| {
            let class = usize::from((root + interval) % 12);
            segment.durations[class] + 0.25 * f32::from(before >> class & 1)
        };
        quality.intervals().iter().map(of_interval).sum()
    };
    // Of equal roots the lowest.
    let best = (0..12_u8).rev().max_by(|&a, &b| fit(a).total_cmp(&fit(b)))?;
    Some((best, quality))
}

/// Gives each chord notes. A voice moves to the nearest tone; all tones of the chord are there; no voices cross.
///
/// # Arguments
/// * `segments`: the melody; it tells the roots of chords that name none.
#[must_use]
pub fn voice(chords: &[Chord], segments: &[Segment]) -> Vec<Voicing> {
    let (mut upper, mut bass, mut tones) = (HOME, 43_i32, 0_u16);
    let mut voiced: Vec<Voicing> = Vec::with_capacity(chords.len());
    let silence = Segment::default();
    for (at, &chord) in chords.iter().enumerate() {
        // A chord that goes on keeps its notes.
        if let (Some(last), true) =
            (voiced.last(), at > 0 && chords[at - 1] == chord && chord.root().is_some())
        {
            voiced.push(last.clone());
            continue;
        }
        let Some((root, quality)) = resolve(chord, segments.get(at).unwrap_or(&silence), tones) else {
            voiced.push(Voicing::new());
            continue;
        };
        bass = nearest_bass(root, bass);
        upper = nearest_upper(root, quality, upper);
        tones = super::chord::pitch_classes(root, quality);
        let mut notes: Voicing = std::iter::once(bass).chain(upper).map(|pitch| pitch as u8).collect();
        notes.dedup();
        voiced.push(notes);
    }
    voiced
}

fn nearest_bass(root: u8, before: i32) -> i32 {
    let fits = BASS.filter(|pitch| pitch % 12 == root).map(i32::from);
    fits.min_by_key(|pitch| (pitch - before).abs()).unwrap_or(before)
}

/// Three pitches, ascending: all tones of a triad, or the third, the seventh and the fifth or the root of a seventh chord,
/// whose root the bass has.
fn nearest_upper(root: u8, quality: Quality, before: [i32; 3]) -> [i32; 3] {
    let intervals = quality.intervals();
    let classes: [u8; 3] = match *intervals {
        [_, third, fifth, seventh] => [third, fifth, seventh],
        [first, third, fifth] => [first, third, fifth],
        _ => [0; 3],
    }
    .map(|interval| (root + interval) % 12);
    let mut best = (i32::MAX, before);
    for [a, b, c] in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        for low in UPPER.filter(|pitch| pitch % 12 == classes[a]) {
            // Close position: each voice is the next tone of its class above.
            let middle = above(low, classes[b]);
            let high = above(middle, classes[c]);
            if !UPPER.contains(&high) || high - low > SPREAD_LIMIT {
                continue;
            }
            let found = [low, middle, high].map(i32::from);
            let moved = found.iter().zip(before).map(|(now, then)| (now - then).abs()).sum();
            if moved < best.0 {
                best = (moved, found);
            }
        }
    }
    best.1
}

/// The lowest pitch of a class above a pitch.
fn above(pitch: u8, class: u8) -> u8 {
    pitch + 1 + (class + 24 - (pitch + 1) % 12) % 12
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &str) -> Vec<Chord> {
        names.split(' ').map(|name| Chord::parse(name).unwrap()).collect()
    }

    #[test]
    fn every_voicing_holds_the_tones_of_its_chord_over_its_root() {
        let chords: Vec<Chord> = Chord::all().collect();
        let silent = vec![Segment::default(); chords.len()];
        for (chord, notes) in chords.iter().zip(voice(&chords, &silent)) {
            let classes = notes.iter().fold(0_u16, |bits, pitch| bits | 1 << (pitch % 12));
            match chord.root() {
                Some(root) => {
                    assert_eq!((classes, notes[0] % 12), (chord.tones(), root), "{}", chord.name());
                }
                None if *chord == Chord::NONE => assert!(notes.is_empty()),
                None => assert_eq!(classes.count_ones(), 3),
            }
            assert!(notes.is_sorted_by(|a, b| a < b), "{notes:?}");
        }
    }

    #[test]
    fn voices_move_less_than_in_root_position() {
        let chords = named("C Am F G Em Am Dm7 G7 C");
        let voiced = voice(&chords, &[]);
        let moved: i32 = voiced
            .windows(2)
            .flat_map(|pair| pair[0][1..].iter().zip(&pair[1][1..]))
            .map(|(a, b)| (i32::from(*a) - i32::from(*b)).abs())
            .sum();
        // In root position the three voices move 120 semitones.
        assert!(moved <= 40, "{moved}");
    }

    #[test]
    fn a_chord_without_a_root_takes_the_one_under_the_melody() {
        let mut segment = Segment::default();
        for class in [2, 5, 8] {
            segment.durations[class] = 0.3;
        }
        let diminished = Chord::parse("dim").unwrap();
        assert_eq!(resolve(diminished, &segment, 0), Some((2, Quality::Diminished)));
    }
}
