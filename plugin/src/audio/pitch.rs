//! The pitch of a note, by the normalised square difference (P. McLeod, G. Wyvill, "A smarter way to find pitch", ICMC 2005).

/// Samples that a pitch is estimated from: 85 ms at 48 kHz.
pub(crate) const WINDOW: usize = 4096;
/// The lowest note: a five-string bass's B.
const LOWEST_HZ: f32 = 28.0;
/// The highest note: the last frets of a guitar.
const HIGHEST_HZ: f32 = 1400.0;
/// Mean square below which there is no note.
const SILENCE: f32 = 1e-7;
/// Least similarity at the period of a signal that counts as a note.
const CLEAR: f32 = 0.85;
/// The first peak at least this high, relative to the highest, is the period.
const FIRST: f32 = 0.93;

const NAMES: [&str; 12] = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];

/// A note, and how far the sound is from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Note {
    /// The frequency in Hz.
    pub(crate) frequency_hz: f32,
    /// Semitones above C of octave -1, as MIDI counts.
    pub(crate) number: i32,
    /// From -50 to 50.
    pub(crate) cents: f32,
}

impl Note {
    /// The nearest note, with A4 at `reference_hz`.
    pub(crate) fn nearest(frequency_hz: f32, reference_hz: f32) -> Note {
        let exact = 69.0 + 12.0 * (frequency_hz / reference_hz).log2();
        let number = exact.round();
        Note { frequency_hz, number: number as i32, cents: 100.0 * (exact - number) }
    }

    /// Such as `E2`.
    pub(crate) fn name(&self) -> String {
        format!("{}{}", NAMES[self.number.rem_euclid(12) as usize], self.number.div_euclid(12) - 1)
    }
}

/// The frequency of the note in `samples` in Hz, if there is one.
pub(crate) fn pitch(samples: &[f32], sample_rate: f32) -> Option<f32> {
    let energy: f32 = samples.iter().map(|x| x * x).sum();
    let longest = ((sample_rate / LOWEST_HZ) as usize).min(samples.len() / 2);
    let shortest = ((sample_rate / HIGHEST_HZ) as usize).max(2);
    if longest <= shortest + 2 || energy / samples.len() as f32 <= SILENCE {
        return None;
    }
    let similarities: Vec<f32> = (0..=longest).map(|lag| similarity(samples, lag)).collect();
    // After the similarity has fallen below zero, the first peak that is nearly as high as the highest.
    let fall = similarities.iter().position(|value| *value < 0.0)?;
    let peaks: Vec<usize> = (fall.max(shortest).max(1)..longest)
        .filter(|&lag| {
            similarities[lag] > similarities[lag - 1] && similarities[lag] >= similarities[lag + 1]
        })
        .collect();
    let highest = peaks.iter().map(|&lag| similarities[lag]).fold(0.0, f32::max);
    if highest < CLEAR {
        return None;
    }
    let lag = *peaks.iter().find(|&&lag| similarities[lag] >= FIRST * highest)?;
    let (before, at, after) = (similarities[lag - 1], similarities[lag], similarities[lag + 1]);
    let shift = 0.5 * (before - after) / (before - 2.0 * at + after);
    Some(sample_rate / (lag as f32 + shift))
}

/// Similarity of the signal and itself `lag` samples later, from -1 to 1.
fn similarity(samples: &[f32], lag: usize) -> f32 {
    let pairs = samples.iter().zip(&samples[lag..]);
    let (product, energy) =
        pairs.fold((0.0f32, 0.0f32), |(product, energy), (a, b)| (product + a * b, energy + a * a + b * b));
    2.0 * product / energy.max(f32::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::{Note, WINDOW, pitch};

    /// Eight harmonics with the spectrum of a plucked string.
    fn string(frequency_hz: f32, sample_rate: f32) -> Vec<f32> {
        let phase = |i: usize| std::f32::consts::TAU * frequency_hz * i as f32 / sample_rate;
        (0..WINDOW)
            .map(|i| (1..=8).map(|k| (phase(i) * k as f32).sin() * 0.1 / (k as f32).sqrt()).sum())
            .collect()
    }

    #[test]
    fn open_strings_are_found_within_two_cents() {
        for sample_rate in [44100.0, 48000.0] {
            for (frequency_hz, name) in [
                (82.407, "E2"),
                (110.0, "A2"),
                (146.832, "D3"),
                (195.998, "G3"),
                (246.942, "B3"),
                (329.628, "E4"),
                (41.203, "E1"),
            ] {
                let found_hz = pitch(&string(frequency_hz, sample_rate), sample_rate).expect("a note");
                let note = Note::nearest(found_hz, 440.0);
                assert_eq!(note.name(), name);
                assert!(note.cents.abs() < 2.0, "{name}: {} cents", note.cents);
            }
        }
    }

    #[test]
    fn noise_and_silence_are_no_note() {
        assert_eq!(pitch(&[0.0; WINDOW], 48000.0), None);
        let mut seed = 1u32;
        let noise: Vec<f32> = (0..WINDOW)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 8) as f32 / 8_388_608.0 - 1.0
            })
            .collect();
        assert_eq!(pitch(&noise, 48000.0), None);
    }

    #[test]
    fn a_quarter_tone_is_fifty_cents_from_both_neighbours() {
        let note = Note::nearest(440.0 * 2f32.powf(0.49 / 12.0), 440.0);
        assert_eq!(note.name(), "A4");
        assert!((note.cents - 49.0).abs() < 0.1);
    }

    #[test]
    fn the_reference_moves_every_note() {
        let note = Note::nearest(432.0 / 4.0, 432.0);
        assert_eq!((note.name().as_str(), note.cents), ("A2", 0.0));
        let sharp = Note::nearest(440.0, 432.0);
        assert_eq!(sharp.name(), "A4");
        assert!((sharp.cents - 31.77).abs() < 0.01, "{}", sharp.cents);
    }
}
