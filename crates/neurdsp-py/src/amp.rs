//! Amp models: loading one, and playing it block by block.

use crate::errors::{ParameterError, from_models, from_rt};
use crate::operation::operation;
use neurdsp_models::amp::nam::{Conventions, NamFile};
use neurdsp_models::{LoadedModel, NamOptions, StreamingModel};
use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// A model with its weights, which any number of streams share.
#[pyclass(frozen, module = "neurdsp._core")]
pub(crate) struct AmpModel {
    model: LoadedModel,
}

impl AmpModel {
    /// The model, for other parts of the binding.
    pub(crate) fn model(&self) -> &LoadedModel {
        &self.model
    }
}

#[pymethods]
impl AmpModel {
    /// Reads a model file. `size` and `trainer`, for its conventions, concern `.nam` models.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf, size: Option<f64>, trainer: bool) -> PyResult<AmpModel> {
        let conventions = if trainer { Conventions::Trainer } else { Conventions::Core };
        let load = || neurdsp_models::load_with(&path, &NamOptions { size, conventions });
        py.detach(load).map(|model| AmpModel { model }).map_err(from_models)
    }

    /// A new stream in the state after silence for ever, for audio at this rate or at the model's own.
    #[pyo3(signature = (sample_rate=None, oversample=1, low_latency=false))]
    fn stream(
        &self,
        py: Python<'_>,
        sample_rate: Option<f64>,
        oversample: usize,
        low_latency: bool,
    ) -> PyResult<AmpStream> {
        let operation = operation(sample_rate.unwrap_or(self.model.sample_rate()), oversample, low_latency);
        let stream = py.detach(|| neurdsp_rt::build_stream(&self.model, operation)).map_err(from_rt)?;
        Ok(AmpStream { latency: stream.latency(), stream: Mutex::new(stream) })
    }

    /// The same model with its knobs at other positions, one for each.
    fn with_knobs(&self, py: Python<'_>, positions: Vec<f32>) -> PyResult<AmpModel> {
        let model = py.detach(|| self.model.with_knobs(&positions)).map_err(from_models)?;
        Ok(AmpModel { model })
    }

    /// Name, position and default position of each knob.
    #[getter]
    fn knobs(&self) -> Vec<(String, f32, f32)> {
        let knobs = self.model.knobs().iter().zip(self.model.positions());
        knobs.map(|(knob, &position)| (knob.name.clone(), position, knob.default)).collect()
    }

    /// In hertz.
    #[getter]
    fn sample_rate(&self) -> f64 {
        self.model.sample_rate()
    }

    /// How many input samples an output sample depends on.
    #[getter]
    fn receptive_field(&self) -> usize {
        self.model.receptive_field()
    }

    /// The latency in samples.
    #[getter]
    fn latency(&self) -> usize {
        self.model.latency()
    }

    /// The number of trained values.
    #[getter]
    fn n_parameters(&self) -> usize {
        self.model.n_parameters()
    }

    /// Family and architecture, such as `amp.wavenet`.
    #[getter]
    fn architecture(&self) -> &str {
        self.model.architecture()
    }

    /// The sizes at which the model or its number of channels changes.
    #[getter]
    fn size_steps(&self) -> Vec<f64> {
        self.model.nam().map(NamFile::size_steps).unwrap_or_default()
    }

    /// What the file says about the device and the capture, as JSON.
    #[getter]
    fn capture(&self) -> String {
        self.model.capture().to_json()
    }

    /// The config of a `.nam` model as JSON, with empty lists of weights.
    #[getter]
    fn nam_config(&self) -> PyResult<Option<String>> {
        self.model.nam().map(|file| file.document()).transpose().map_err(from_models)
    }

    /// The metadata of the file.
    #[getter]
    fn metadata(&self) -> BTreeMap<String, String> {
        self.model.metadata().clone()
    }
}

/// One stream through a model. Calls from several threads take turns.
#[pyclass(frozen, module = "neurdsp._core")]
pub(crate) struct AmpStream {
    latency: usize,
    stream: Mutex<Box<dyn StreamingModel>>,
}

#[pymethods]
impl AmpStream {
    /// Plays one block, of any length, and returns as many samples.
    fn process<'py>(&self, block: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let py = block.py();
        let wrong = |what: &str| {
            ParameterError::new_err(format!(
                "block {what}, but it must be a contiguous float32 array of one dimension; \
                 convert it with numpy.ascontiguousarray(block, dtype=numpy.float32)"
            ))
        };
        let Ok(block) = block.extract::<PyReadonlyArray1<'py, f32>>() else {
            return Err(wrong(&describe(block)));
        };
        let input = block.as_slice().map_err(|_| wrong("is not contiguous"))?;
        let array = PyArray1::<f32>::zeros(py, input.len(), false);
        let mut writable = array.readwrite();
        let output = writable.as_slice_mut().map_err(|_| wrong("is not contiguous"))?;
        py.detach(|| self.lock().process(input, output));
        drop(writable);
        Ok(array)
    }

    /// The latency in samples.
    #[getter]
    fn latency(&self) -> usize {
        self.latency
    }

    /// Forgets the past.
    fn reset(&self, py: Python<'_>) {
        py.detach(|| self.lock().reset());
    }
}

impl AmpStream {
    fn lock(&self) -> std::sync::MutexGuard<'_, Box<dyn StreamingModel>> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Describes an object for a message: its type, and the number type and dimensions of an array.
fn describe(object: &Bound<'_, PyAny>) -> String {
    let kind = object.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
    match (object.getattr("dtype"), object.getattr("ndim")) {
        (Ok(dtype), Ok(ndim)) => format!("is {kind} of {dtype} with {ndim} dimensions"),
        _ => format!("is {kind}"),
    }
}
