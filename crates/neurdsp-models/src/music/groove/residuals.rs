//! What a drummer does beyond what can be foretold: chance with the shape and the memory that was measured.
//!
//! A mean of human hits is tighter than any human. So each hit also gets a deviation: a normal number, part of it common to
//! all voices and slowly changing, looked up in the quantiles of what the network missed on held-out takes.

use serde::Deserialize;

use super::voices::N_VOICES;
use crate::error::{Error, Result};

/// Normal numbers at which the quantiles are given: −3 to 3.
pub const N_QUANTILES: usize = 13;
const REACH: f32 = 3.0;
/// Steps back over which the common part remembers.
const MEMORY: i64 = 24;

/// Quantiles of what the network misses, and how they hang together.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residuals {
    /// Of the offset in milliseconds, for each voice, without and with a reference, at −3 to 3 standard deviations.
    pub offset_ms: [[[f32; N_QUANTILES]; N_VOICES]; 2],
    /// Of the velocity.
    pub velocity: [[[f32; N_QUANTILES]; N_VOICES]; 2],
    /// Part of the variance of a step that is common to all voices, 0 to 1.
    pub shared: f32,
    /// Correlation of the common part between neighbouring steps, 0 to below 1.
    pub persistence: f32,
}

impl Residuals {
    /// Reads the text that a model file has of them.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it is no such JSON, or a number is out of range.
    pub fn from_json(text: &str) -> Result<Residuals> {
        let malformed =
            |reason: String| Error::Malformed { what: "groove.residuals of the metadata".into(), reason };
        let found: Residuals = serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
        let mut values = found.offset_ms.iter().chain(&found.velocity).flatten().flatten();
        if values.any(|value| !value.is_finite() || value.abs() > 1_000.0) {
            return Err(malformed("a quantile is not within 1000".into()));
        }
        if !(0.0..=1.0).contains(&found.shared) || !(0.0..1.0).contains(&found.persistence) {
            return Err(malformed("shared or persistence is not within 0 to 1".into()));
        }
        Ok(found)
    }

    /// The deviation of a hit: offset in milliseconds, and velocity.
    ///
    /// It depends on the arguments alone, so parts of a piece can be asked for in any order.
    ///
    /// # Arguments
    /// * `unit`: its step, in twelfths of a quarter note from the start of the piece.
    #[must_use]
    pub fn draw(&self, seed: u64, unit: i64, voice: usize, reference: bool) -> (f32, f32) {
        let kind = usize::from(reference);
        let own = |stream| normal(seed, stream + 2 * voice as u64, unit);
        let common = self.common(seed, unit);
        let offset = self.shared.sqrt() * common + (1.0 - self.shared).sqrt() * own(2);
        (
            interpolated(&self.offset_ms[kind][voice], offset),
            interpolated(&self.velocity[kind][voice], own(3)),
        )
    }

    /// The slowly changing part, a normal number: a decaying mean of one number for each sixteenth.
    fn common(&self, seed: u64, unit: i64) -> f32 {
        let step = unit.div_euclid(3);
        let (mut sum, mut power, mut factor) = (0.0, 0.0, 1.0_f32);
        for back in 0..MEMORY {
            sum += factor * normal(seed, 0, step - back);
            power += factor * factor;
            factor *= self.persistence;
        }
        sum / f32::sqrt(power)
    }
}

/// The quantile at a normal number; beyond the table its ends.
fn interpolated(quantiles: &[f32; N_QUANTILES], at: f32) -> f32 {
    let place = (at.clamp(-REACH, REACH) + REACH) * ((N_QUANTILES - 1) as f32 / (2.0 * REACH));
    let below = (place as usize).min(N_QUANTILES - 2);
    let part = place - below as f32;
    quantiles[below] + part * (quantiles[below + 1] - quantiles[below])
}

/// A normal number that depends on the arguments alone (G. E. P. Box, M. E. Muller, 1958).
fn normal(seed: u64, stream: u64, index: i64) -> f32 {
    let first = hash(seed ^ hash(stream.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ hash(index as u64)));
    let second = hash(first);
    let uniform = |bits: u64| ((bits >> 40) as f32 + 0.5) / (1_u64 << 24) as f32;
    (-2.0 * uniform(first).ln()).sqrt() * (std::f32::consts::TAU * uniform(second)).cos()
}

/// The finaliser of SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", 2014).
fn hash(value: u64) -> u64 {
    let mut bits = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standard(shared: f32, persistence: f32) -> Residuals {
        let line = std::array::from_fn(|index| index as f32 / 2.0 - 3.0);
        Residuals { offset_ms: [[line; N_VOICES]; 2], velocity: [[line; N_VOICES]; 2], shared, persistence }
    }

    fn correlation(one: &[f32], other: &[f32]) -> f32 {
        let product: f32 = one.iter().zip(other).map(|(a, b)| a * b).sum();
        let power = |values: &[f32]| values.iter().map(|value| value * value).sum::<f32>();
        product / (power(one) * power(other)).sqrt()
    }

    #[test]
    fn deviations_have_the_spread_of_the_table_and_the_correlation_that_was_asked_for() {
        let residuals = standard(0.5, 0.8);
        let drawn = |voice| (0..40_000).map(|step| residuals.draw(7, 3 * step, voice, false).0).collect();
        let (kick, snare): (Vec<f32>, Vec<f32>) = (drawn(0), drawn(1));
        let spread = (kick.iter().map(|value| value * value).sum::<f32>() / kick.len() as f32).sqrt();
        assert!((spread - 1.0).abs() < 0.02, "{spread}");
        assert!((correlation(&kick, &snare) - 0.5).abs() < 0.03);
        assert!((correlation(&kick[1..], &kick[..kick.len() - 1]) - 0.4).abs() < 0.03);
    }

    #[test]
    fn a_seed_gives_the_same_deviations_and_another_seed_others() {
        let residuals = standard(0.3, 0.5);
        assert_eq!(residuals.draw(1, 9, 2, true), residuals.draw(1, 9, 2, true));
        assert_ne!(residuals.draw(1, 9, 2, true), residuals.draw(2, 9, 2, true));
    }

    #[test]
    fn text_that_is_damaged_is_refused() {
        assert!(Residuals::from_json("{}").is_err());
        let wild = r#"{"offset_ms": [], "velocity": [], "shared": 0.5, "persistence": 2}"#;
        assert!(Residuals::from_json(wild).is_err());
    }
}
