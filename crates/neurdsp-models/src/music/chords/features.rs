//! What the harmony network is told of a half bar: the melody around it, and the chords before it.
//!
//! Everything is turned so that the key has no accidentals: the network knows one C major and one A minor, and
//! [`HarmonyFeatures::turned`] turns its chords back.
//!
//! | values | what |
//! |---|---|
//! | 0–11, 12–23 | durations and first pitch classes of the half bar |
//! | 24–35, 36–47, 48–59 | durations of the one before, the next and the one after that |
//! | 60–63 | downbeat; notes that begin, over 8; silence; whether the next half bars are known |
//! | 64 | minor key |
//! | 65–81, 82–98 | the chord before, and the one before that |
//! | 99–117 | the chord at the most similar earlier place, how many chords before it agree, over 4, and how similar its melody is |
//! | 118, 119 | half bars since the last change, over 8; whether the recalled chord is the one before |
//! | 120–123, 124–127 | the roots three and eight half bars before, on the circles of fifths and of semitones |

use super::chord::{Chord, Quality};
use super::key::Key;
use super::segments::Segment;

/// Values that the network takes.
pub const N_FEATURES: usize = 128;
/// Chords before a place that are compared.
const MAX_CONTEXT: usize = 4;
/// Half bars that are looked back.
const REACH: usize = 512;
/// Values of a chord.
const N_CODE: usize = 17;

/// The melody of a piece, turned to its key, and ready to be asked about.
#[derive(Clone, Debug)]
pub struct HarmonyFeatures {
    segments: Vec<Segment>,
    /// Durations of each half bar, scaled to length 1.
    directions: Vec<[f32; 12]>,
    key: Key,
    lookahead: bool,
}

impl HarmonyFeatures {
    /// Takes the melody of a piece.
    ///
    /// # Arguments
    /// * `lookahead`: whether the two next half bars may be looked at; not when they have not been played yet.
    #[must_use]
    pub fn new(segments: &[Segment], key: Key, lookahead: bool) -> HarmonyFeatures {
        let turn = usize::from(key.major_tonic());
        let rotate =
            |values: &[f32; 12]| -> [f32; 12] { std::array::from_fn(|class| values[(class + turn) % 12]) };
        let segments: Vec<Segment> = segments
            .iter()
            .map(|segment| Segment {
                durations: rotate(&segment.durations),
                first: rotate(&segment.first),
                ..*segment
            })
            .collect();
        let directions = segments.iter().map(|segment| scaled(&segment.durations)).collect();
        HarmonyFeatures { segments, directions, key, lookahead }
    }

    /// Half bars.
    #[must_use]
    pub fn len(&self) -> usize {
        self.segments.len()
    }

    /// Whether there are no half bars.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// The chord of the piece that the network's chord stands for.
    #[must_use]
    pub fn turned(&self, chord: Chord) -> Chord {
        chord.transposed(i32::from(self.key.major_tonic()))
    }

    /// The chord of the network that stands for a chord of the piece.
    #[must_use]
    pub fn turned_to_key(&self, chord: Chord) -> Chord {
        chord.transposed(-i32::from(self.key.major_tonic()))
    }

    /// Writes the features of a half bar.
    ///
    /// # Arguments
    /// * `index`: the half bar. Beyond the end nothing sounds.
    /// * `history`: the chords before it, turned to the key: at most `index` of them, the last one right before it.
    /// * `features`: where they go.
    pub fn write(&self, index: usize, history: &[Chord], features: &mut [f32; N_FEATURES]) {
        features.fill(0.0);
        let history = &history[history.len().saturating_sub(index)..];
        let none = Segment::default();
        let at = |index: Option<usize>| index.and_then(|index| self.segments.get(index)).unwrap_or(&none);
        let ahead = |by: usize| if self.lookahead { at(Some(index + by)) } else { &none };
        let now = at(Some(index));
        let windows = [
            &now.durations,
            &now.first,
            &at(index.checked_sub(1)).durations,
            &ahead(1).durations,
            &ahead(2).durations,
        ];
        for (place, values) in features.chunks_exact_mut(12).zip(windows) {
            place.copy_from_slice(values);
        }
        features[60] = f32::from(u8::from(now.downbeat));
        features[61] = now.onsets / 8.0;
        features[62] = f32::from(u8::from(now.durations.iter().all(|&length| length == 0.0)));
        features[63] = f32::from(u8::from(self.lookahead));
        features[64] = f32::from(u8::from(self.key.minor));
        let before = |by: usize| history.len().checked_sub(by).map(|at| history[at]);
        encode(before(1), &mut features[65..65 + N_CODE]);
        encode(before(2), &mut features[82..82 + N_CODE]);
        if let Some(recalled) = self.recall(index, history) {
            encode(Some(recalled.chord), &mut features[99..99 + N_CODE]);
            features[116] = recalled.context as f32 / MAX_CONTEXT as f32;
            features[117] = recalled.similarity;
            features[119] = f32::from(u8::from(before(1) == Some(recalled.chord)));
        }
        let held = history.iter().rev().take_while(|&&chord| Some(chord) == before(1)).count();
        features[118] = held.min(8) as f32 / 8.0;
        circles(before(3), &mut features[120..124]);
        circles(before(8), &mut features[124..128]);
    }

