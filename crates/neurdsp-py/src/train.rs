//! The passes of training: a network's outputs, and gradients.

use crate::dsp::{is_double, refuse};
use crate::errors::ParameterError;
use neurdsp_models as models;
use neurdsp_models::amp::nam::WavenetNetwork;
use neurdsp_models::amp::residual::ResidualConfig;
use neurdsp_models::amp::train::{Tape, WavenetTrainer};
use numpy::ndarray::ArrayView1;
use numpy::{Element, PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use numpy::{PyReadwriteArray1, PyReadwriteArray2};
use pyo3::prelude::*;

/// A WaveNet to be trained, in both precisions; the weights are given with every call.
#[pyclass(frozen, name = "WavenetTrainer", module = "neurdsp._core")]
pub(crate) struct PyWavenetTrainer {
    single: WavenetTrainer<f32>,
    double: WavenetTrainer<f64>,
}

/// Keeps the memory of a tape alive while an array shows it.
#[pyclass(frozen)]
struct Single(Tape<f32>);

/// As [`Single`].
#[pyclass(frozen)]
struct Double(Tape<f64>);

fn raise(error: models::Error) -> PyErr {
    ParameterError::new_err(error.to_string())
}

fn strided() -> PyErr {
    refuse("arrays must be contiguous; pass numpy.ascontiguousarray(...)")
}

/// An array `(n,)` over the memory of a tape.
macro_rules! show {
    ($owner:expr) => {{
        let owner = $owner?;
        let view = ArrayView1::from(&owner.get().0[..]);
        // SAFETY: the array holds its owner, which is frozen and so keeps the memory where it is until it is dropped.
        Ok(unsafe { PyArray1::borrow_from_array(&view, owner.clone().into_any()) }.into_any())
    }};
}
#[pymethods]
impl PyWavenetTrainer {
    /// A network of the `.nam` format, from its config as JSON.
    #[staticmethod]
    fn nam(config: &str) -> PyResult<Self> {
        let network = WavenetNetwork::from_config(config.as_bytes()).map_err(raise)?;
        let (single, double) = (WavenetTrainer::nam(&network), WavenetTrainer::nam(&network));
        Ok(Self { single: single.map_err(raise)?, double: double.map_err(raise)? })
    }

    /// A residual network.
    #[staticmethod]
    fn residual(
        channels: usize,
        num_layers: usize,
        kernel_size: usize,
        dilation_base: usize,
    ) -> PyResult<Self> {
        let config = ResidualConfig { channels, num_layers, kernel_size, dilation_base };
        let (single, double) = (WavenetTrainer::residual(&config), WavenetTrainer::residual(&config));
        Ok(Self { single: single.map_err(raise)?, double: double.map_err(raise)? })
    }

    /// The number of weights.
    #[getter]
    fn n_parameters(&self) -> usize {
        self.single.n_parameters()
    }

    /// How many input samples an output sample depends on.
    #[getter]
    fn receptive_field(&self) -> usize {
        self.single.receptive_field()
    }

    /// How many values are kept of a crop of so many samples.
    fn tape_len(&self, n_samples: usize) -> PyResult<usize> {
        self.single.tape_len(n_samples).map_err(raise)
    }

    /// Fills `outputs (batch, n_samples - receptive_field + 1)` from `inputs (batch, n_samples)`, and returns what the
    /// backward pass needs.
    fn forward<'py>(
        &self,
        py: Python<'py>,
        weights: &Bound<'py, PyAny>,
        inputs: &Bound<'py, PyAny>,
        outputs: &Bound<'py, PyAny>,
        n_threads: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        if is_double(weights)? {
            let tape = forward(py, &self.double, weights, inputs, outputs, n_threads)?;
            show!(Bound::new(py, Double(tape)))
        } else {
            let tape = forward(py, &self.single, weights, inputs, outputs, n_threads)?;
            show!(Bound::new(py, Single(tape)))
        }
    }

    /// Fills the gradient over the weights and, unless it is `None`, `input_gradient (batch, n_samples)`.
    #[allow(clippy::too_many_arguments)]
    fn backward(
        &self,
        py: Python<'_>,
        weights: &Bound<'_, PyAny>,
        tape: &Bound<'_, PyAny>,
        n_samples: usize,
        output_gradient: &Bound<'_, PyAny>,
        weight_gradient: &Bound<'_, PyAny>,
        input_gradient: Option<&Bound<'_, PyAny>>,
        n_threads: usize,
    ) -> PyResult<()> {
        let inputs = (weights, tape, output_gradient);
        let outputs = (weight_gradient, input_gradient);
        if is_double(weights)? {
            backward(py, &self.double, n_samples, inputs, outputs, n_threads)
        } else {
            backward(py, &self.single, n_samples, inputs, outputs, n_threads)
        }
    }
}

