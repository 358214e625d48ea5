//! Spectrograms of a signal that arrives piece by piece.

use super::arrays::{is_double, refuse, strided};
use super::{Planned, PySpectrogram};
use crate::errors::from_dsp as raise;
use neurdsp_dsp::{Input, Sample, SpectrogramStream};
use numpy::{Element, IntoPyArray, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;

/// A spectrogram of a signal that arrives piece by piece.
#[pyclass(name = "SpectrogramStream", module = "neurdsp._core")]
pub(crate) struct PyStream(Planned<SpectrogramStream<f32>, SpectrogramStream<f64>>);

#[pymethods]
impl PyStream {
    #[new]
    fn new(plan: &PySpectrogram) -> PyResult<Self> {
        Ok(Self(match &plan.0 {
            Planned::Single(plan) => Planned::Single(SpectrogramStream::new(plan).map_err(raise)?),
            Planned::Double(plan) => Planned::Double(SpectrogramStream::new(plan).map_err(raise)?),
        }))
    }

    /// Takes the samples `(n,)` and gives the frames that they settle, `(n_rows, n_frames)`, in the plan's precision.
    fn push<'py>(&mut self, py: Python<'py>, block: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let double = is_double(block)?;
        match &mut self.0 {
            Planned::Single(_) if double => Err(refuse("a plan in single precision takes float32 only")),
            Planned::Single(stream) => push(py, stream, &block.extract::<PyReadonlyArray1<'_, f32>>()?),
            Planned::Double(stream) if double => {
                push(py, stream, &block.extract::<PyReadonlyArray1<'_, f64>>()?)
            }
            Planned::Double(stream) => push(py, stream, &block.extract::<PyReadonlyArray1<'_, f32>>()?),
        }
    }

    /// Ends the signal, gives its last frames and begins a new one.
    fn flush<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &mut self.0 {
            Planned::Single(stream) => flush(py, stream),
            Planned::Double(stream) => flush(py, stream),
        }
    }

    /// Begins a new signal; what is left of the old one is dropped.
    fn reset(&mut self) {
        match &mut self.0 {
            Planned::Single(stream) => stream.reset(),
            Planned::Double(stream) => stream.reset(),
        }
    }
}

fn push<'py, I: Element + Input<T>, T: Sample + Element>(
    py: Python<'py>,
    stream: &mut SpectrogramStream<T>,
    block: &PyReadonlyArray1<'_, I>,
) -> PyResult<Bound<'py, PyAny>> {
    let block = block.as_slice().map_err(|_| strided())?;
    let (n_rows, n_frames) = (stream.n_rows(), stream.n_ready(block.len()));
    let mut rows = vec![T::zero(); n_rows * n_frames];
    py.detach(|| stream.push_rows(block, &mut rows)).map_err(raise)?;
    Ok(rows.into_pyarray(py).reshape([n_rows, n_frames])?.into_any())
}

fn flush<'py, T: Sample + Element>(
    py: Python<'py>,
    stream: &mut SpectrogramStream<T>,
) -> PyResult<Bound<'py, PyAny>> {
    let (n_rows, n_frames) = (stream.n_rows(), stream.n_left());
    let mut rows = vec![T::zero(); n_rows * n_frames];
    py.detach(|| stream.flush_rows(&mut rows)).map_err(raise)?;
    Ok(rows.into_pyarray(py).reshape([n_rows, n_frames])?.into_any())
}
