//! What comes with each token of the melody network: where in the bar the next one falls, the meter, the key and the chord.
//!
//! | values | what |
//! |---|---|
//! | 0–23 | place in the bar, in sixteenths |
//! | 24–31 | sixteenths of a bar: 6, 8, 12, 16, 18, 20, 24, or another number |
//! | 32 | compound meter: beats of three eighths |
//! | 33–44, 45 | tonic; minor |
//! | 46–57, 58 | pitch classes of the chord; whether a chord is known |
//! | 59–63 | 0 |

use super::super::chords::{Chord, Key};

/// Values of a condition.
pub const N_CONDITION: usize = 64;
const PLACES: usize = 24;
const BARS: [u8; 7] = [6, 8, 12, 16, 18, 20, 24];

/// The surroundings of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surroundings {
    /// Place in the bar, in sixteenths from 0.
    pub place: u32,
    /// Sixteenths of a bar.
    pub bar: u8,
    /// Whether the beats have three eighths, as in 6/8.
    pub compound: bool,
    /// The key, if it is known.
    pub key: Option<Key>,
    /// The chord, if it is known.
    pub chord: Option<Chord>,
}

impl Surroundings {
    /// The surroundings of the same step in a melody moved by semitones, up or down.
    #[must_use]
    pub fn transposed(&self, semitones: i32) -> Surroundings {
        Surroundings {
            key: self.key.map(|key| key.transposed(semitones)),
            chord: self.chord.map(|chord| chord.transposed(semitones)),
            ..*self
        }
    }

    /// Writes the condition.
    ///
    /// # Example
    /// ```
    /// use neurdsp_models::music::tunes::Surroundings;
    /// let mut condition = [0.0; 64];
    /// let in_four = Surroundings { place: 4, bar: 16, compound: false, key: None, chord: None };
    /// in_four.write(&mut condition);
    /// assert_eq!((condition[4], condition[27]), (1.0, 1.0));
    /// ```
    pub fn write(&self, condition: &mut [f32; N_CONDITION]) {
        condition.fill(0.0);
        condition[self.place as usize % PLACES] = 1.0;
        let bar = BARS.iter().position(|&bar| bar == self.bar).unwrap_or(BARS.len());
        condition[PLACES + bar] = 1.0;
        condition[32] = f32::from(u8::from(self.compound));
        if let Some(key) = self.key {
            condition[33 + usize::from(key.tonic % 12)] = 1.0;
            condition[45] = f32::from(u8::from(key.minor));
        }
        if let Some(chord) = self.chord {
            let tones = chord.tones();
            for class in 0..12 {
                condition[46 + class] = f32::from(tones >> class & 1);
            }
            // Of an augmented, diminished or suspended chord the tones are not known.
            condition[58] = f32::from(u8::from(tones != 0 || chord == Chord::NONE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_places_of_its_own() {
        let mut condition = [9.0; N_CONDITION];
        let key = Some(Key { tonic: 9, minor: true });
        let chord = Chord::parse("F");
        Surroundings { place: 23, bar: 14, compound: true, key, chord }.write(&mut condition);
        let set: Vec<usize> = (0..N_CONDITION).filter(|&at| condition[at] != 0.0).collect();
        assert_eq!(set, [23, 31, 32, 42, 45, 46, 51, 55, 58]);
    }
}
