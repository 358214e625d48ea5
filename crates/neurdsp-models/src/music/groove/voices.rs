//! The voices of a drum kit, and which MIDI notes play them.
//!
//! They are the nine of J. Gillick et al., "Learning to groove with inverse sequence transformations" (ICML 2019), with the
//! notes of General MIDI and those that a Roland TD-11 sends beside them: 22 and 26 are the rim of its hi-hat, closed and open.

/// Number of voices.
pub const N_VOICES: usize = 9;

/// Their names, by number.
pub const VOICES: [&str; N_VOICES] =
    ["kick", "snare", "closed_hat", "open_hat", "low_tom", "mid_tom", "high_tom", "crash", "ride"];

/// Kick; snare; what keeps time; toms; crashes.
const GROUPS: [u8; N_VOICES] = [0, 1, 2, 2, 3, 3, 3, 4, 2];

/// The voice that a note of a drum channel plays; none for percussion that no kit has, which is left alone.
///
/// # Example
/// ```
/// use neurdsp_models::music::groove::{VOICES, voice_of};
/// assert_eq!(voice_of(22).map(|voice| VOICES[voice]), Some("closed_hat"));
/// assert_eq!(voice_of(60), None);
/// ```
#[must_use]
pub fn voice_of(key: u8) -> Option<usize> {
    Some(match key {
        35 | 36 => 0,
        37..=40 => 1,
        22 | 42 | 44 => 2,
        26 | 46 => 3,
        41 | 43 | 58 => 4,
        45 | 47 => 5,
        48 | 50 => 6,
        49 | 52 | 55 | 57 => 7,
        51 | 53 | 54 | 56 | 59 => 8,
        _ => return None,
    })
}

/// Which part of the kit a voice belongs to; those of a part stand in for each other.
pub(in crate::music) fn group_of(voice: usize) -> u8 {
    GROUPS[voice]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rims_of_a_td11_are_closed_and_open_hats() {
        assert_eq!((voice_of(22), voice_of(26)), (voice_of(42), voice_of(46)));
    }

    #[test]
    fn notes_outside_the_kit_have_no_voice() {
        assert_eq!((0..=255).filter(|&key| voice_of(key).is_some()).count(), 27);
        assert_eq!(voice_of(34), None);
        assert_eq!(voice_of(60), None);
    }
}
