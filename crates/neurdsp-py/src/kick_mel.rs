//! Kick drums by latent diffusion of mel spectrograms.

use crate::errors::{ParameterError, from_models};
use crate::kick::refused;
use crate::modelfile::{Arrays, Metadata, model_file};
use neurdsp_models::Header;
use neurdsp_models::kick::{MelDiffusion, MelRequest, Sampler};
use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

/// The networks of the preset `seed`.
#[pyclass(frozen, name = "KickMel", module = "neurdsp._core")]
pub(crate) struct PyKickMel(MelDiffusion);

#[pymethods]
impl PyKickMel {
    /// Networks from the metadata and the tensors of a model file, which needs no test vectors yet.
    #[new]
    fn new(py: Python<'_>, metadata: Metadata, tensors: Arrays<'_>) -> PyResult<Self> {
        let file = model_file(metadata, &tensors)?;
        let load = || MelDiffusion::from_file(&file, &Header::from_metadata(&file.metadata)?);
        py.detach(load).map(Self).map_err(from_models)
    }

    /// The kick of a seed, `(n_samples,)`. Words are numbers; the sampler is `ddpm`, `ddim` or `dpm-solver++`.
    #[pyo3(signature = (keywords, negative, guidance, steps, sampler, seed, n_threads = 1))]
    #[allow(clippy::too_many_arguments)]
    fn kick<'py>(
        &self,
        py: Python<'py>,
        keywords: Vec<usize>,
        negative: Vec<usize>,
        guidance: f32,
        steps: usize,
        sampler: &str,
        seed: u64,
        n_threads: usize,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let sampler = match sampler {
            "ddpm" => Sampler::Ddpm,
            "ddim" => Sampler::Ddim,
            "dpm-solver++" => Sampler::DpmSolver,
            other => {
                let message = format!("sampler is {other:?}, but it must be ddpm, ddim or dpm-solver++");
                return Err(ParameterError::new_err(message));
            }
        };
        let request = MelRequest { keywords, negative, guidance, steps, sampler, n_threads };
        let audio = py.detach(|| self.0.kick(&request, seed)).map_err(refused)?;
        Ok(PyArray1::from_vec(py, audio))
    }

    /// The condition of words, `(condition_dim,)`.
    fn condition<'py>(&self, py: Python<'py>, keywords: Vec<usize>) -> PyResult<Bound<'py, PyArray1<f32>>> {
        Ok(PyArray1::from_vec(py, self.0.condition(&keywords).map_err(refused)?))
    }

    /// The noise in a latent `(size,)` at a step under each of some conditions, `(n, condition_dim)`: `(n · size,)`.
    fn noise<'py>(
        &self,
        py: Python<'py>,
        latent: PyReadonlyArray1<'py, f32>,
        step: usize,
        conditions: PyReadonlyArray2<'py, f32>,
        n_threads: usize,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let latent: Vec<f32> = latent.as_array().to_vec();
        let conditions: Vec<Vec<f32>> =
            conditions.as_array().rows().into_iter().map(|row| row.to_vec()).collect();
        let noise = py.detach(|| self.0.noise(&latent, step, &conditions, n_threads)).map_err(refused)?;
        Ok(PyArray1::from_vec(py, noise.concat()))
    }

    /// The spectrogram of a latent of unit variance, `(n_mels · n_frames,)`.
    fn mel<'py>(
        &self,
        py: Python<'py>,
        latent: PyReadonlyArray1<'py, f32>,
        n_threads: usize,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let latent: Vec<f32> = latent.as_array().to_vec();
        let mel = py.detach(|| self.0.mel(&latent, n_threads)).map_err(refused)?;
        Ok(PyArray1::from_vec(py, mel))
    }

    /// The audio of a spectrogram `(n_mels · n_frames,)`: `(n_samples,)`.
    fn audio_of<'py>(
        &self,
        py: Python<'py>,
        mel: PyReadonlyArray1<'py, f32>,
        n_threads: usize,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let mel: Vec<f32> = mel.as_array().to_vec();
        let audio = py.detach(|| self.0.audio_of(&mel, n_threads)).map_err(refused)?;
        Ok(PyArray1::from_vec(py, audio))
    }
}
