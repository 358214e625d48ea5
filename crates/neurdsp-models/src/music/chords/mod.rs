//! Harmony: what the network is told of a melody, and the chords, suggestions and voices that come of its answers.
//!
//! A melody is cut into half bars ([`segments`]). For each the network gives probabilities of 64 chords ([`Chord`]) from the
//! [`HarmonyFeatures`]; [`plan`] searches the best sequence, and [`voice`] gives it notes.

mod chord;
mod features;
mod key;
mod plan;
mod segments;
mod voicing;

pub use chord::{Chord, N_CHORDS, Quality};
pub use features::{HarmonyFeatures, N_FEATURES};
pub use key::Key;
pub use plan::{ChordModel, Plan, PlanOptions, Suggestion, change_rate, plan};
pub use segments::{MAX_SEGMENTS, MelodyNote, Segment, chord_tone_share, key_of, segments, total_durations};
pub use voicing::{Voicing, resolve, voice};
