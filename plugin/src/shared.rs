//! What the audio thread, the loader and the editor tell each other. The audio thread only ever touches atomics.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use parking_lot::Mutex;

use crate::window::Repaint;

/// State that all parts of one instance share.
#[derive(Debug, Default)]
pub struct Shared {
    /// Level before the gate.
    pub input: Level,
    /// Level after everything.
    pub output: Level,
    /// Whether the gate lets sound through.
    pub gate_open: AtomicBool,
    /// The rate of the host, in Hz.
    pub sample_rate_hz: AtomicU32,
    /// What the loader has to say.
    pub status: Mutex<Status>,
    /// Wakes the editor.
    pub repaint: Repaint,
}

/// A peak level that one thread writes and another reads and resets.
#[derive(Debug, Default)]
pub struct Level {
    peak: AtomicU32,
    clipped: AtomicBool,
}

impl Level {
    /// Takes in a block.
    pub fn update(&self, block: &[f32]) {
        let peak = block.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        if peak >= 1.0 {
            self.clipped.store(true, Ordering::Relaxed);
        }
        // Floats that are not negative are ordered as their bits are.
        self.peak.fetch_max(peak.to_bits(), Ordering::Relaxed);
    }

    /// The highest level since the last call.
    pub fn take(&self) -> f32 {
        f32::from_bits(self.peak.swap(0, Ordering::Relaxed))
    }

    /// Whether any sample has reached full scale since [`clear`](Self::clear).
    pub fn clipped(&self) -> bool {
        self.clipped.load(Ordering::Relaxed)
    }

    /// Puts the light out.
    pub fn clear(&self) {
        self.clipped.store(false, Ordering::Relaxed);
    }
}

/// What the editor shows of the loader's work.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// Whether a file is being loaded.
    pub loading: bool,
    /// What went wrong last, in a sentence.
    pub error: Option<String>,
    /// The model that plays.
    pub model: Option<ModelCard>,
    /// The name and length in seconds of the cabinet that plays.
    pub cabinet: Option<(String, f32)>,
}

/// What a player wants to know of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelCard {
    /// Its name, from the file or the file's name.
    pub name: String,
    /// Maker and model of the device, where the file says so.
    pub gear: Option<String>,
    /// Who made the model.
    pub author: Option<String>,
    /// Kind of network.
    pub architecture: String,
    /// Trained values.
    pub n_parameters: usize,
    /// The rate that it was trained at, in Hz.
    pub sample_rate: f64,
    /// Error-to-signal ratio, where the file says so.
    pub esr: Option<f64>,
    /// How far the model is from the proof in its file, in dB; none if the file has no proof.
    pub self_test_db: Option<f64>,
    /// Whether the self-test, if there is one, has passed.
    pub self_test_passed: bool,
    /// Whether it comes in several sizes.
    pub slimmable: bool,
}
