//! Removes a constant offset from a signal.

use super::block::{LiveBlock, clean};
use super::units::check_sample_rate;
use crate::error::{Error, Result};
use neurdsp_simd::FlushDenormals;
use std::f64::consts::PI;

/// A first-order Butterworth high-pass, by the bilinear transform.
///
/// # Example
///
/// ```
/// use neurdsp_dsp::live::{DcBlock, LiveBlock};
///
/// let mut block = DcBlock::new(48_000.0, 5.0)?;
/// let mut samples = vec![0.1; 48_000];
/// block.process(&mut samples);
/// assert!(samples[47_999].abs() < 1e-12);
/// # Ok::<(), neurdsp_dsp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DcBlock {
    gain: f64,
    pole: f64,
    x: f64,
    y: f64,
}

impl DcBlock {
    /// A filter that passes half the power at `cutoff_hz`; 5 Hz is inaudible and settles in a tenth of a second.
    ///
    /// # Errors
    /// The sample rate is outside [`SAMPLE_RATES`](super::SAMPLE_RATES), or the cutoff is not above 0 and below a
    /// quarter of the sample rate.
    pub fn new(sample_rate: f64, cutoff_hz: f64) -> Result<DcBlock> {
        check_sample_rate(sample_rate)?;
        if !(cutoff_hz > 0.0 && cutoff_hz < sample_rate / 4.0) {
            let allowed = "it must be above 0 and below a quarter of the sample rate";
            return Err(Error::parameter("cutoff_hz", cutoff_hz, allowed));
        }
        let t = (PI * cutoff_hz / sample_rate).tan();
        Ok(DcBlock { gain: 1.0 / (1.0 + t), pole: (1.0 - t) / (1.0 + t), x: 0.0, y: 0.0 })
    }
}

impl LiveBlock for DcBlock {
    fn process(&mut self, samples: &mut [f32]) {
        let _guard = FlushDenormals::new();
        for sample in samples {
            let x = f64::from(clean(*sample));
            self.y = self.gain * (x - self.x) + self.pole * self.y;
            self.x = x;
            *sample = self.y as f32;
        }
    }

    fn reset(&mut self) {
        (self.x, self.y) = (0.0, 0.0);
    }
}