fn forward<T: Element + models::amp::train::Element>(
    py: Python<'_>,
    trainer: &WavenetTrainer<T>,
    weights: &Bound<'_, PyAny>,
    inputs: &Bound<'_, PyAny>,
    outputs: &Bound<'_, PyAny>,
    n_threads: usize,
) -> PyResult<Tape<T>> {
    let weights: PyReadonlyArray1<'_, T> = weights.extract()?;
    let inputs: PyReadonlyArray2<'_, T> = inputs.extract()?;
    let mut outputs: PyReadwriteArray2<'_, T> = outputs.extract()?;
    let [n_crops, n_samples] = *inputs.as_array().shape() else { return Err(strided()) };
    let (weights, inputs) =
        (weights.as_slice().map_err(|_| strided())?, inputs.as_slice().map_err(|_| strided())?);
    let outputs = outputs.as_slice_mut().map_err(|_| strided())?;
    py.detach(|| {
        let mut tape = trainer.tape(n_samples, n_crops)?;
        trainer.forward(weights, inputs, n_samples, outputs, &mut tape, n_threads)?;
        Ok(tape)
    })
    .map_err(raise)
}

type Arrays<'a, 'py> = (&'a Bound<'py, PyAny>, &'a Bound<'py, PyAny>, &'a Bound<'py, PyAny>);
type Gradients<'a, 'py> = (&'a Bound<'py, PyAny>, Option<&'a Bound<'py, PyAny>>);

fn backward<T: Element + models::amp::train::Element>(
    py: Python<'_>,
    trainer: &WavenetTrainer<T>,
    n_samples: usize,
    (weights, tape, output_gradient): Arrays<'_, '_>,
    (weight_gradient, input_gradient): Gradients<'_, '_>,
    n_threads: usize,
) -> PyResult<()> {
    let weights: PyReadonlyArray1<'_, T> = weights.extract()?;
    let tape: PyReadonlyArray1<'_, T> = tape.extract()?;
    let output_gradient: PyReadonlyArray2<'_, T> = output_gradient.extract()?;
    let mut weight_gradient: PyReadwriteArray1<'_, T> = weight_gradient.extract()?;
    let mut input_gradient: Option<PyReadwriteArray2<'_, T>> =
        input_gradient.map(|array| array.extract()).transpose()?;
    let weights = weights.as_slice().map_err(|_| strided())?;
    let tape = tape.as_slice().map_err(|_| strided())?;
    let output_gradient = output_gradient.as_slice().map_err(|_| strided())?;
    let weight_gradient = weight_gradient.as_slice_mut().map_err(|_| strided())?;
    let input_gradient =
        input_gradient.as_mut().map(|array| array.as_slice_mut().map_err(|_| strided())).transpose()?;
    py.detach(|| {
        trainer.backward(
            weights,
            tape,
            n_samples,
            output_gradient,
            weight_gradient,
            input_gradient,
            n_threads,
        )
    })
    .map_err(raise)
}
