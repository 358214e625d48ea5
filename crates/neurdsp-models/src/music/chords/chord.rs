//! The chords of the harmony network: 64, by number, by name and by pitch classes.

/// How many chords there are.
pub const N_CHORDS: usize = 64;
/// Qualities of chords that have a root.
const N_QUALITIES: u8 = 5;
/// Chords that have a root.
const N_ROOTED: u8 = 12 * N_QUALITIES;

const ROOTS: [&str; 12] = ["C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B"];
const SUFFIXES: [&str; 5] = ["", "m", "7", "m7", "maj7"];
const ROOTLESS: [&str; 4] = ["N.C.", "aug", "dim", "sus"];

/// A chord: one of 12 roots with one of 5 qualities, no chord, or an augmented, diminished or suspended one whose root the
/// notes around it tell.
///
/// # Example
/// ```
/// use neurdsp_models::music::chords::Chord;
/// let chord = Chord::parse("Am7").unwrap();
/// assert_eq!((chord.index(), chord.root()), (48, Some(9)));
/// assert_eq!(chord.transposed(3).name(), "Cm7");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Chord(u8);

/// The quality of a chord.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quality {
    /// A major triad.
    Major,
    /// A minor triad.
    Minor,
    /// A major triad with a minor seventh.
    Seventh,
    /// A minor triad with a minor seventh.
    MinorSeventh,
    /// A major triad with a major seventh.
    MajorSeventh,
    /// No chord.
    None,
    /// An augmented triad.
    Augmented,
    /// A diminished triad, also with a seventh.
    Diminished,
    /// A triad with a second or a fourth in place of the third.
    Suspended,
}

impl Quality {
    const ALL: [Quality; 9] = [
        Quality::Major,
        Quality::Minor,
        Quality::Seventh,
        Quality::MinorSeventh,
        Quality::MajorSeventh,
        Quality::None,
        Quality::Augmented,
        Quality::Diminished,
        Quality::Suspended,
    ];

    /// Semitones of the tones above the root.
    #[must_use]
    pub fn intervals(self) -> &'static [u8] {
        match self {
            Quality::Major => &[0, 4, 7],
            Quality::Minor => &[0, 3, 7],
            Quality::Seventh => &[0, 4, 7, 10],
            Quality::MinorSeventh => &[0, 3, 7, 10],
            Quality::MajorSeventh => &[0, 4, 7, 11],
            Quality::None => &[],
            Quality::Augmented => &[0, 4, 8],
            Quality::Diminished => &[0, 3, 6],
            Quality::Suspended => &[0, 5, 7],
        }
    }
}

impl Chord {
    /// No chord.
    pub const NONE: Chord = Chord(N_ROOTED);

    /// The chord with a number from 0 to 63.
    #[must_use]
    pub fn new(index: usize) -> Option<Chord> {
        (index < N_CHORDS).then_some(Chord(index as u8))
    }

    /// All chords by their numbers.
    pub fn all() -> impl Iterator<Item = Chord> {
        (0..N_CHORDS as u8).map(Chord)
    }

    /// The number: five times the root plus the quality, then the four without a root.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The pitch class of the root, 0 for C, if the chord names one.
    #[must_use]
    pub fn root(self) -> Option<u8> {
        (self.0 < N_ROOTED).then_some(self.0 / N_QUALITIES)
    }

    /// The quality.
    #[must_use]
    pub fn quality(self) -> Quality {
        let at = if self.0 < N_ROOTED { self.0 % N_QUALITIES } else { N_QUALITIES + self.0 - N_ROOTED };
        Quality::ALL[usize::from(at)]
    }

    /// The chord moved by semitones, up or down.
    #[must_use]
    pub fn transposed(self, semitones: i32) -> Chord {
        match self.root() {
            Some(root) => {
                let moved = (i32::from(root) + semitones).rem_euclid(12) as u8;
                Chord(moved * N_QUALITIES + self.0 % N_QUALITIES)
            }
            None => self,
        }
    }

    /// The pitch classes as bits, bit 0 for C; none if the chord names no root.
    #[must_use]
    pub fn tones(self) -> u16 {
        self.root().map_or(0, |root| pitch_classes(root, self.quality()))
    }

    /// The name, such as `Bbm7`, `N.C.` or `dim`.
    #[must_use]
    pub fn name(self) -> String {
        match self.root() {
            Some(root) => [ROOTS[usize::from(root)], SUFFIXES[usize::from(self.0 % N_QUALITIES)]].concat(),
            None => ROOTLESS[usize::from(self.0 - N_ROOTED)].to_owned(),
        }
    }

    /// The chord of a name as [`name`](Chord::name) gives it; sharps and flats are both read.
    #[must_use]
    pub fn parse(name: &str) -> Option<Chord> {
        let name = name.trim();
        if let Some(at) = ROOTLESS.iter().position(|known| known.eq_ignore_ascii_case(name)) {
            return Some(Chord(N_ROOTED + at as u8));
        }
        let (root, rest) = parse_pitch_class(name)?;
        let quality = SUFFIXES.iter().position(|known| *known == rest).or(match rest {
            "maj" | "M" => Some(0),
            "min" => Some(1),
            "min7" => Some(3),
            "M7" => Some(4),
            _ => None,
        })?;
        Some(Chord(root * N_QUALITIES + quality as u8))
    }
}

/// The pitch classes of a chord as bits.
pub(super) fn pitch_classes(root: u8, quality: Quality) -> u16 {
    quality.intervals().iter().fold(0, |bits, interval| bits | 1 << ((root + interval) % 12))
}

/// A pitch class at the start of a text, and the text behind it.
pub(super) fn parse_pitch_class(text: &str) -> Option<(u8, &str)> {
    let letter = text.chars().next()?;
    let natural = match letter.to_ascii_uppercase() {
        'C' => 0,
        'D' => 2,
        'E' => 4,
        'F' => 5,
        'G' => 7,
        'A' => 9,
        'B' => 11,
        _ => return None,
    };
    let rest = &text[letter.len_utf8()..];
    Some(match rest.chars().next() {
        Some('#') => ((natural + 1) % 12, &rest[1..]),
        Some('b') => ((natural + 11) % 12, &rest[1..]),
        _ => (natural, rest),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chord_is_read_back_from_its_name() {
        for chord in Chord::all() {
            assert_eq!(Chord::parse(&chord.name()), Some(chord));
        }
        assert_eq!(Chord::parse("A#m"), Chord::parse("Bbm"));
        for name in ["", "H", "Cmaj9", "é", "C#x"] {
            assert_eq!(Chord::parse(name), None, "{name}");
        }
        assert_eq!(Chord::new(N_CHORDS), None);
    }

    #[test]
    fn twelve_semitones_give_a_chord_back_and_tones_move_along() {
        for chord in Chord::all() {
            assert_eq!(chord.transposed(12), chord);
            assert_eq!(chord.transposed(5).transposed(-5), chord);
            let tones = chord.tones();
            assert_eq!(chord.transposed(1).tones(), (tones << 1 | tones >> 11) & 0xfff);
            let count = if chord.root().is_some() { chord.quality().intervals().len() as u32 } else { 0 };
            assert_eq!(tones.count_ones(), count);
        }
    }
}
