//! The key of a piece: given by name, or told from how long each pitch class sounds.
//!
//! Source: C. L. Krumhansl, "Cognitive foundations of musical pitch", 1990; the weights are those of D. Temperley, "What's
//! key for key?", Music Perception 17 (1999).

use super::chord::parse_pitch_class;

/// Weights of the pitch classes above the tonic of a major and of a minor key.
const PROFILES: [[f32; 12]; 2] = [
    [5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0],
    [5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0],
];

const NAMES: [&str; 12] = ["C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B"];

/// A major or a minor key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The pitch class of the tonic, 0 to 11 from C.
    pub tonic: u8,
    /// Whether it is minor.
    pub minor: bool,
}

impl Key {
    /// The key in whose scale the pitch classes fit best.
    ///
    /// # Arguments
    /// * `durations`: how long each pitch class sounds, in any unit. Without any the key is C major.
    ///
    /// # Example
    /// ```
    /// use neurdsp_models::music::chords::Key;
    /// let mut durations = [0.0; 12];
    /// for (pitch_class, beats) in [(9, 4.0), (11, 1.0), (0, 3.0), (4, 2.0), (7, 0.5)] {
    ///     durations[pitch_class] = beats;
    /// }
    /// assert_eq!(Key::estimate(&durations).name(), "Am");
    /// ```
    #[must_use]
    pub fn estimate(durations: &[f32; 12]) -> Key {
        let mut best = (f32::NEG_INFINITY, Key { tonic: 0, minor: false });
        for minor in [false, true] {
            let profile = &PROFILES[usize::from(minor)];
            let mean = profile.iter().sum::<f32>() / 12.0;
            let norm = profile.iter().map(|weight| (weight - mean).powi(2)).sum::<f32>().sqrt();
            for tonic in 0..12_u8 {
                let fit = |class: usize| (profile[(class + 12 - usize::from(tonic)) % 12] - mean) / norm;
                let score: f32 =
                    durations.iter().enumerate().map(|(class, length)| length * fit(class)).sum();
                if score > best.0 {
                    best = (score, Key { tonic, minor });
                }
            }
        }
        best.1
    }

    /// The key of a name: `C`, `F#`, `Bbm`, `A minor` or `Eb major`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Key> {
        let (tonic, rest) = parse_pitch_class(name.trim())?;
        match rest.trim() {
            "" | "major" | "maj" => Some(Key { tonic, minor: false }),
            "m" | "minor" | "min" => Some(Key { tonic, minor: true }),
            _ => None,
        }
    }

    /// The name, such as `Bbm`.
    #[must_use]
    pub fn name(self) -> String {
        [NAMES[usize::from(self.tonic % 12)], if self.minor { "m" } else { "" }].concat()
    }

    /// The tonic of the major key with the same signature: what features are turned to.
    #[must_use]
    pub fn major_tonic(self) -> u8 {
        (self.tonic + if self.minor { 3 } else { 0 }) % 12
    }

    /// How far up, -6 to 5 semitones, it is to C major, or from a minor key to A minor: the keys that the melody network knows.
    #[must_use]
    pub fn semitones_to_c(self) -> i32 {
        5 - (i32::from(self.major_tonic()) + 5) % 12
    }

    /// The key moved by semitones, up or down.
    #[must_use]
    pub fn transposed(self, semitones: i32) -> Key {
        Key { tonic: (i32::from(self.tonic) + semitones).rem_euclid(12) as u8, ..self }
    }

    /// The pitch classes of its scale as bits, bit 0 for C: the major or the natural minor scale, in a minor key with the
    /// raised seventh beside the natural one.
    #[must_use]
    pub fn scale(self) -> u16 {
        let steps: &[u8] = if self.minor { &[0, 2, 3, 5, 7, 8, 10, 11] } else { &[0, 2, 4, 5, 7, 9, 11] };
        steps.iter().fold(0, |bits, step| bits | 1 << ((self.tonic + step) % 12))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_with_a_weighty_tonic_tells_its_key() {
        for tonic in 0..12 {
            for minor in [false, true] {
                let key = Key { tonic, minor };
                let mut durations = [0.0; 12];
                for class in 0..12_u8 {
                    let natural = !(minor && class == (tonic + 11) % 12);
                    durations[usize::from(class)] =
                        f32::from(key.scale() >> class & 1) * f32::from(u8::from(natural));
                }
                durations[usize::from(tonic)] += 2.0;
                durations[usize::from((tonic + 7) % 12)] += 1.0;
                assert_eq!(Key::estimate(&durations), key);
                assert_eq!(Key::parse(&key.name()), Some(key));
            }
        }
        assert_eq!(Key::parse("H"), None);
        assert_eq!(Key::parse("F# minor"), Some(Key { tonic: 6, minor: true }));
    }
}
