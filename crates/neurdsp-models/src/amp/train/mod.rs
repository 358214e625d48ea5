//! Training: a network's outputs, and the gradients with respect to its weights and its input, from crops of audio.
//!
//! The weights are laid out as in the file that ships: the flat list of the `.nam` format, or the tensors of a residual
//! network one after the other. Each crop is processed by one thread and has its own gradient; the gradients are summed in
//! the order of the crops, so results are the same to the bit for any number of threads.

mod backward;
mod forward;
mod geometry;
mod plan;
mod scratch;
mod tape;
mod tiles;

use std::sync::Arc;

use neurdsp_dsp::parallel::{self, Idle};
pub use neurdsp_nn::train::Element;
use neurdsp_simd::{FlushDenormals, Isa};

use crate::amp::nam::WavenetNetwork;
use crate::amp::residual::ResidualConfig;
use crate::error::{Error, Result};
use backward::Backward;
use forward::Forward;
use geometry::Geometry;
use plan::Plan;
use scratch::Scratch;

pub use tape::Tape;

/// The most samples of a crop: 22 s at 48 kHz.
const MAX_CROP: usize = 1 << 20;

/// A WaveNet or a residual network to be trained, without its weights.
///
/// # Example
/// ```
/// use neurdsp_models::amp::train::WavenetTrainer;
/// use neurdsp_models::amp::residual::ResidualConfig;
///
/// let config = ResidualConfig { channels: 1, num_layers: 1, kernel_size: 2, dilation_base: 1 };
/// let trainer = WavenetTrainer::<f64>::residual(&config)?;
/// // h = x, y = h + tanh(0.5 h[t - 1] + 0 h[t])
/// let weights = [1.0, 0.0, 0.5, 0.0, 0.0, 1.0, 0.0];
/// let input = [0.25, -1.0, 0.5];
/// let (mut output, mut tape) = ([0.0; 2], trainer.tape(3, 1)?);
/// trainer.forward(&weights, &input, 3, &mut output, &mut tape, 1)?;
/// assert!((output[0] - (-1.0 + 0.125_f64.tanh())).abs() < 1e-12);
///
/// let mut gradient = vec![0.0; trainer.n_parameters()];
/// trainer.backward(&weights, &tape, 3, &[1.0, 0.0], &mut gradient, None, 1)?;
/// assert_eq!(gradient[6], 1.0); // over the bias of the output
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
#[derive(Debug)]
pub struct WavenetTrainer<T> {
    plan: Plan,
    isa: Isa,
    scratch: Idle<Scratch<T>>,
    tapes: Arc<Idle<Vec<T>>>,
}

impl<T: Element> WavenetTrainer<T> {
    /// A WaveNet of the `.nam` format; its own weights are ignored.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for what can be played but not trained: films, blended layers, groups, a condition that is a
    /// model, a head after the arrays, several inputs or outputs, the activation Fasttanh.
    pub fn nam(network: &WavenetNetwork) -> Result<Self> {
        Ok(Self::new(Plan::of_nam(network)?))
    }

    /// A residual network; its weights are its tensors one after the other, in the order of
    /// [`ResidualWeights`](crate::amp::residual::ResidualWeights).
    ///
    /// # Errors
    /// As [`ResidualConfig::validate`].
    pub fn residual(config: &ResidualConfig) -> Result<Self> {
        Ok(Self::new(Plan::of_residual(config)?))
    }

    fn new(plan: Plan) -> Self {
        Self { plan, isa: Isa::detect(), scratch: Idle::default(), tapes: Arc::default() }
    }

    /// The number of weights.
    pub fn n_parameters(&self) -> usize {
        self.plan.n_parameters
    }

    /// How many input samples, the current one included, an output sample depends on.
    pub fn receptive_field(&self) -> usize {
        self.plan.receptive_field
    }

    /// The number of values that the forward pass keeps for a crop of `n_samples`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if the crop is shorter than a receptive field, or over 2²⁰ samples long.
    pub fn tape_len(&self, n_samples: usize) -> Result<usize> {
        Ok(self.geometry(n_samples)?.tape_len())
    }

    /// Memory for what the forward pass keeps of `n_crops` crops.
    ///
    /// # Errors
    /// As [`tape_len`](Self::tape_len), and [`Error::TooLarge`] if there is no memory for it.
    pub fn tape(&self, n_samples: usize, n_crops: usize) -> Result<Tape<T>> {
        Tape::new(self.tape_len(n_samples)?.saturating_mul(n_crops), &self.tapes)
    }

