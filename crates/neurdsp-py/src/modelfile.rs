//! Model files: reading, writing and verifying them.

use crate::errors::{ParameterError, from_models};
use neurdsp_models::amp::nam::NamFile;
use neurdsp_models::amp::residual::{ResidualConfig, ResidualWeights};
use neurdsp_models::amp::rtneural::{write_aidax, write_proteus};
use neurdsp_models::amp::{NamVersion, json_format, to_nam};
use neurdsp_models::{DType, FAMILIES, Header, Layout, ModelFile, SeedModel, Tensor, Tensors, Values, f16};
use numpy::{Element, PyArray1, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::path::PathBuf;

pub(crate) type Metadata = BTreeMap<String, String>;
/// Number type and shape of each tensor.
type Outline = BTreeMap<String, (&'static str, Vec<usize>)>;
/// Architecture, kind, sample rate in Hz, channels, number of parameters, metadata.
type Description = (String, &'static str, f64, usize, usize, Metadata);
pub(crate) type Arrays<'py> = BTreeMap<String, Bound<'py, PyAny>>;
type FloatArrays<'py> = BTreeMap<String, Bound<'py, PyArrayDyn<f32>>>;
type BorrowedFloatArrays<'py> = BTreeMap<String, PyReadonlyArrayDyn<'py, f32>>;
/// `channels`, `num_layers`, `kernel_size`, `dilation_base`.
type Shape = (usize, usize, usize, usize);

/// Tells a model file from files of other formats by its first bytes; a folder is none.
#[pyfunction]
pub(crate) fn is_model_file(py: Python<'_>, path: PathBuf) -> PyResult<bool> {
    let is_one = || Ok(!path.is_dir() && neurdsp_models::is_model_file(&path)?);
    py.detach(is_one).map_err(from_models)
}

/// Reads the header of a model file and checks it; gives the metadata, and number type and shape of each tensor.
#[pyfunction]
pub(crate) fn model_file_layout(py: Python<'_>, path: PathBuf) -> PyResult<(Metadata, Outline)> {
    let read = || {
        let layout = Layout::read(&path)?;
        Header::from_metadata(&layout.metadata).map_err(|error| error.in_file(&path))?;
        Ok(layout)
    };
    let layout = py.detach(read).map_err(from_models)?;
    let tensors = layout.tensors.into_iter().map(|(name, place)| (name, (place.dtype.name(), place.shape)));
    Ok((layout.metadata, tensors.collect()))
}

/// Reads a model file and checks its header, and the whole model if the engine runs it; gives metadata, tensors and their
/// stored number types.
#[pyfunction]
pub(crate) fn read_model_file(
    py: Python<'_>,
    path: PathBuf,
    engine_runs: bool,
) -> PyResult<(Metadata, Arrays<'_>, BTreeMap<String, &'static str>)> {
    let read = || {
        let file = ModelFile::read(&path)?;
        check(&file, engine_runs).map_err(|error| error.in_file(&path))?;
        Ok(file)
    };
    let file = py.detach(read).map_err(from_models)?;
    let dtypes = file.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.dtype().name())).collect();
    let arrays = file.tensors.into_iter().map(|(name, tensor)| Ok((name, to_array(py, tensor)?)));
    Ok((file.metadata, arrays.collect::<PyResult<_>>()?, dtypes))
}

/// Writes a model file, after the checks that a reader makes. `dtypes` names the type to store a tensor in, if it is not
/// that of its array.
#[pyfunction]
pub(crate) fn write_model_file(
    py: Python<'_>,
    path: PathBuf,
    metadata: Metadata,
    tensors: Arrays<'_>,
    dtypes: BTreeMap<String, String>,
    engine_runs: bool,
) -> PyResult<()> {
    let mut stored = Tensors::new();
    for (name, array) in &tensors {
        let dtype = dtypes.get(name).map(|dtype| dtype_of(name, dtype)).transpose()?;
        let tensor = to_tensor(name, array)?;
        let cast = || match dtype {
            Some(dtype) if dtype != tensor.dtype() => tensor.cast(name, dtype),
            _ => Ok(tensor),
        };
        let tensor = py.detach(cast).map_err(|error| from_models(error.in_file(&path)))?;
        stored.insert(name.clone(), tensor);
    }
    let file = ModelFile { metadata, tensors: stored };
    let write = || {
        check(&file, engine_runs).map_err(|error| error.in_file(&path))?;
        file.write(&path)
    };
    py.detach(write).map_err(from_models)
}

/// Loads a model of any family that the engine runs; gives architecture, kind, sample rate, channels, number of
/// parameters and metadata.
#[pyfunction]
pub(crate) fn describe_model(py: Python<'_>, path: PathBuf) -> PyResult<Description> {
    let model = py.detach(|| neurdsp_models::load_any(&path)).map_err(from_models)?;
    Ok((
        model.architecture().to_owned(),
        model.kind().name(),
        model.audio().sample_rate,
        model.audio().channels,
        model.n_parameters(),
        model.metadata().clone(),
    ))
}

/// Runs the parity vectors of a file; gives the error and the threshold in dB, and the number of samples.
#[pyfunction]
pub(crate) fn verify_model_file(py: Python<'_>, path: PathBuf) -> PyResult<(f64, f64, usize)> {
    let verify = || neurdsp_models::load_any(&path)?.verify().map_err(|error| error.in_file(&path));
    let result = py.detach(verify).map_err(from_models)?;
    Ok((result.error_db, result.threshold_db, result.n_samples))
}

/// Reads the JSON of an amp model; gives name, sample rate, shape and tensors.
#[pyfunction]
pub(crate) fn read_amp_json(
    py: Python<'_>,
    path: PathBuf,
) -> PyResult<(String, f64, Shape, FloatArrays<'_>)> {
    let read = || {
        let model = SeedModel::read(&path)?;
        let tensors = model.weights.to_tensors(&model.config)?;
        Ok((model, tensors))
    };
    let (model, tensors) = py.detach(read).map_err(from_models)?;
    let ResidualConfig { channels, num_layers, kernel_size, dilation_base } = model.config;
    let shape = (channels, num_layers, kernel_size, dilation_base);
    Ok((model.name, model.sample_rate, shape, to_float_arrays(py, tensors)?))
}

/// The format of a JSON file: `.nam`, `AIDA-X JSON`, `Proteus JSON`, or `JSON` for a residual network.
#[pyfunction]
pub(crate) fn amp_json_format(py: Python<'_>, path: PathBuf) -> PyResult<&'static str> {
    py.detach(|| json_format(&path)).map_err(from_models)
}

/// Reads a `.nam` file, the folder of an older one, or an LSTM of another player, and writes the model file of it.
#[pyfunction]
pub(crate) fn nam_to_model_file(
    py: Python<'_>,
    source: PathBuf,
    target: PathBuf,
    producer: String,
) -> PyResult<()> {
    let convert = || {
        let file = to_nam(&source, "{}", NamVersion::Keep)?;
        let model = file.to_model_file(&producer).map_err(|error| error.in_file(&source))?;
        model.write(&target)
    };
    py.detach(convert).map_err(from_models)
}

/// Writes a `.nam` file of a model in any format; `capture` is metadata as JSON, which replaces that of the file under the
/// same keys. `version` is `oldest`, `keep` or `0.5.4`.
#[pyfunction]
pub(crate) fn model_to_nam(
    py: Python<'_>,
    source: PathBuf,
    target: PathBuf,
    capture: String,
    version: &str,
) -> PyResult<()> {
    let version = match version {
        "keep" => NamVersion::Keep,
        "0.5.4" => NamVersion::Plain,
        _ => NamVersion::Oldest,
    };
    let convert = || to_nam(&source, &capture, version)?.write(&target);
    py.detach(convert).map_err(from_models)
}

/// Writes an LSTM of any format as an AIDA-X file, or else as a Proteus file.
#[pyfunction]
pub(crate) fn lstm_to_json(
    py: Python<'_>,
    source: PathBuf,
    target: PathBuf,
    capture: String,
    aidax: bool,
) -> PyResult<()> {
    let convert = || {
        let file = to_nam(&source, &capture, NamVersion::Keep)?;
        if aidax { write_aidax(&file, &target) } else { write_proteus(&file, &target) }
    };
    py.detach(convert).map_err(from_models)
}

/// Reads a `.nam` file that was written from an amp model; gives sample rate, shape and tensors of that model.
#[pyfunction]
pub(crate) fn read_nam_as_amp(py: Python<'_>, path: PathBuf) -> PyResult<(f64, Shape, FloatArrays<'_>)> {
    let read = || {
        let file = NamFile::read(&path)?;
        let (config, weights) = file.to_amp().map_err(|error| error.in_file(&path))?;
        Ok((file.sample_rate(), config, weights.to_tensors(&config)?))
    };
    let (sample_rate, config, tensors) = py.detach(read).map_err(from_models)?;
    let ResidualConfig { channels, num_layers, kernel_size, dilation_base } = config;
    Ok((sample_rate, (channels, num_layers, kernel_size, dilation_base), to_float_arrays(py, tensors)?))
}

/// Writes the JSON of an amp model.
#[pyfunction]
pub(crate) fn write_amp_json(
    py: Python<'_>,
    path: PathBuf,
    name: String,
    sample_rate: f64,
    shape: Shape,
    tensors: BorrowedFloatArrays<'_>,
) -> PyResult<()> {
    let (channels, num_layers, kernel_size, dilation_base) = shape;
    let config = ResidualConfig { channels, num_layers, kernel_size, dilation_base };
    let tensors = to_float_tensors(&tensors)?;
    let write = || {
        let weights = ResidualWeights::from_tensors(&config, &tensors)?;
        SeedModel { name, sample_rate, config, weights }.write(&path)
    };
    py.detach(write).map_err(|error| from_models(error.in_file(&path)))
}

/// Checks the header of a file, and its model if the engine runs it.
fn check(file: &ModelFile, engine_runs: bool) -> neurdsp_models::Result<()> {
    if engine_runs {
        FAMILIES.from_file(file).map(drop)
    } else {
        Header::from_metadata(&file.metadata).map(drop)
    }
}

fn dtype_of(name: &str, dtype: &str) -> PyResult<DType> {
    DType::from_name(dtype).ok_or_else(|| {
        ParameterError::new_err(format!(
            "the dtype of the tensor {name} is {dtype:?}, but must be F32, F16, BF16 or I8"
        ))
    })
}

/// An array of the stored type; BF16, which NumPy does not have, is widened to float32.
fn to_array(py: Python<'_>, tensor: Tensor) -> PyResult<Bound<'_, PyAny>> {
    let shape = tensor.shape;
    match tensor.data {
        Values::F32(values) => shaped(py, values, &shape),
        Values::F16(values) => shaped(py, values, &shape),
        Values::BF16(values) => shaped(py, values.into_iter().map(f32::from).collect(), &shape),
        Values::I8(values) => shaped(py, values, &shape),
    }
}

fn shaped<'py, T: Element>(py: Python<'py>, values: Vec<T>, shape: &[usize]) -> PyResult<Bound<'py, PyAny>> {
    Ok(PyArray1::from_vec(py, values).reshape(shape)?.into_any())
}

fn to_tensor(name: &str, array: &Bound<'_, PyAny>) -> PyResult<Tensor> {
    if let Ok(array) = array.extract::<PyReadonlyArrayDyn<'_, f32>>() {
        return Ok(Tensor { shape: array.shape().to_vec(), data: Values::F32(values_of(name, &array)?) });
    }
    if let Ok(array) = array.extract::<PyReadonlyArrayDyn<'_, f16>>() {
        return Ok(Tensor { shape: array.shape().to_vec(), data: Values::F16(values_of(name, &array)?) });
    }
    if let Ok(array) = array.extract::<PyReadonlyArrayDyn<'_, i8>>() {
        return Ok(Tensor { shape: array.shape().to_vec(), data: Values::I8(values_of(name, &array)?) });
    }
    Err(ParameterError::new_err(format!("the tensor {name} must be an array of float32, float16 or int8")))
}

