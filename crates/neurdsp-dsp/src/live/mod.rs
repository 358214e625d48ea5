//! Blocks that work on sound as it is played: filters, gate, delay, convolution, change of rate.
//!
//! Building one may fail and allocate; after that nothing here allocates, locks or panics, so all of it may run on an
//! audio thread. The output does not depend on how the signal is cut into blocks, bit for bit. Samples that are NaN,
//! infinite or beyond [`LIMIT`] count as zero, so that nothing recursive can be poisoned by them.

mod biquad;
mod convolver;
mod dc;
mod delay;
mod gate;
mod kernels;
mod partitions;
mod ramp;
mod resampler;
mod sinc;
mod tone;

pub use biquad::{Biquad, BiquadCoefficients};
pub use convolver::Convolver;
pub use dc::DcBlock;
pub use delay::Delay;
pub use gate::{GateSettings, NoiseGate};
pub use ramp::Ramp;
pub use resampler::{Ratio, Resampler, resample_clip};
pub use sinc::ResampleQuality;
pub use tone::{ToneSettings, ToneStack};

use crate::error::{Error, Result};

/// The largest magnitude that counts as a sample, 120 dB over full scale; what is beyond it counts as zero.
pub const LIMIT: f32 = 1e6;

/// The sample rates that the blocks can be built for, in Hz.
pub const SAMPLE_RATES: std::ops::RangeInclusive<f64> = 8_000.0..=768_000.0;

/// One block of a chain, in place.
pub trait LiveBlock: Send {
    /// Works on the next samples of the signal, any number of them.
    fn process(&mut self, samples: &mut [f32]);

    /// Forgets the signal, and completes every change of a parameter that is under way.
    fn reset(&mut self);
}

/// The sample, or zero in place of one that is NaN, infinite or beyond [`LIMIT`].
#[inline(always)]
#[must_use]
pub fn clean(sample: f32) -> f32 {
    // False for NaN as well.
    if sample.abs() <= LIMIT { sample } else { 0.0 }
}

/// The amplitude of a level in dB.
#[must_use]
pub fn db_to_gain(db: f32) -> f32 {
    10f32.powf(db / 20.0)
}

pub(crate) fn check_sample_rate(sample_rate: f64) -> Result<f64> {
    if SAMPLE_RATES.contains(&sample_rate) {
        return Ok(sample_rate);
    }
    Err(Error::parameter("sample_rate", sample_rate, "it must be 8000 to 768000 Hz"))
}

/// A time as a number of samples, at least one.
pub(crate) fn ms_to_samples(ms: f64, sample_rate: f64) -> u32 {
    (ms * 1e-3 * sample_rate).round().clamp(1.0, f64::from(u32::MAX >> 1)) as u32
}
