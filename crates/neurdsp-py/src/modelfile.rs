//! Model files: reading, writing and verifying them.

use crate::errors::{ParameterError, from_models};
use neurdsp_models::amp::nam::NamFile;
use neurdsp_models::amp::residual::{ResidualConfig, ResidualWeights};
use neurdsp_models::amp::to_nam;
use neurdsp_models::{LoadedModel, ModelFile, SeedModel, Tensor, Tensors};
use numpy::{PyArray1, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::path::PathBuf;

type Arrays<'py> = BTreeMap<String, Bound<'py, PyArrayDyn<f32>>>;
type BorrowedArrays<'py> = BTreeMap<String, PyReadonlyArrayDyn<'py, f32>>;
/// `channels`, `num_layers`, `kernel_size`, `dilation_base`.
type Shape = (usize, usize, usize, usize);

/// Reads a model file and checks every key and tensor; gives metadata and tensors.
#[pyfunction]
pub(crate) fn read_model_file(
    py: Python<'_>,
    path: PathBuf,
) -> PyResult<(BTreeMap<String, String>, Arrays<'_>)> {
    let read = || {
        let file = ModelFile::read(&path)?;
        LoadedModel::from_file(&file).map_err(|error| error.in_file(&path))?;
        Ok(file)
    };
    let file = py.detach(read).map_err(from_models)?;
    Ok((file.metadata, to_arrays(py, file.tensors)?))
}

/// Writes a model file, after the checks that a reader makes.
#[pyfunction]
pub(crate) fn write_model_file(
    py: Python<'_>,
    path: PathBuf,
    metadata: BTreeMap<String, String>,
    tensors: BorrowedArrays<'_>,
) -> PyResult<()> {
    let file = ModelFile { metadata, tensors: to_tensors(&tensors)? };
    let write = || {
        LoadedModel::from_file(&file).map_err(|error| error.in_file(&path))?;
        file.write(&path)
    };
    py.detach(write).map_err(from_models)
}

/// Runs the parity vectors of a file; gives the error and the threshold in dB, and the number of samples.
#[pyfunction]
pub(crate) fn verify_model_file(py: Python<'_>, path: PathBuf) -> PyResult<(f64, f64, usize)> {
    let verify = || neurdsp_models::load(&path)?.verify().map_err(|error| error.in_file(&path));
    let result = py.detach(verify).map_err(from_models)?;
    Ok((result.error_db, result.threshold_db, result.n_samples))
}

/// Reads the JSON of an amp model; gives name, sample rate, shape and tensors.
#[pyfunction]
pub(crate) fn read_amp_json(py: Python<'_>, path: PathBuf) -> PyResult<(String, f64, Shape, Arrays<'_>)> {
    let read = || {
        let model = SeedModel::read(&path)?;
        let tensors = model.weights.to_tensors(&model.config)?;
        Ok((model, tensors))
    };
    let (model, tensors) = py.detach(read).map_err(from_models)?;
    let ResidualConfig { channels, num_layers, kernel_size, dilation_base } = model.config;
    let shape = (channels, num_layers, kernel_size, dilation_base);
    Ok((model.name, model.sample_rate, shape, to_arrays(py, tensors)?))
}

/// Reads a `.nam` file, or the folder of an older one, and writes the model file of it.
#[pyfunction]
pub(crate) fn nam_to_model_file(
    py: Python<'_>,
    source: PathBuf,
    target: PathBuf,
    producer: String,
) -> PyResult<()> {
    let convert = || {
        let file = if source.is_dir() { NamFile::read_folder(&source) } else { NamFile::read(&source) }?;
        let model = file.to_model_file(&producer).map_err(|error| error.in_file(&source))?;
        model.write(&target)
    };
    py.detach(convert).map_err(from_models)
}

/// Writes a `.nam` file of a model file, or of the JSON of an amp model; `capture` is the metadata of one that has none
/// of its own, as JSON.
#[pyfunction]
pub(crate) fn model_to_nam(
    py: Python<'_>,
    source: PathBuf,
    target: PathBuf,
    capture: String,
) -> PyResult<()> {
    let convert = || to_nam(&source, &capture)?.write(&target);
    py.detach(convert).map_err(from_models)
}

/// Reads a `.nam` file that was written from an amp model; gives sample rate, shape and tensors of that model.
#[pyfunction]
pub(crate) fn read_nam_as_amp(py: Python<'_>, path: PathBuf) -> PyResult<(f64, Shape, Arrays<'_>)> {
    let read = || {
        let file = NamFile::read(&path)?;
        let (config, weights) = file.to_amp().map_err(|error| error.in_file(&path))?;
        Ok((file.sample_rate(), config, weights.to_tensors(&config)?))
    };
    let (sample_rate, config, tensors) = py.detach(read).map_err(from_models)?;
    let ResidualConfig { channels, num_layers, kernel_size, dilation_base } = config;
    Ok((sample_rate, (channels, num_layers, kernel_size, dilation_base), to_arrays(py, tensors)?))
}

/// Writes the JSON of an amp model.
#[pyfunction]
pub(crate) fn write_amp_json(
    py: Python<'_>,
    path: PathBuf,
    name: String,
    sample_rate: f64,
    shape: Shape,
    tensors: BorrowedArrays<'_>,
) -> PyResult<()> {
    let (channels, num_layers, kernel_size, dilation_base) = shape;
    let config = ResidualConfig { channels, num_layers, kernel_size, dilation_base };
    let tensors = to_tensors(&tensors)?;
    let write = || {
        let weights = ResidualWeights::from_tensors(&config, &tensors)?;
        SeedModel { name, sample_rate, config, weights }.write(&path)
    };
    py.detach(write).map_err(|error| from_models(error.in_file(&path)))
}

fn to_arrays(py: Python<'_>, tensors: Tensors) -> PyResult<Arrays<'_>> {
    let array = |(name, tensor): (String, Tensor)| {
        let values = PyArray1::from_vec(py, tensor.data);
        Ok((name, values.reshape(tensor.shape.as_slice())?))
    };
    tensors.into_iter().map(array).collect()
}

fn to_tensors(arrays: &BorrowedArrays<'_>) -> PyResult<Tensors> {
    let tensor = |(name, array): (&String, &PyReadonlyArrayDyn<'_, f32>)| {
        let Ok(values) = array.as_slice() else {
            return Err(ParameterError::new_err(format!(
                "the tensor {name} is not contiguous; convert it with numpy.ascontiguousarray"
            )));
        };
        Ok((name.clone(), Tensor { shape: array.shape().to_vec(), data: values.to_vec() }))
    };
    arrays.iter().map(tensor).collect()
}
