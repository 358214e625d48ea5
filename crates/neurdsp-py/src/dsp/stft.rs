//! The planned STFT and its inverse.

use super::Planned;
use super::arrays::{analyse, is_double, refuse, synthesise};
use crate::errors::from_dsp as raise;
use neurdsp_dsp::{Complex, FrameFilter, Istft, IstftConfig, PadMode, Stft, StftConfig};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

/// How a signal is cut into frames: attributes of a `neurdsp.dsp.frames.FrameKey`, whose window comes as coefficients.
#[derive(FromPyObject)]
pub(crate) struct FrameKey {
    n_fft: usize,
    hop_length: usize,
    pad: usize,
    pad_mode: String,
    frame_filter: Option<(bool, f64)>,
    drop_last: bool,
}

impl FrameKey {
    pub(super) fn config(self, window: &PyReadonlyArray1<'_, f64>) -> PyResult<StftConfig> {
        let Self { n_fft, hop_length, pad, pad_mode, frame_filter, drop_last } = self;
        let window = window.as_array().to_vec();
        let pad_mode = PadMode::by_name(&pad_mode).map_err(raise)?;
        let filter = frame_filter.map(|(remove_mean, preemphasis)| FrameFilter { remove_mean, preemphasis });
        Ok(StftConfig { n_fft, hop_length, window, pad, pad_mode, filter, drop_last })
    }
}

/// A planned STFT.
#[pyclass(frozen, name = "Stft", module = "neurdsp._core")]
pub(crate) struct PyStft(Planned<Stft<f32>, Stft<f64>>);

#[pymethods]
impl PyStft {
    #[new]
    fn new(key: FrameKey, window: PyReadonlyArray1<'_, f64>, double: bool) -> PyResult<Self> {
        let config = key.config(&window)?;
        Ok(Self(if double {
            Planned::Double(Stft::new(config).map_err(raise)?)
        } else {
            Planned::Single(Stft::new(config).map_err(raise)?)
        }))
    }

    /// Columns of the result for so many samples.
    fn n_frames(&self, n_samples: usize) -> PyResult<usize> {
        match &self.0 {
            Planned::Single(plan) => plan.n_frames(n_samples),
            Planned::Double(plan) => plan.n_frames(n_samples),
        }
        .map_err(raise)
    }

    /// Fills complex outputs `(batch, n_bins, n_frames)` from inputs `(batch, n_samples)`.
    fn process(
        &self,
        py: Python<'_>,
        inputs: Vec<Bound<'_, PyAny>>,
        outputs: Vec<Bound<'_, PyAny>>,
        n_threads: usize,
    ) -> PyResult<()> {
        process!(py, &self.0, analyse, inputs[f32, f64], outputs[Complex<f32>, Complex<f64>], n_threads)
    }

    /// Fills `results (batch, n_samples)` with the gradients over samples whose spectra have the `gradients`
    /// `(batch, n_bins, n_frames)`.
    fn backward(
        &self,
        py: Python<'_>,
        gradients: Bound<'_, PyAny>,
        results: Bound<'_, PyAny>,
        n_threads: usize,
    ) -> PyResult<()> {
        let (gradients, results) = ([gradients], [results]);
        match (&self.0, is_double(&results[0])?) {
            (Planned::Single(plan), _) => synthesise::<Complex<f32>, f32>(py, &gradients, &results, |b| {
                plan.backward_batch(b, n_threads)
            }),
            (Planned::Double(plan), false) => {
                synthesise::<Complex<f32>, f32>(py, &gradients, &results, |b| {
                    plan.backward_batch(b, n_threads)
                })
            }
            (Planned::Double(plan), true) => synthesise::<Complex<f64>, f64>(py, &gradients, &results, |b| {
                plan.backward_batch(b, n_threads)
            }),
        }
    }
}

/// A planned inverse STFT.
#[pyclass(frozen, name = "Istft", module = "neurdsp._core")]
pub(crate) struct PyIstft(Planned<Istft<f32>, Istft<f64>>);

#[pymethods]
impl PyIstft {
    #[new]
    fn new(
        n_fft: usize,
        hop_length: usize,
        window: PyReadonlyArray1<'_, f64>,
        trim: usize,
        double: bool,
    ) -> PyResult<Self> {
        let config = IstftConfig { n_fft, hop_length, window: window.as_array().to_vec(), trim };
        Ok(Self(if double {
            Planned::Double(Istft::new(config).map_err(raise)?)
        } else {
            Planned::Single(Istft::new(config).map_err(raise)?)
        }))
    }

    /// Fills outputs `(batch, n_samples)` from complex inputs `(batch, n_bins, n_frames)`.
    fn process(
        &self,
        py: Python<'_>,
        inputs: Vec<Bound<'_, PyAny>>,
        outputs: Vec<Bound<'_, PyAny>>,
        n_threads: usize,
    ) -> PyResult<()> {
        process!(py, &self.0, synthesise, inputs[Complex<f32>, Complex<f64>], outputs[f32, f64], n_threads)
    }
}
