//! Kick drums.

use crate::errors::{ParameterError, from_models};
use crate::modelfile::{Arrays, Metadata, model_file};
use neurdsp_models::kick::{CODE_SIZE, Hybrid, KickCode, KickRenderer, RenderSpec};
use neurdsp_models::{Error, Header};
use neurdsp_simd::parallel::{Idle, for_each};
use numpy::ndarray::{Array2, ArrayView2};
use numpy::{PyArray2, PyReadonlyArray1, PyReadonlyArray2, ToPyArray};
use pyo3::prelude::*;
use std::sync::Mutex;

/// Noise, latents and codes of kicks.
type Generated<'py> = (Bound<'py, PyArray2<f32>>, Bound<'py, PyArray2<f32>>, Bound<'py, PyArray2<f32>>);

/// Noise, latent and code of one kick.
type Kick = (Vec<f32>, Vec<f32>, Vec<f32>);

/// A value out of range is a wrong parameter here, since the file was checked when it was loaded.
pub(crate) fn refused(error: Error) -> PyErr {
    match error {
        Error::OutOfRange { .. } | Error::NonFinite { .. } => ParameterError::new_err(error.to_string()),
        other => from_models(other),
    }
}

/// The rows of a contiguous array.
fn rows<'a>(name: &str, array: &'a ArrayView2<'_, f32>) -> PyResult<&'a [f32]> {
    array.as_slice().ok_or_else(|| {
        ParameterError::new_err(format!("{name} must be a contiguous array; use numpy.ascontiguousarray"))
    })
}

fn to_array<'py>(
    py: Python<'py>,
    n_rows: usize,
    columns: usize,
    values: Vec<f32>,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let array = Array2::from_shape_vec((n_rows, columns), values);
    Ok(array.map_err(|error| ParameterError::new_err(error.to_string()))?.to_pyarray(py))
}

/// A hybrid generator: codes of kicks from keywords and seeds.
#[pyclass(frozen, name = "KickHybrid", module = "neurdsp._core")]
pub(crate) struct PyKickHybrid(Hybrid);

#[pymethods]
impl PyKickHybrid {
    /// A generator from the metadata and the tensors of a model file, which needs no test vectors yet.
    #[new]
    fn new(py: Python<'_>, metadata: Metadata, tensors: Arrays<'_>) -> PyResult<Self> {
        let file = model_file(metadata, &tensors)?;
        let load = || Hybrid::from_file(&file, &Header::from_metadata(&file.metadata)?);
        py.detach(load).map(Self).map_err(from_models)
    }

    /// The kicks of these keys: the noise and the latent that were chosen of each, `(n, latent)`, and the codes, `(n, 1805)`.
    ///
    /// `keywords` are 1 (asked), -1 (not wanted) or 0; `attributes` are NaN where none is asked for.
    #[pyo3(signature = (keys, keywords, attributes, guidance, n_threads = 1))]
    fn generate<'py>(
        &self,
        py: Python<'py>,
        keys: Vec<u64>,
        keywords: Vec<f32>,
        attributes: Vec<f32>,
        guidance: f32,
        n_threads: usize,
    ) -> PyResult<Generated<'py>> {
        let attributes: Vec<_> = attributes.iter().map(|value| (!value.is_nan()).then_some(*value)).collect();
        let latent = self.0.config().latent;
        let mut made: Vec<Result<Kick, String>> = vec![Ok(Kick::default()); keys.len()];
        let one = |key: u64| -> Result<Kick, Error> {
            let candidates = self.0.candidates(&keywords, &attributes, guidance, key)?;
            let noise = candidates.noise[candidates.best * latent..][..latent].to_vec();
            let chosen = self.0.chosen(&candidates).to_vec();
            let code = self.0.decode(&chosen)?.values().to_vec();
            Ok((noise, chosen, code))
        };
        py.detach(|| {
            let items: Vec<_> = keys.iter().zip(&mut made).collect();
            for_each(
                n_threads,
                items,
                &Idle::default(),
                || (),
                |(), (key, to)| {
                    *to = one(*key).map_err(|error| error.to_string());
                },
            );
        });
        let (mut noise, mut latents, mut codes) = (Vec::new(), Vec::new(), Vec::new());
        for kick in made {
            let kick = kick.map_err(ParameterError::new_err)?;
            noise.extend(kick.0);
            latents.extend(kick.1);
            codes.extend(kick.2);
        }
        Ok((
            to_array(py, keys.len(), latent, noise)?,
            to_array(py, keys.len(), latent, latents)?,
            to_array(py, keys.len(), CODE_SIZE, codes)?,
        ))
    }

    /// The noise of `n` latents of a kick, `(n, latent)`.
    fn noise<'py>(&self, py: Python<'py>, key: u64, n: usize) -> PyResult<Bound<'py, PyArray2<f32>>> {
        if n > 1 << 16 {
            return Err(ParameterError::new_err(format!("n is {n}, but must be at most 65536")));
        }
        to_array(py, n, self.0.config().latent, self.0.noise(key, n))
    }

    /// Latents of noise, `(n, latent)` both, all under one condition.
    fn latents<'py>(
        &self,
        py: Python<'py>,
        noise: PyReadonlyArray2<'py, f32>,
        keywords: Vec<f32>,
        attributes: Vec<f32>,
        guidance: f32,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let noise = noise.as_array();
        let (count, latent) = noise.dim();
        let values = self.checked("noise", &noise)?;
        let attributes: Vec<_> = attributes.iter().map(|value| (!value.is_nan()).then_some(*value)).collect();
        let made = py.detach(|| self.0.latents(values, &keywords, &attributes, guidance)).map_err(refused)?;
        to_array(py, count, latent, made)
    }

    /// What latents will measure, `(n, quantities)`, in standard deviations.
    fn probe<'py>(
        &self,
        py: Python<'py>,
        latents: PyReadonlyArray2<'py, f32>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let latents = latents.as_array();
        let values = self.checked("latents", &latents)?;
        let made = py.detach(|| self.0.probe(values)).map_err(refused)?;
        to_array(py, latents.nrows(), self.0.config().quantities.len(), made)
    }

    /// The codes of latents, `(n, 1805)`.
    fn decode<'py>(
        &self,
        py: Python<'py>,
        latents: PyReadonlyArray2<'py, f32>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let latents = latents.as_array();
        let values = self.checked("latents", &latents)?;
        let decode = || -> Result<Vec<f32>, Error> {
            let mut codes = Vec::with_capacity(latents.nrows() * CODE_SIZE);
            for latent in values.chunks_exact(self.0.config().latent) {
                codes.extend(self.0.decode(latent)?.values());
            }
            Ok(codes)
        };
        let made = py.detach(decode).map_err(refused)?;
        to_array(py, latents.nrows(), CODE_SIZE, made)
    }
}