/// The content of a model file.
pub(crate) fn model_file(metadata: Metadata, tensors: &Arrays<'_>) -> PyResult<ModelFile> {
    let stored = tensors.iter().map(|(name, array)| Ok((name.clone(), to_tensor(name, array)?)));
    Ok(ModelFile { metadata, tensors: stored.collect::<PyResult<Tensors>>()? })
}

fn values_of<T: Element + Copy>(name: &str, array: &PyReadonlyArrayDyn<'_, T>) -> PyResult<Vec<T>> {
    match array.as_slice() {
        Ok(values) => Ok(values.to_vec()),
        Err(_) => Err(ParameterError::new_err(format!(
            "the tensor {name} is not contiguous; convert it with numpy.ascontiguousarray"
        ))),
    }
}

fn to_float_arrays(py: Python<'_>, tensors: Tensors) -> PyResult<FloatArrays<'_>> {
    let array = |(name, tensor): (String, Tensor)| {
        let values = tensor.to_f32(&name).map_err(from_models)?.into_owned();
        let array = PyArray1::from_vec(py, values).reshape(tensor.shape.as_slice())?;
        Ok((name, array))
    };
    tensors.into_iter().map(array).collect()
}

fn to_float_tensors(arrays: &BorrowedFloatArrays<'_>) -> PyResult<Tensors> {
    let tensor = |(name, array): (&String, &PyReadonlyArrayDyn<'_, f32>)| {
        let data = Values::F32(values_of(name, array)?);
        Ok((name.clone(), Tensor { shape: array.shape().to_vec(), data }))
    };
    arrays.iter().map(tensor).collect()
}
