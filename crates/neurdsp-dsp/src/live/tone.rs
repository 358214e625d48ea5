//! The tone stack: bass, middle and treble.

use super::biquad::{Biquad, BiquadCoefficients};
use super::block::LiveBlock;
use super::units::{check_sample_rate, ms_to_samples};
use crate::error::Result;

/// Gains of the tone stack in dB; 0 leaves the sound unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ToneSettings {
    /// Low shelf at 150 Hz, −20 to 20.
    pub bass_db: f32,
    /// Peak at 425 Hz, −15 to 15.
    pub mid_db: f32,
    /// High shelf at 1800 Hz, −10 to 10.
    pub treble_db: f32,
}

impl ToneSettings {
    /// The largest bass, middle and treble boost or cut, in dB.
    pub const REACH_DB: [f32; 3] = [20.0, 15.0, 10.0];

    fn design(&self, sample_rate: f64) -> [BiquadCoefficients; 3] {
        let gain =
            |db: f32, reach: f32| if db.is_finite() { f64::from(db.clamp(-reach, reach)) } else { 0.0 };
        let [bass, mid, treble] = Self::REACH_DB;
        let mid_db = gain(self.mid_db, mid);
        // A cut is narrower than a boost. At 0 dB both are the identity, so the knob has no step.
        let mid_q = if mid_db < 0.0 { 1.5 } else { 0.7 };
        [
            BiquadCoefficients::low_shelf(sample_rate, 150.0, gain(self.bass_db, bass), 0.707),
            BiquadCoefficients::peak(sample_rate, 425.0, mid_db, mid_q),
            BiquadCoefficients::high_shelf(sample_rate, 1800.0, gain(self.treble_db, treble), 0.707),
        ]
    }
}

/// Bass, middle and treble with the frequencies, ranges and widths of the Neural Amp Modeler's plugin.
///
/// # Example
///
/// ```
/// use neurdsp_dsp::live::{LiveBlock, ToneSettings, ToneStack};
///
/// let mut tone = ToneStack::new(48_000.0)?;
/// tone.set(ToneSettings { bass_db: 6.0, ..Default::default() }); // over the next 20 ms
/// let mut samples = [0.5; 480];
/// tone.process(&mut samples);
/// # Ok::<(), neurdsp_dsp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ToneStack {
    sample_rate: f64,
    settings: ToneSettings,
    filters: [Biquad; 3],
}

impl ToneStack {
    /// All gains at 0 dB.
    ///
    /// # Errors
    /// The sample rate is outside [`SAMPLE_RATES`](super::SAMPLE_RATES).
    pub fn new(sample_rate: f64) -> Result<ToneStack> {
        let settings = ToneSettings::default();
        let ramp = ms_to_samples(20.0, check_sample_rate(sample_rate)?);
        let filters = settings.design(sample_rate).map(|c| Biquad::new(c, ramp));
        Ok(ToneStack { sample_rate, settings, filters })
    }

    /// Moves to other gains over 20 ms; values out of range are clamped. May be called on the audio thread.
    pub fn set(&mut self, settings: ToneSettings) {
        if settings != self.settings {
            self.settings = settings;
            for (filter, coefficients) in self.filters.iter_mut().zip(settings.design(self.sample_rate)) {
                filter.set(coefficients);
            }
        }
    }
}

impl LiveBlock for ToneStack {
    fn process(&mut self, samples: &mut [f32]) {
        for filter in &mut self.filters {
            filter.process(samples);
        }
    }

    fn reset(&mut self) {
        self.filters.iter_mut().for_each(Biquad::reset);
    }
}