impl PyKickHybrid {
    fn checked<'a>(&self, name: &str, array: &'a ArrayView2<'_, f32>) -> PyResult<&'a [f32]> {
        let latent = self.0.config().latent;
        if array.ncols() != latent {
            let message = format!("{name} has {} columns, but must have {latent}", array.ncols());
            return Err(ParameterError::new_err(message));
        }
        rows(name, array)
    }
}

/// The key of kick `index` of a seed: all its noise follows from it.
#[pyfunction]
pub(crate) fn kick_key(seed: u64, index: u64) -> u64 {
    neurdsp_models::kick::kick_key(seed, index)
}

/// Codes in canonical form, `(n, 1805)`.
#[pyfunction]
pub(crate) fn kick_canonical<'py>(
    py: Python<'py>,
    codes: PyReadonlyArray2<'py, f32>,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let codes = checked_codes(&codes.as_array())?;
    to_array(py, codes.len(), CODE_SIZE, codes.iter().flat_map(KickCode::values).copied().collect())
}

/// Renders codes, `(n, 1805)`, one with each key: `(n, length)`.
///
/// `tune` is in semitones; `layers` are partials, transient, low layer, noise and fine noise.
#[pyfunction]
#[pyo3(signature = (codes, keys, sample_rate, length, tune, decay, level, layers, n_threads = 1))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn kick_render<'py>(
    py: Python<'py>,
    codes: PyReadonlyArray2<'py, f32>,
    keys: PyReadonlyArray1<'py, u64>,
    sample_rate: u32,
    length: usize,
    tune: f64,
    decay: f64,
    level: bool,
    layers: [bool; 5],
    n_threads: usize,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let spec = RenderSpec { sample_rate, length, tune_semitones: tune, decay, level, layers };
    spec.validate().map_err(refused)?;
    let codes = checked_codes(&codes.as_array())?;
    let keys: Vec<u64> = keys.as_array().iter().copied().collect();
    if keys.len() != codes.len() {
        let message =
            format!("there are {} keys, but must be {}, one for each code", keys.len(), codes.len());
        return Err(ParameterError::new_err(message));
    }
    let mut audio = vec![0.0; codes.len() * length];
    let failed = Mutex::new(None);
    py.detach(|| {
        let items: Vec<_> = codes.iter().zip(&keys).zip(audio.chunks_exact_mut(length)).collect();
        for_each(n_threads, items, &Idle::default(), KickRenderer::default, |renderer, ((code, key), to)| {
            let rendered = renderer.render_into(code, *key, &spec, to);
            if let (Err(error), Ok(mut failed)) = (rendered, failed.lock()) {
                *failed = Some(error);
            }
        });
    });
    if let Some(error) = failed.into_inner().ok().flatten() {
        return Err(refused(error));
    }
    to_array(py, codes.len(), length, audio)
}

fn checked_codes(codes: &ArrayView2<'_, f32>) -> PyResult<Vec<KickCode>> {
    if codes.ncols() != CODE_SIZE {
        let message = format!("a kick code has {CODE_SIZE} numbers, but these have {}", codes.ncols());
        return Err(ParameterError::new_err(message));
    }
    let values = rows("the codes", codes)?;
    values.chunks_exact(CODE_SIZE).map(|code| KickCode::new(code).map_err(refused)).collect()
}
