//! Music networks.

use crate::errors::{ParameterError, from_models};
use neurdsp_models::music::{MusicModel, MusicRun};
use neurdsp_models::{Header, Model, ModelFile, Prediction, Tensor, Tensors};
use numpy::{PyArray1, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A music network and one run of it. Calls from several threads take turns.
#[pyclass(frozen, name = "MusicNetwork", module = "neurdsp._core")]
pub(crate) struct PyMusicNetwork {
    model: MusicModel,
    run: Mutex<MusicRun>,
}

#[pymethods]
impl PyMusicNetwork {
    /// A network from its model file.
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let load = || {
            let file = ModelFile::read(&path)?;
            let header = Header::from_metadata(&file.metadata);
            let model = header.and_then(|header| MusicModel::from_file(&file, &header));
            model.map_err(|error| error.in_file(&path))
        };
        let model = py.detach(load).map_err(from_models)?;
        let run = Mutex::new(MusicRun::new(model.network().clone()));
        Ok(Self { model, run })
    }

    /// Makes one step with `[n_inputs]`, or several with `[n_steps, n_inputs]`; gives as many rows of outputs.
    fn step<'py>(
        &self,
        py: Python<'py>,
        inputs: PyReadonlyArrayDyn<'py, f32>,
    ) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
        let values = inputs.as_slice().map_err(|_| ParameterError::new_err("inputs must be contiguous"))?;
        let (shape, values) = (inputs.shape().to_vec(), values.to_vec());
        let step = || {
            let inputs = Tensors::from([("input".to_owned(), Tensor::new(shape, values)?)]);
            Prediction::step(&mut *self.lock(), &inputs)
        };
        // What does not fit is an argument of the caller, not a file.
        let mut outputs = py.detach(step).map_err(|error| ParameterError::new_err(error.to_string()))?;
        let Some(output) = outputs.remove("output") else {
            return Err(ParameterError::new_err("the network gave no output"));
        };
        let values = output.to_f32("output").map_err(from_models)?.into_owned();
        PyArray1::from_vec(py, values).reshape(output.shape)
    }

    /// Returns to the state before the first step.
    fn reset(&self, py: Python<'_>) {
        py.detach(|| self.lock().reset());
    }

    /// Which of the five it is, such as `groove`.
    #[getter]
    fn name(&self) -> &'static str {
        self.model.network().part().name()
    }

    /// How its matrices are stored: `float32` or `int8`.
    #[getter]
    fn precision(&self) -> &'static str {
        self.model.network().precision().name()
    }

    /// Values that a step takes.
    #[getter]
    fn n_inputs(&self) -> usize {
        self.model.network().n_inputs()
    }

    /// Values that a step gives.
    #[getter]
    fn n_outputs(&self) -> usize {
        self.model.network().n_outputs()
    }

    /// The number of trained values.
    #[getter]
    fn parameters(&self) -> usize {
        self.model.n_parameters()
    }

    /// Bytes of the weights in the file, scales included.
    #[getter]
    fn bytes(&self) -> usize {
        self.model.network().n_bytes()
    }

    /// The metadata of the file.
    #[getter]
    fn metadata(&self) -> BTreeMap<String, String> {
        self.model.metadata().clone()
    }
}

impl PyMusicNetwork {
    fn lock(&self) -> MutexGuard<'_, MusicRun> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
