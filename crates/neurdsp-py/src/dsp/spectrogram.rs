//! The planned spectrogram.

use super::Planned;
use super::arrays::{analyse, differentiate, is_double, refuse, strided};
use super::stft::FrameKey;
use crate::errors::from_dsp as raise;
use neurdsp_dsp::{Filterbank, LogScale, Magnitude, Projection, Sample, Spectrogram};
use numpy::ndarray::Axis;
use numpy::{
    Element, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray3,
    PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use std::sync::Arc;

/// What becomes of the bins: attributes of a `neurdsp.dsp.plans.SpectrogramKey`, whose filters come as a matrix.
#[derive(FromPyObject)]
pub(crate) struct SpectrogramKey {
    frames: FrameKey,
    /// Exponent of the magnitude.
    power: f64,
    /// Added under the root of a magnitude.
    eps: f64,
    /// Bins that are kept where there are no filters.
    n_bins: usize,
    log: Option<LogKey>,
}

/// `scale * ln(max(value, floor) + offset)`.
#[derive(FromPyObject)]
pub(crate) struct LogKey {
    floor: f64,
    offset: f64,
    scale: f64,
}

/// A planned spectrogram.
#[pyclass(frozen, name = "Spectrogram", module = "neurdsp._core")]
pub(crate) struct PySpectrogram(pub(crate) Planned<Arc<Spectrogram<f32>>, Arc<Spectrogram<f64>>>);

#[pymethods]
impl PySpectrogram {
    #[new]
    fn new(
        key: SpectrogramKey,
        window: PyReadonlyArray1<'_, f64>,
        filters: Option<PyReadonlyArray2<'_, f64>>,
        double: bool,
    ) -> PyResult<Self> {
        let SpectrogramKey { frames, power, eps, n_bins, log } = key;
        let config = frames.config(&window)?;
        let magnitude = match Magnitude::from_power(power).map_err(raise)? {
            Magnitude::Root { .. } => Magnitude::Root { eps },
            other => other,
        };
        let projection = match filters {
            None => Projection::Bins(n_bins),
            Some(matrix) => {
                let matrix = matrix.as_array();
                let rows: Vec<f64> = matrix.iter().copied().collect();
                Projection::Bands(Filterbank::from_matrix(&rows, matrix.ncols()).map_err(raise)?)
            }
        };
        let log = log.map(|LogKey { floor, offset, scale }| LogScale { floor, offset, scale });
        Ok(Self(if double {
            Planned::Double(Arc::new(Spectrogram::new(config, magnitude, projection, log).map_err(raise)?))
        } else {
            Planned::Single(Arc::new(Spectrogram::new(config, magnitude, projection, log).map_err(raise)?))
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

    /// Rows of the result.
    #[getter]
    fn n_rows(&self) -> usize {
        match &self.0 {
            Planned::Single(plan) => plan.n_rows(),
            Planned::Double(plan) => plan.n_rows(),
        }
    }

    /// The spectrogram `(n_rows, n_frames)` of one signal on one thread, in one call and without a copy.
    ///
    /// None for anything but a contiguous float32 array `(n_samples,)` of `shortest` to `longest` samples: the caller then
    /// checks and converts what it was given.
    fn of_one<'py>(
        &self,
        py: Python<'py>,
        samples: &Bound<'py, PyAny>,
        shortest: usize,
        longest: usize,
    ) -> PyResult<Option<Bound<'py, PyArray2<f32>>>> {
        let Ok(samples) = samples.cast::<PyArray1<f32>>() else { return Ok(None) };
        let fits = (shortest..=longest).contains(&samples.len());
        if !fits || !samples.is_c_contiguous() || !samples.is_aligned() {
            return Ok(None);
        }
        let samples = samples.try_readonly()?;
        let samples = samples.as_slice().map_err(|_| strided())?;
        let result = PyArray2::<f32>::zeros(py, [self.n_rows(), self.n_frames(samples.len())?], false);
        {
            let mut room = result.try_readwrite()?;
            let batch = vec![(samples, room.as_slice_mut().map_err(|_| strided())?)];
            py.detach(|| match &self.0 {
                Planned::Single(plan) => plan.process_batch(batch, 1),
                Planned::Double(plan) => plan.process_batch(batch, 1),
            })
            .map_err(raise)?;
        }
        Ok(Some(result))
    }

    /// Fills outputs `(batch, n_rows, n_frames)` from inputs `(batch, n_samples)`.
    fn process(
        &self,
        py: Python<'_>,
        inputs: Vec<Bound<'_, PyAny>>,
        outputs: Vec<Bound<'_, PyAny>>,
        n_threads: usize,
    ) -> PyResult<()> {
        process!(py, &self.0, analyse, inputs[f32, f64], outputs[f32, f64], n_threads)
    }

    /// Fills `results (batch, n_samples)` with the gradients over `samples`, of the same shape, whose spectrograms have the
    /// `gradients` `(batch, n_rows, n_frames)`. All have one type.
    fn backward(
        &self,
        py: Python<'_>,
        samples: Bound<'_, PyAny>,
        gradients: Bound<'_, PyAny>,
        results: Bound<'_, PyAny>,
        n_threads: usize,
    ) -> PyResult<()> {
        match (&self.0, is_double(&samples)?) {
            (Planned::Single(plan), _) => differentiate::<f32>(py, &samples, &gradients, &results, |b| {
                plan.backward_batch(b, n_threads)
            }),
            (Planned::Double(plan), false) => differentiate::<f32>(py, &samples, &gradients, &results, |b| {
                plan.backward_batch(b, n_threads)
            }),
            (Planned::Double(plan), true) => differentiate::<f64>(py, &samples, &gradients, &results, |b| {
                plan.backward_batch(b, n_threads)
            }),
        }
    }
}

/// Limits the range of each plane of `planes (batch, n_rows, n_frames)`, in place; see the core's `limit_range`.
#[pyfunction]
pub(crate) fn limit_range(
    py: Python<'_>,
    planes: &Bound<'_, PyAny>,
    depth: f64,
    offset: f64,
    scale: f64,
) -> PyResult<()> {
    if is_double(planes)? {
        limit_planes::<f64>(py, planes.extract()?, depth, offset, scale)
    } else {
        limit_planes::<f32>(py, planes.extract()?, depth, offset, scale)
    }
}

fn limit_planes<T: Sample + Element>(
    py: Python<'_>,
    mut planes: PyReadwriteArray3<'_, T>,
    depth: f64,
    offset: f64,
    scale: f64,
) -> PyResult<()> {
    let n_planes = planes.as_array().len_of(Axis(0)).max(1);
    let values = planes.as_slice_mut().map_err(|_| strided())?;
    let length = (values.len() / n_planes).max(1);
    py.detach(|| {
        values
            .chunks_exact_mut(length)
            .for_each(|plane| neurdsp_dsp::limit_range(plane, depth, offset, scale));
    });
    Ok(())
}
