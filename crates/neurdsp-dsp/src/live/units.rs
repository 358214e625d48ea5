//! Sample rates, levels and times.

use crate::error::{Error, Result};

/// The sample rates that the processors support, in Hz.
pub const SAMPLE_RATES: std::ops::RangeInclusive<f64> = 8_000.0..=768_000.0;

/// The amplitude of a level in dB.
#[must_use]
pub fn db_to_gain(db: f32) -> f32 {
    10f32.powf(db / 20.0)
}

/// Refuses a sample rate outside [`SAMPLE_RATES`].
pub(super) fn check_sample_rate(sample_rate: f64) -> Result<f64> {
    if SAMPLE_RATES.contains(&sample_rate) {
        return Ok(sample_rate);
    }
    Err(Error::parameter("sample_rate", sample_rate, "it must be 8000 to 768000 Hz"))
}

/// A time as a number of samples, at least one.
pub(super) fn ms_to_samples(ms: f64, sample_rate: f64) -> u32 {
    (ms * 1e-3 * sample_rate).round().clamp(1.0, f64::from(u32::MAX >> 1)) as u32
}
