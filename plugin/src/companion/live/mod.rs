//! Notes as they are played, on the audio thread.
//!
//! ```text
//! chords  the job that finds chords for a melody, and the melody
//! clock   where the host's song is, and where it jumps
//! follow  when chords are asked about, and how they are played
//! groove  the job beside the audio thread, what was played, and the answers for the beats to come
//! line    notes in, notes out
//! listen  bars that are recorded as the reference
//! trace   what the window shows of the last hits
//! ```

mod chords;
mod clock;
mod follow;
mod groove;
mod line;
mod listen;
mod trace;

pub(super) use chords::{COMING, ChordJob, SUGGESTIONS, chord_inference};
pub(super) use clock::Meter;
pub(super) use follow::{ChordSettings, ChordView};
pub(super) use groove::{GrooveJob, inference};
pub(super) use line::{Line, LineShared, Settings};
pub(super) use listen::{Heard, Taken};
pub(super) use trace::Traced;
