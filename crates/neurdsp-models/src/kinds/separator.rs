//! Models that take a recording apart.

use super::model::Model;
use crate::container::parity::{Parity, Verification};
use crate::container::tensor::{Tensor, Tensors};
use crate::error::Result;

/// A model that takes a recording apart into stems, such as the instruments of a drum kit.
pub trait Separator: Model {
    /// The names of the stems, in ascending order.
    fn stems(&self) -> Vec<String>;

    /// Separates a recording of shape `[channels, samples]`; every stem has that shape.
    ///
    /// # Errors
    /// A recording of another shape, or with other channels than the model's [`audio`](Model::audio).
    fn separate(&self, recording: &Tensor) -> Result<Tensors>;

    /// Separates `parity.input` and compares the stems with `parity.output.STEM`.
    ///
    /// # Errors
    /// Vectors that do not fit the model.
    fn prove(&self, parity: &Parity) -> Result<Verification> {
        parity.measure(&self.separate(parity.input()?)?)
    }
}
