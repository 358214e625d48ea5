//! Models that map tensors to tensors.

use super::model::Model;
use crate::container::parity::{Parity, Verification};
use crate::container::tensor::Tensors;
use crate::error::Result;

/// A model that maps tensors to tensors, step by step: the next event of a sequence, say.
pub trait Predictor: Model {
    /// A new run of the model, at its first step.
    ///
    /// # Errors
    /// A state that cannot be allocated.
    fn build(&self) -> Result<Box<dyn Prediction>>;

    /// Makes one step with the parity inputs and compares what comes out with the parity outputs.
    ///
    /// # Errors
    /// Vectors that do not fit the model.
    fn prove(&self, parity: &Parity) -> Result<Verification> {
        parity.measure(&self.build()?.step(parity.inputs())?)
    }
}

/// One run of a [`Predictor`], and the state between its steps.
pub trait Prediction: Send {
    /// Returns to the state before the first step.
    fn reset(&mut self);

    /// Takes the inputs of one step by their names, and gives its outputs by theirs. The model says which names and shapes.
    ///
    /// # Errors
    /// An input that is missing, unknown or of another shape; the state is then as it was.
    fn step(&mut self, inputs: &Tensors) -> Result<Tensors>;
}