    fn geometry(&self, n_samples: usize) -> Result<Geometry> {
        if (self.plan.receptive_field..=MAX_CROP).contains(&n_samples) {
            return Ok(Geometry::new(&self.plan, n_samples));
        }
        Err(Error::OutOfRange {
            name: "the number of samples of a crop".to_owned(),
            got: n_samples.to_string(),
            expected: format!("{}, the receptive field, to {MAX_CROP}", self.plan.receptive_field),
        })
    }

    /// Computes the outputs whose whole receptive field lies in the input.
    ///
    /// # Parameters
    /// - `weights`: `[n_parameters]`
    /// - `input`: `[crops][n_samples]`
    /// - `output`: `[crops][n_samples - receptive_field + 1]`
    /// - `tape`: `[crops][tape_len]`, for [`backward`](Self::backward); previous contents are ignored
    ///
    /// # Errors
    /// As [`tape_len`](Self::tape_len), or a slice of the wrong length.
    pub fn forward(
        &self,
        weights: &[T],
        input: &[T],
        n_samples: usize,
        output: &mut [T],
        tape: &mut [T],
        n_threads: usize,
    ) -> Result<()> {
        let geometry = self.geometry(n_samples)?;
        let n_crops = input.len() / n_samples;
        check("the weights", weights.len(), self.plan.n_parameters)?;
        check("the input", input.len(), n_crops * n_samples)?;
        check("the output", output.len(), n_crops * geometry.n_outputs)?;
        check("the tape", tape.len(), n_crops * geometry.tape_len())?;
        let forward = Forward::new(&self.plan, weights, self.isa);
        let crops = input
            .chunks_exact(n_samples)
            .zip(output.chunks_exact_mut(geometry.n_outputs))
            .zip(tape.chunks_exact_mut(geometry.tape_len()));
        parallel::for_each(
            n_threads,
            crops.collect(),
            &Idle::default(),
            || (),
            |(), ((input, output), tape)| {
                let _guard = FlushDenormals::new();
                forward.run(&geometry, input, output, tape);
            },
        );
        Ok(())
    }

    /// Computes the gradients with respect to the weights and the input.
    ///
    /// # Parameters
    /// - `weights`, `tape`: of the [`forward`](Self::forward) pass
    /// - `output_gradient`: `[crops][n_samples - receptive_field + 1]`
    /// - `weight_gradient`: `[n_parameters]`, overwritten
    /// - `input_gradient`: `[crops][n_samples]`, overwritten; `None` skips it
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    #[allow(clippy::too_many_arguments)]
    pub fn backward(
        &self,
        weights: &[T],
        tape: &[T],
        n_samples: usize,
        output_gradient: &[T],
        weight_gradient: &mut [T],
        input_gradient: Option<&mut [T]>,
        n_threads: usize,
    ) -> Result<()> {
        let geometry = self.geometry(n_samples)?;
        let n_crops = output_gradient.len() / geometry.n_outputs;
        let n_parameters = self.plan.n_parameters;
        check("the weights", weights.len(), n_parameters)?;
        check("the gradient over the output", output_gradient.len(), n_crops * geometry.n_outputs)?;
        check("the tape", tape.len(), n_crops * geometry.tape_len())?;
        check("the gradient over the weights", weight_gradient.len(), n_parameters)?;
        let wants_input = input_gradient.is_some();
        let mut nothing = vec![T::default(); if wants_input { 0 } else { n_crops }];
        let input_gradient = input_gradient.unwrap_or(&mut nothing);
        let n_input = if wants_input { n_samples } else { 1 };
        check("the gradient over the input", input_gradient.len(), n_crops * n_input)?;

        let backward = Backward::new(&self.plan, weights, wants_input, self.isa);
        let mut gradients = vec![T::default(); n_crops * n_parameters];
        let crops = tape
            .chunks_exact(geometry.tape_len())
            .zip(output_gradient.chunks_exact(geometry.n_outputs))
            .zip(gradients.chunks_exact_mut(n_parameters))
            .zip(input_gradient.chunks_exact_mut(n_input));
        parallel::for_each(
            n_threads,
            crops.collect(),
            &self.scratch,
            || Scratch::new(self.isa),
            |scratch, (((tape, output_gradient), gradient), input_gradient)| {
                let _guard = FlushDenormals::new();
                backward.run(&geometry, tape, output_gradient, gradient, input_gradient, scratch);
            },
        );
        weight_gradient.fill(T::default());
        for gradient in gradients.chunks_exact(n_parameters) {
            for (sum, &value) in weight_gradient.iter_mut().zip(gradient) {
                *sum += value;
            }
        }
        Ok(())
    }
}

fn check(what: &str, got: usize, expected: usize) -> Result<()> {
    if got == expected {
        return Ok(());
    }
    Err(Error::OutOfRange {
        name: format!("the length of {what}"),
        got: got.to_string(),
        expected: expected.to_string(),
    })
}
