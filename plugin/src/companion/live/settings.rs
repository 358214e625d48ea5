//! What a line is set to, and what it shares with other threads.

use std::sync::Arc;

use neurdsp_models::music::groove::Feel;

use super::capture::Capture;
use super::follow::{ChordSettings, ChordView};
use super::listen::Progress;
use super::modulation::MoodSettings;
use super::mood::MoodMeter;
use super::trace::Trace;
use crate::loading::Requests;

/// What the line is set to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) feel: Feel,
    /// Whether hits change at all.
    pub(crate) is_on: bool,
    /// The channel of the drums; none for all.
    pub(crate) channel: Option<u8>,
    pub(crate) listens: bool,
    pub(crate) listen_bars: u32,
    /// How much of the shape of the dynamics network comes to velocities: 0 to 2.
    pub(crate) dynamics: f32,
    /// Whether the melody is played on.
    pub(crate) plays_on: bool,
    pub(crate) chords: ChordSettings,
    pub(crate) mood: MoodSettings,
    pub(crate) is_offline: bool,
}

/// What a line shares with other threads.
#[derive(Debug, Default)]
pub(crate) struct LineShared {
    pub(crate) trace: Trace,
    pub(crate) capture: Capture,
    pub(crate) progress: Progress,
    pub(crate) chords: ChordView,
    pub(crate) mood: MoodMeter,
    pub(crate) requests: Arc<Requests>,
}
