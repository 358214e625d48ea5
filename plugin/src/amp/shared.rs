//! What the audio thread, the loader and the editor of one instance share. The audio thread touches atomics only.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};

use parking_lot::Mutex;

use super::files::ModelCard;
use crate::audio::{Level, Tap, pitch};
use crate::loading::Requests;

/// State that all parts of one instance share.
#[derive(Debug)]
pub(super) struct Shared {
    /// Level before the gate.
    pub(super) input: Level,
    /// Level after everything.
    pub(super) output: Level,
    /// Whether the gate lets sound through.
    pub(super) gate_open: AtomicBool,
    /// The most recent input, while the tuner is open.
    pub(super) tuner: Tap,
    /// Whether the tuner silences the output.
    pub(super) muted: AtomicBool,
    /// The rate of the host, in Hz.
    pub(super) sample_rate_hz: AtomicU32,
    /// How many knobs the model has.
    pub(super) n_knobs: AtomicUsize,
    /// Whether the loader has turned knobs, and the host has not been told yet.
    pub(super) knobs_turned: AtomicBool,
    /// Requests to prepare the model again.
    pub(super) requests: Arc<Requests>,
    pub(super) playing: Mutex<Playing>,
}

impl Default for Shared {
    fn default() -> Shared {
        Shared {
            input: Level::default(),
            output: Level::default(),
            gate_open: AtomicBool::new(false),
            tuner: Tap::new(pitch::WINDOW),
            muted: AtomicBool::new(false),
            sample_rate_hz: AtomicU32::new(0),
            n_knobs: AtomicUsize::new(0),
            knobs_turned: AtomicBool::new(false),
            requests: Arc::default(),
            playing: Mutex::default(),
        }
    }
}

/// What the editor shows of the files that play.
#[derive(Clone, Debug, Default)]
pub(super) struct Playing {
    pub(super) model: Option<ModelCard>,
    /// The name of the cabinet, and its length in seconds.
    pub(super) cabinet: Option<(String, f32)>,
}
