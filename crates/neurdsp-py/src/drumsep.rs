//! Drum separators.

use crate::errors::{ParameterError, from_models};
use crate::modelfile::{Arrays, Metadata, to_tensor};
use neurdsp_models::drumsep::TfcTdfSeparator;
use neurdsp_models::{Header, ModelFile, Tensors};
use numpy::ndarray::{Array3, ArrayView2, Axis};
use numpy::{PyArray3, PyReadonlyArray2, ToPyArray};
use pyo3::prelude::*;

/// A TFC-TDF network.
#[pyclass(frozen, name = "TfcTdf", module = "neurdsp._core")]
pub(crate) struct PyTfcTdf(TfcTdfSeparator);

#[pymethods]
impl PyTfcTdf {
    /// A network from the metadata and the float32 tensors of a model file, which needs no test vectors yet.
    #[new]
    fn new(py: Python<'_>, metadata: Metadata, tensors: Arrays<'_>) -> PyResult<Self> {
        let stored = tensors.iter().map(|(name, array)| Ok((name.clone(), to_tensor(name, array)?)));
        let file = ModelFile { metadata, tensors: stored.collect::<PyResult<Tensors>>()? };
        let load = || {
            let header = Header::from_metadata(&file.metadata)?;
            TfcTdfSeparator::from_file(&file, &header)
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
        Ok(array.to_pyarray(py))
    }
}
