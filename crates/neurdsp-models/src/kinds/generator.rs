//! Models that make audio.

use super::model::Model;
use crate::container::parity::{OUTPUT, Parity, Verification};
use crate::container::tensor::{Tensor, Tensors, expect_floats};
use crate::error::{Error, Result};

/// The name of the parity vector that holds the seed.
const SEED: &str = "seed";
/// The largest whole number up to which a 32-bit float holds every one.
const MAX_PARITY_SEED: f32 = 16_777_216.0;

/// A model that makes audio from a condition and a seed.
pub trait Generator: Model {
    /// Makes audio of shape `[channels, samples]`. The same condition and seed give the same samples.
    ///
    /// # Errors
    /// A condition that lacks a tensor, or has one of another name or shape.
    fn generate(&self, condition: &Tensors, seed: u64) -> Result<Tensor>;

    /// Generates from `parity.input.seed`, one whole number, and the other inputs as the condition; compares the audio
    /// with `parity.output`.
    ///
    /// # Errors
    /// Vectors that do not fit the model.
    fn prove(&self, parity: &Parity) -> Result<Verification> {
        let mut condition = parity.inputs().clone();
        let seed = seed(&condition)?;
        condition.remove(SEED);
        let audio = self.generate(&condition, seed)?;
        parity.measure(&Tensors::from([(OUTPUT.to_owned(), audio)]))
    }
}

fn seed(inputs: &Tensors) -> Result<u64> {
    let value = expect_floats(inputs, SEED, &[1])?[0];
    if value.fract() == 0.0 && (0.0..=MAX_PARITY_SEED).contains(&value) {
        return Ok(value as u64);
    }
    Err(Error::OutOfRange {
        name: format!("parity.input.{SEED}"),
        got: value.to_string(),
        expected: format!("a whole number from 0 to {MAX_PARITY_SEED}"),
    })
}
