//! A noise gate.

use super::block::{LiveBlock, clean};
use super::units::{check_sample_rate, db_to_gain, ms_to_samples};
use crate::error::Result;
use neurdsp_simd::FlushDenormals;

/// Time in which the measured level falls to 1/e when the signal stops. Slow enough that the gaps between the peaks of a
/// low E string at 41 Hz do not count as silence.
const DETECTOR_MS: f64 = 15.0;

/// When a gate opens and closes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GateSettings {
    /// The gate opens when the level reaches this, in dB of full scale; −100 to 0.
    pub threshold_db: f32,
    /// It closes when the level is this much below the threshold; 0 to 24.
    pub hysteresis_db: f32,
    /// From closed to open, in milliseconds; 0 to 1000.
    pub attack_ms: f32,
    /// How long it stays open after the level has fallen, in milliseconds; 0 to 5000.
    pub hold_ms: f32,
    /// From open to closed, in milliseconds; 0 to 5000.
    pub release_ms: f32,
}

impl Default for GateSettings {
    fn default() -> Self {
        GateSettings {
            threshold_db: -70.0,
            hysteresis_db: 6.0,
            attack_ms: 1.0,
            hold_ms: 50.0,
            release_ms: 100.0,
        }
    }
}

/// Silences a signal below a threshold.
///
/// The level is the peak of the signal, which falls exponentially with a time constant of 15 ms. The gate opens at the
/// threshold; it closes when the level has been under `threshold_db - hysteresis_db` for the hold time. The gain goes
/// between 0 and 1 along `p²(3 - 2p)`, where `p` moves in a straight line over the attack or release time: neither
/// the gain nor its slope jumps, so there is no click. Closed, the output is exactly zero.
///
/// # Example
///
/// ```
/// use neurdsp_dsp::live::{GateSettings, LiveBlock, NoiseGate};
///
/// let mut gate = NoiseGate::new(48_000.0, GateSettings { threshold_db: -40.0, ..Default::default() })?;
/// let mut hiss = [0.001; 64];
/// gate.process(&mut hiss);
/// assert_eq!(hiss, [0.0; 64]);
/// # Ok::<(), neurdsp_dsp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct NoiseGate {
    sample_rate: f64,
    settings: GateSettings,
    open_at: f32,
    close_at: f32,
    attack_step: f32,
    release_step: f32,
    hold: u32,
    decay: f32,
    level: f32,
    held: u32,
    is_open: bool,
    position: f32,
}

impl NoiseGate {
    /// A closed gate.
    ///
    /// # Errors
    /// The sample rate is outside [`SAMPLE_RATES`](super::SAMPLE_RATES).
    pub fn new(sample_rate: f64, settings: GateSettings) -> Result<NoiseGate> {
        check_sample_rate(sample_rate)?;
        let mut gate = NoiseGate {
            sample_rate,
            settings,
            open_at: 0.0,
            close_at: 0.0,
            attack_step: 0.0,
            release_step: 0.0,
            hold: 0,
            decay: (-1000.0 / (DETECTOR_MS * sample_rate)).exp() as f32,
            level: 0.0,
            held: 0,
            is_open: false,
            position: 0.0,
        };
        gate.derive();
        Ok(gate)
    }

    /// Changes the settings; values outside their ranges are clamped. May be called on the audio thread.
    pub fn set(&mut self, settings: GateSettings) {
        if settings != self.settings {
            self.settings = settings;
            self.derive();
        }
    }

    /// Whether the signal passes: the gate is open, or still closing.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        self.position > 0.0
    }

    fn derive(&mut self) {
        let within =
            |value: f32, low: f32, high: f32| if value.is_nan() { low } else { value.clamp(low, high) };
        let s = &self.settings;
        let threshold_db = within(s.threshold_db, -100.0, 0.0);
        self.open_at = db_to_gain(threshold_db);
        self.close_at = db_to_gain(threshold_db - within(s.hysteresis_db, 0.0, 24.0));
        let samples = |ms: f32, max: f32| ms_to_samples(f64::from(within(ms, 0.0, max)), self.sample_rate);
        self.attack_step = 1.0 / samples(s.attack_ms, 1000.0) as f32;
        self.release_step = 1.0 / samples(s.release_ms, 5000.0) as f32;
        self.hold = samples(s.hold_ms, 5000.0);
    }
}

impl LiveBlock for NoiseGate {
    fn process(&mut self, samples: &mut [f32]) {
        let _guard = FlushDenormals::new();
        for sample in samples {
            let x = clean(*sample);
            self.level = x.abs().max(self.level * self.decay);
            if self.level >= self.open_at {
                self.is_open = true;
            }
            if self.level >= self.close_at {
                self.held = 0;
            } else if self.is_open {
                self.held += 1;
                self.is_open = self.held < self.hold;
            }
            let step = if self.is_open { self.attack_step } else { -self.release_step };
            self.position = (self.position + step).clamp(0.0, 1.0);
            let p = self.position;
            *sample = x * (p * p * (3.0 - 2.0 * p));
        }
    }

    fn reset(&mut self) {
        (self.level, self.held, self.is_open, self.position) = (0.0, 0, false, 0.0);
    }
}
