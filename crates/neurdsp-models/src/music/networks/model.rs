//! A music network as a model: a predictor of rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::network::MusicNetwork;
use super::run::MusicRun;
use crate::container::file::ModelFile;
use crate::container::header::{AudioSpec, Header};
use crate::container::parity::{INPUT, OUTPUT, Parity};
use crate::container::tensor::{Tensor, Tensors, element_count, expect_finite};
use crate::error::{Error, Result};
use crate::kinds::{Model, Prediction, Predictor};

/// Values of a parity vector, and its steps: verifying the largest network must not take longer than seconds.
const MAX_PARITY_VALUES: usize = 1 << 18;
const MAX_PARITY_STEPS: usize = 256;
const PARITY_PREFIX: &str = "parity.";

/// A music network with what its file says about it.
///
/// As a [`Predictor`] it takes `input`, a row of inputs or rows of them `[steps, inputs]`, and gives as many rows of `output`;
/// rows are steps that follow each other.
#[derive(Debug)]
pub struct MusicModel {
    network: Arc<MusicNetwork>,
    audio: AudioSpec,
    metadata: BTreeMap<String, String>,
    parity: Option<Parity>,
}

impl MusicModel {
    /// Takes a network out of a model file, after checking its config and every tensor.
    ///
    /// # Errors
    /// What is wrong with the file, by the name of the value or the tensor.
    pub fn from_file(file: &ModelFile, header: &Header) -> Result<MusicModel> {
        let network = Arc::new(MusicNetwork::from_file(file, header)?);
        let has_parity = file.tensors.keys().any(|name| name.starts_with(PARITY_PREFIX));
        let parity = || Parity::from_tensors(&file.tensors, header.parity_db, MAX_PARITY_VALUES);
        let parity = if has_parity { Some(parity()?) } else { None };
        let rows = |input: &Tensor| if input.shape.len() == 2 { input.shape[0] } else { 1 };
        let steps = parity.iter().flat_map(|parity| parity.inputs().values().map(rows)).max();
        if let Some(got) = steps.filter(|steps| *steps > MAX_PARITY_STEPS) {
            return Err(Error::OutOfRange {
                name: "the number of steps of parity.input".to_owned(),
                got: got.to_string(),
                expected: format!("at most {MAX_PARITY_STEPS}"),
            });
        }
        Ok(MusicModel { network, audio: header.audio, metadata: file.metadata.clone(), parity })
    }

    /// The weights.
    #[must_use]
    pub fn network(&self) -> &Arc<MusicNetwork> {
        &self.network
    }
}

impl Model for MusicModel {
    fn architecture(&self) -> &str {
        self.network.part().architecture()
    }

    fn audio(&self) -> AudioSpec {
        self.audio
    }

    fn n_parameters(&self) -> usize {
        self.network.n_parameters()
    }

    fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    fn parity(&self) -> Option<&Parity> {
        self.parity.as_ref()
    }
}

impl Predictor for MusicModel {
    fn build(&self) -> Result<Box<dyn Prediction>> {
        Ok(Box::new(MusicRun::new(Arc::clone(&self.network))))
    }
}

impl Prediction for MusicRun {
    fn reset(&mut self) {
        MusicRun::reset(self);
    }

    fn step(&mut self, inputs: &Tensors) -> Result<Tensors> {
        let (n_inputs, n_outputs) = (self.network().n_inputs(), self.network().n_outputs());
        let Some(input) = inputs.get(INPUT) else {
            return Err(Error::MissingTensor { name: INPUT.to_owned(), expected: vec![n_inputs] });
        };
        if let Some(name) = inputs.keys().find(|name| *name != INPUT) {
            let architecture = format!("the inputs of {}", self.network().part().architecture());
            return Err(Error::UnexpectedTensor {
                name: crate::container::json::one_line(name),
                architecture,
            });
        }
        let rows = match input.shape.as_slice() {
            [n] if *n == n_inputs => 1,
            [rows, n] if *n == n_inputs => *rows,
            _ => {
                let rows = if input.shape.len() == 2 { vec![input.shape[0]] } else { Vec::new() };
                return Err(Error::TensorShape {
                    name: INPUT.to_owned(),
                    got: input.shape.clone(),
                    expected: [rows, vec![n_inputs]].concat(),
                });
            }
        };
        input.check(INPUT)?;
        let values = input.to_f32(INPUT)?;
        expect_finite(INPUT, &values)?;
        self.network().check(&values)?;
        let mut shape = input.shape.clone();
        if let Some(last) = shape.last_mut() {
            *last = n_outputs;
        }
        let Some(count) = element_count(&[rows, n_outputs]) else {
            return Err(Error::malformed(INPUT, "its outputs cannot be counted"));
        };
        let mut output = vec![0.0; count];
        for (from, to) in values.chunks_exact(n_inputs).zip(output.chunks_exact_mut(n_outputs)) {
            MusicRun::step(self, from, to);
        }
        Ok(Tensors::from([(OUTPUT.to_owned(), Tensor::new(shape, output)?)]))
    }
}
