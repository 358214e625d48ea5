//! A melody as tokens, one for each sixteenth: 0 is a rest, 1 a note that goes on, others are the pitches of notes that begin.

use crate::error::{Error, Result};

/// How many tokens there are.
pub const N_TOKENS: usize = 128;
/// Nothing sounds.
pub const REST: u8 = 0;
/// The note before goes on.
pub const HOLD: u8 = 1;
/// The lowest pitch that has a token.
pub const LOWEST_PITCH: u8 = 2;

/// Longest melody that is taken, in sixteenths: about two days at 120 beats a minute.
pub const MAX_STEPS: usize = 1 << 20;
/// A note that ends this little into a step does not sound in it, in steps.
const LATE_END: f64 = 0.25;

/// A note on the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridNote {
    /// The sixteenth that it begins in.
    pub start: usize,
    /// The sixteenth that it ends before.
    pub end: usize,
    /// MIDI pitch.
    pub pitch: u8,
}

/// Writes a melody as tokens. Of notes that begin together the highest counts, and a note ends where the next begins.
///
/// # Arguments
/// * `notes`: start and end in sixteenths, and pitch. Starts go to the nearest sixteenth. An end goes up to the next one,
///   because players let go of notes early.
/// * `n_steps`: sixteenths of the melody.
///
/// # Errors
/// [`Error::OutOfRange`] for a melody that is too long, a pitch below 2 or above 127, or a time that is no number.
///
/// # Example
/// ```
/// use neurdsp_models::music::tunes::tokens;
/// assert_eq!(tokens(&[(0.0, 0.9, 60), (1.02, 3.0, 64)], 5)?, [60, 64, 1, 0, 0]);
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
pub fn tokens(notes: &[(f64, f64, u8)], n_steps: usize) -> Result<Vec<u8>> {
    let wrong = |name: &str, got: String, expected: String| {
        Err(Error::OutOfRange { name: name.into(), got, expected })
    };
    if n_steps > MAX_STEPS {
        return wrong("the length in sixteenths", n_steps.to_string(), format!("at most {MAX_STEPS}"));
    }
    let mut placed: Vec<(usize, u8, usize)> = Vec::with_capacity(notes.len().min(MAX_STEPS));
    for &(start, end, pitch) in notes {
        if !(LOWEST_PITCH..=127).contains(&pitch) {
            return wrong("a pitch", pitch.to_string(), "2 to 127".into());
        }
        if !(start.is_finite() && end.is_finite()) {
            return wrong("a note", format!("{start} to {end}"), "between two times".into());
        }
        let first = (start + 0.5).floor();
        if first >= 0.0 && first < n_steps as f64 {
            let last = (end - LATE_END).ceil().clamp(first + 1.0, n_steps as f64);
            placed.push((first as usize, pitch, last as usize));
        }
    }
    placed.sort_unstable();
    let mut written = vec![REST; n_steps];
    for (at, &(start, pitch, end)) in placed.iter().enumerate() {
        let next = placed.get(at + 1).map_or(n_steps, |&(next, ..)| next);
        if next == start {
            continue;
        }
        written[start] = pitch;
        for token in written[start..end.min(next)].iter_mut().skip(1) {
            *token = HOLD;
        }
    }
    Ok(written)
}

/// The notes that tokens stand for.
#[must_use]
pub fn notes(tokens: &[u8]) -> Vec<GridNote> {
    let mut found: Vec<GridNote> = Vec::new();
    let mut sounding = false;
    for (at, &token) in tokens.iter().enumerate() {
        match token {
            REST => sounding = false,
            HOLD => {
                if let (true, Some(note)) = (sounding, found.last_mut()) {
                    note.end = at + 1;
                }
            }
            pitch => {
                found.push(GridNote { start: at, end: at + 1, pitch });
                sounding = true;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_notes_are_each_others_inverse() {
        let line = [0, 60, 1, 1, 62, 0, 0, 64, 64, 1];
        let found = notes(&line);
        assert_eq!(found[0], GridNote { start: 1, end: 4, pitch: 60 });
        let times: Vec<_> =
            found.iter().map(|note| (note.start as f64, note.end as f64, note.pitch)).collect();
        assert_eq!(tokens(&times, line.len()).unwrap(), line);
        // A note that goes on from nothing is a rest.
        assert!(notes(&[1, 1, 0]).is_empty());
    }

    #[test]
    fn a_melody_is_monophonic_and_legato_where_it_was_nearly() {
        let played = [(0.0, 4.0, 60), (0.1, 4.0, 67), (1.9, 2.6, 62), (2.97, 3.2, 64)];
        assert_eq!(tokens(&played, 5).unwrap(), [67, 1, 62, 64, 0]);
    }

    #[test]
    fn what_is_out_of_range_is_refused_or_left_out() {
        assert!(tokens(&[(0.0, 1.0, 1)], 4).is_err());
        assert!(tokens(&[(0.0, f64::INFINITY, 60)], 4).is_err());
        assert!(tokens(&[], MAX_STEPS + 1).is_err());
        assert_eq!(tokens(&[(-3.0, 1.0, 60), (4.0, 5.0, 60)], 4).unwrap(), [0; 4]);
    }
}