    /// The earlier place that is most like this one, in its melody and in the chords before it.
    fn recall(&self, index: usize, history: &[Chord]) -> Option<Recalled> {
        let n = history.len();
        let start = index - n;
        let mut best: Option<(f32, Recalled)> = None;
        for at in n.saturating_sub(REACH)..n {
            let context =
                (1..=MAX_CONTEXT).take_while(|&by| by <= at && history[at - by] == history[n - by]).count();
            let similarity = self.similarity(start + at, index);
            let next = if self.lookahead { self.similarity(start + at + 1, index + 1) } else { 0.0 };
            let score = 0.5 * context as f32 + similarity + 0.5 * next;
            // Of equal places the later one.
            if best.as_ref().is_none_or(|(most, _)| score >= *most) {
                best = Some((score, Recalled { chord: history[at], context, similarity }));
            }
        }
        best.map(|(_, recalled)| recalled)
    }

    /// How alike the melodies of two half bars are, 0 to 1; two silent ones are alike.
    fn similarity(&self, a: usize, b: usize) -> f32 {
        match (self.directions.get(a), self.directions.get(b)) {
            (Some(a), Some(b)) if a == b => 1.0,
            (Some(a), Some(b)) => a.iter().zip(b).map(|(a, b)| a * b).sum(),
            _ => 0.0,
        }
    }
}

struct Recalled {
    chord: Chord,
    context: usize,
    similarity: f32,
}

fn scaled(values: &[f32; 12]) -> [f32; 12] {
    let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
    values.map(|value| if length > 0.0 { value / length } else { 0.0 })
}

/// Root, minor, seventh, major seventh, no chord, other chord without a root.
fn encode(chord: Option<Chord>, code: &mut [f32]) {
    let Some(chord) = chord else { return };
    if let Some(root) = chord.root() {
        code[usize::from(root)] = 1.0;
    }
    match chord.quality() {
        Quality::Minor => code[12] = 1.0,
        Quality::Seventh => code[13] = 1.0,
        Quality::MinorSeventh => code[12..14].fill(1.0),
        Quality::MajorSeventh => code[13..15].fill(1.0),
        Quality::None => code[15] = 1.0,
        Quality::Augmented | Quality::Diminished | Quality::Suspended => code[16] = 1.0,
        Quality::Major => {}
    }
}

/// A root as points on the circles of fifths and of semitones.
fn circles(chord: Option<Chord>, places: &mut [f32]) {
    if let Some(root) = chord.and_then(Chord::root) {
        for (pair, steps) in places.chunks_exact_mut(2).zip([7, 1]) {
            let angle = f32::from(root * steps % 12) * std::f32::consts::TAU / 12.0;
            pair.copy_from_slice(&[angle.cos(), angle.sin()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(turn: usize) -> Vec<Segment> {
        (0..10_usize)
            .map(|at| {
                let mut segment = Segment { downbeat: at % 2 == 0, onsets: 2.0, ..Segment::default() };
                segment.durations[(at % 4 * 2 + turn) % 12] = 0.75;
                segment.durations[(at % 4 * 5 + turn) % 12] += 0.25;
                segment.first[(at % 4 * 2 + turn) % 12] = 1.0;
                segment
            })
            .collect()
    }

    fn chords(names: &str, turn: i32) -> Vec<Chord> {
        names.split(' ').map(|name| Chord::parse(name).unwrap().transposed(turn)).collect()
    }

    #[test]
    fn a_piece_in_another_key_has_the_same_features() {
        let mut rows = [[0.0; N_FEATURES]; 2];
        for (row, turn) in rows.iter_mut().zip([0, 5]) {
            let key = Key { tonic: (9 + turn as u8) % 12, minor: true };
            let features = HarmonyFeatures::new(&piece(turn), key, true);
            let history: Vec<Chord> = chords("Am F C G Am F C G Am", turn as i32)
                .into_iter()
                .map(|chord| features.turned_to_key(chord))
                .collect();
            assert_eq!(history[0].name(), "Am");
            features.write(9, &history, row);
        }
        assert_eq!(rows[0], rows[1]);
    }

    #[test]
    fn the_most_similar_earlier_place_is_recalled() {
        let features = HarmonyFeatures::new(&piece(0), Key { tonic: 0, minor: false }, true);
        let mut row = [0.0; N_FEATURES];
        features.write(9, &chords("Am F7 C G Am Fmaj7 C G Am", 0), &mut row);
        // Half bars 1 and 5 have this melody; 5 has the longer agreeing context, of three.
        assert_eq!(row[99 + 5], 1.0);
        assert_eq!((row[99 + 13], row[99 + 14], row[116], row[117]), (1.0, 1.0, 0.75, 1.0));
        assert_eq!((row[65 + 9], row[77], row[118]), (1.0, 1.0, 0.125));
    }

    #[test]
    fn without_lookahead_later_notes_change_nothing() {
        let key = Key { tonic: 0, minor: false };
        let history = chords("C G", 0);
        let mut rows = [[0.0; N_FEATURES]; 2];
        for (row, n) in rows.iter_mut().zip([3, 10]) {
            HarmonyFeatures::new(&piece(0)[..n], key, false).write(2, &history, row);
        }
        assert_eq!(rows[0], rows[1]);
    }
}
