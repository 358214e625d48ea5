//! Drum separators.

use crate::errors::{ParameterError, from_models};
use crate::modelfile::{Arrays, Metadata, model_file};
use neurdsp_models::drumsep::{BandSplit, Precision, TfcTdfSeparator};
use neurdsp_models::{Header, StreamSource, StreamingModel};
use numpy::ndarray::{Array3, ArrayView2, Axis};
use numpy::{IntoPyArray, PyArray3, PyArrayMethods, PyReadonlyArray2};
use pyo3::prelude::*;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A TFC-TDF network.
#[pyclass(frozen, name = "TfcTdf", module = "neurdsp._core")]
pub(crate) struct PyTfcTdf(TfcTdfSeparator);

#[pymethods]
impl PyTfcTdf {
    /// A network from the metadata and the float32 tensors of a model file, which needs no test vectors yet. Its 3x3
    /// convolutions multiply in `float32` or, where the processor can, in `bfloat16`.
    #[new]
    #[pyo3(signature = (metadata, tensors, precision = "float32"))]
    fn new(py: Python<'_>, metadata: Metadata, tensors: Arrays<'_>, precision: &str) -> PyResult<Self> {
        let precision = match precision {
            "float32" => Precision::Float32,
            "bfloat16" => Precision::BFloat16,
            other => {
                let message = format!("precision is {other:?}, but must be float32 or bfloat16");
                return Err(ParameterError::new_err(message));
            }
        };
        let file = model_file(metadata, &tensors)?;
        let load = || {
            let header = Header::from_metadata(&file.metadata)?;
            TfcTdfSeparator::with_precision(&file, &header, precision)
        };
        py.detach(load).map(Self).map_err(from_models)
    }

    /// One pass over a chunk `(channels, n_samples)`: the stems `(n_stems, channels, n_samples)`.
    fn forward<'py>(
        &self,
        py: Python<'py>,
        chunk: PyReadonlyArray2<'py, f32>,
        n_threads: usize,
    ) -> PyResult<Bound<'py, PyArray3<f32>>> {
        let chunk: ArrayView2<'_, f32> = chunk.as_array();
        let contiguous = || ParameterError::new_err("the chunk must be a contiguous array");
        let rows: Vec<&[f32]> = chunk
            .axis_iter(Axis(0))
            .map(|row| row.to_slice())
            .collect::<Option<_>>()
            .ok_or_else(contiguous)?;
        let stems = py.detach(|| self.0.forward(&rows, n_threads)).map_err(from_models)?;
        let shape = (stems.len(), rows.len(), chunk.ncols());
        let values = stems.concat().concat();
        let array = Array3::from_shape_vec(shape, values)
            .map_err(|error| ParameterError::new_err(error.to_string()))?;
        Ok(array.into_pyarray(py))
    }

    /// Gives back the memory that one pass leaves for the next.
    fn release(&self, py: Python<'_>) {
        py.detach(|| self.0.release());
    }
}

/// A causal band-split network.
#[pyclass(frozen, name = "BandSplit", module = "neurdsp._core")]
pub(crate) struct PyBandSplit(BandSplit);

#[pymethods]
impl PyBandSplit {
    /// As [`PyTfcTdf::new`].
    #[new]
    fn new(py: Python<'_>, metadata: Metadata, tensors: Arrays<'_>) -> PyResult<Self> {
        let file = model_file(metadata, &tensors)?;
        let load = || BandSplit::from_file(&file, &Header::from_metadata(&file.metadata)?);
        py.detach(load).map(Self).map_err(from_models)
    }

    /// A new stream, at the start of a recording.
    fn stream(&self, py: Python<'_>) -> PyResult<PyBandSplitStream> {
        let stream = py.detach(|| self.0.build_stream()).map_err(from_models)?;
        Ok(PyBandSplitStream {
            latency: stream.latency(),
            n_outputs: stream.out_channels(),
            stream: Mutex::new(stream),
        })
    }
}

/// One stream through a band-split network. Calls from several threads take turns.
#[pyclass(frozen, name = "BandSplitStream", module = "neurdsp._core")]
pub(crate) struct PyBandSplitStream {
    latency: usize,
    n_outputs: usize,
    stream: Mutex<Box<dyn StreamingModel>>,
}

#[pymethods]
impl PyBandSplitStream {
    /// Plays one block `(2, n_samples)`, of any length: `(n_outputs, 2, n_samples)`.
    fn process<'py>(
        &self,
        py: Python<'py>,
        block: PyReadonlyArray2<'py, f32>,
    ) -> PyResult<Bound<'py, PyArray3<f32>>> {
        let block: ArrayView2<'_, f32> = block.as_array();
        let rows: Option<Vec<&[f32]>> = block.axis_iter(Axis(0)).map(|row| row.to_slice()).collect();
        let Some(rows) = rows.filter(|rows| rows.len() == 2) else {
            return Err(ParameterError::new_err("the block must be a contiguous array of two channels"));
        };
        let array = PyArray3::<f32>::zeros(py, (self.n_outputs / 2, 2, block.ncols()), false);
        let mut writable = array.readwrite();
        let output = writable.as_slice_mut().map_err(|error| ParameterError::new_err(error.to_string()))?;
        if block.ncols() > 0 {
            let mut outputs: Vec<&mut [f32]> = output.chunks_exact_mut(block.ncols()).collect();
            py.detach(|| self.lock().process_channels(&rows, &mut outputs));
        }
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

impl PyBandSplitStream {
    fn lock(&self) -> MutexGuard<'_, Box<dyn StreamingModel>> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
