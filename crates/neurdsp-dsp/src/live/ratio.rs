//! The ratio of two sample rates.

use super::units::SAMPLE_RATES;
use crate::error::{Error, Result};

/// Two sample rates as a fraction in lowest terms: `up / down` is the rate of the output over that of the input.
///
/// Rates are taken to a thousandth of a hertz, so that positions are whole numbers and never drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// Output samples for every `down` input samples.
    pub up: u64,
    /// Input samples for every `up` output samples.
    pub down: u64,
}

impl Ratio {
    /// The most that one rate may exceed the other, as a factor.
    pub const MAX: u64 = 64;

    /// The ratio between two rates in Hz.
    ///
    /// # Errors
    /// A rate is outside of 1 kHz to 3.072 MHz (four times the highest of
    /// [`SAMPLE_RATES`](super::SAMPLE_RATES), for oversampling), or one exceeds the other more than [`Ratio::MAX`] times.
    pub fn new(from_rate: f64, to_rate: f64) -> Result<Ratio> {
        let whole = |rate: f64| {
            if (1e3..=4.0 * SAMPLE_RATES.end()).contains(&rate) {
                return Ok((rate * 1e3).round() as u64);
            }
            Err(Error::parameter("sample_rate", rate, "it must be 1000 to 3072000 Hz"))
        };
        let (from, to) = (whole(from_rate)?, whole(to_rate)?);
        if from.max(to) > Self::MAX * from.min(to) {
            let allowed = format!("one rate may be at most {} times the other", Self::MAX);
            return Err(Error::parameter("the ratio of the sample rates", to_rate / from_rate, allowed));
        }
        let divisor = greatest_common_divisor(from, to);
        Ok(Ratio { up: to / divisor, down: from / divisor })
    }

    /// The ratio in the other direction.
    #[must_use]
    pub fn inverse(self) -> Ratio {
        Ratio { up: self.down, down: self.up }
    }
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
