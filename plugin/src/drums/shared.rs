//! What the audio thread, the loader and the editor of one instance share. The audio thread touches atomics only.

use std::sync::atomic::AtomicU32;

use parking_lot::Mutex;

use super::files::ModelCard;
use super::strips::STRIPS;
use crate::audio::Level;

/// State that all parts of one instance share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Levels of left and right of each strip, after its fader.
    pub(super) strips: [[Level; 2]; STRIPS],
    /// Levels of the mix.
    pub(super) master: [Level; 2],
    /// The latency at the rate of the host, in samples, and that rate in Hz.
    pub(super) latency_samples: AtomicU32,
    pub(super) sample_rate_hz: AtomicU32,
    /// The network that plays.
    pub(super) playing: Mutex<Option<ModelCard>>,
}
