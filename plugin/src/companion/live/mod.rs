//! Notes as they are played, on the audio thread.
//!
//! ```text
//! asks        when the networks are asked about the beats to come
//! capture     the notes that were passed on last
//! chords      the job that finds chords for a melody, and the melody
//! clock       where the host's song is, and where it jumps
//! dynamics    the job beside the audio thread that shapes velocities, and its answers
//! events      the framework's events, and those of a line
//! follow      when chords are asked about, and how they are played
//! groove      the job beside the audio thread, what was played, and the answers for the beats to come
//! hits        where hits of the kit come, and what becomes of them
//! line        notes in, notes out
//! listen      bars that are recorded as the reference
//! modulation  the mood as controllers
//! mood        what the emotion network hears in the sound
//! play_on     the job beside the audio thread that goes on with a melody, and how it is played
//! settings    what a line is set to, and what it shares
//! tables      answers about the beats to come
//! trace       what the window shows of the last hits
//! workers     the workers of one instance
//! ```

mod asks;
mod capture;
mod chords;
mod clock;
mod dynamics;
mod events;
mod follow;
mod groove;
mod hits;
mod line;
mod listen;
mod modulation;
mod mood;
mod play_on;
mod settings;
mod tables;
mod trace;
mod workers;

pub(super) use capture::{Bars, Capture, Passed};
pub(super) use chords::{COMING, ChordJob, SUGGESTIONS};
pub(super) use clock::Meter;
pub(super) use dynamics::DynamicsJob;
pub(super) use follow::{ChordSettings, ChordView};
pub(super) use groove::GrooveJob;
pub(super) use line::{Block, Line};
pub(super) use listen::{Heard, Taken};
pub(super) use modulation::MoodSettings;
pub(super) use play_on::MelodyJob;
pub(super) use settings::{LineShared, Settings};
pub(super) use trace::Traced;
pub(super) use workers::{Handles, workers};
