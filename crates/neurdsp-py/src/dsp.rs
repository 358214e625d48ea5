//! Windows, filterbanks and planned transforms, on arrays that Python allocates.
//!
//! Batches come as lists: each entry is a stack of rows of one length, so that a plain array is a list of one and a ragged
//! batch a list of many.

use crate::errors::{ParameterError, from_dsp as raise};
use neurdsp_dsp as dsp;
use neurdsp_dsp::{
    Complex, Filterbank, FrameFilter, Input, Istft, IstftConfig, LogScale, Magnitude, MelConfig, MelNorm,
    MelScale, PadMode, Projection, Sample, Spectrogram, SpectrogramStream, Stft, StftConfig, Window,
};
use numpy::{
    Element, IntoPyArray, PyArray1, PyArray2, PyArrayDescrMethods, PyArrayMethods, PyReadonlyArray1,
    PyReadonlyArray2, PyReadonlyArray3, PyReadwriteArray2, PyReadwriteArray3, PyUntypedArray,
    PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use std::sync::Arc;

pub(crate) fn refuse(message: &str) -> PyErr {
    ParameterError::new_err(message.to_owned())
}

/// The window `name` with its parameters, `length` coefficients.
#[pyfunction]
pub(crate) fn window<'py>(
    py: Python<'py>,
    name: &str,
    parameters: Vec<f64>,
    length: usize,
    periodic: bool,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    if length == 0 || length > dsp::MAX_N_FFT {
        let allowed = format!("win_length is {length}, but it must be from 1 to {}", dsp::MAX_N_FFT);
        return Err(refuse(&allowed));
    }
    let window = match (name, &parameters[..]) {
        ("kaiser" | "ksr", [beta]) => Window::Kaiser(*beta),
        ("gaussian" | "gauss" | "gss", [std]) => Window::Gaussian(*std),
        ("general_gaussian" | "general gaussian" | "general_gauss" | "ggs", [power, std]) => {
            Window::GeneralGaussian(*power, *std)
        }
        ("tukey" | "tuk", [alpha]) => Window::Tukey(*alpha),
        ("exponential" | "poisson", [tau]) => Window::Exponential(*tau),
        (_, []) => Window::by_name(name).map_err(raise)?,
        _ => {
            let got = format!("window '{name}' does not take {} parameters", parameters.len());
            return Err(refuse(&format!("{got}; see neurdsp.filters.get_window for those that do")));
        }
    };
    let coefficients = if periodic { window.periodic(length) } else { window.symmetric(length) };
    Ok(coefficients.into_pyarray(py))
}

/// A mel filterbank `(n_mels, n_fft // 2 + 1)` and its number of empty filters. `norm` is `slaney`, `none` or an order.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub(crate) fn mel_filterbank<'py>(
    py: Python<'py>,
    sample_rate: f64,
    n_fft: usize,
    n_mels: usize,
    fmin: f64,
    fmax: f64,
    htk: bool,
    norm: &str,
    triangles_over_mel: bool,
) -> PyResult<(Bound<'py, PyArray2<f64>>, usize)> {
    let scale = if htk { MelScale::Htk } else { MelScale::Slaney };
    let norm = match norm {
        "slaney" => MelNorm::Slaney,
        "none" => MelNorm::None,
        order => MelNorm::Order(order.parse().unwrap_or(f64::NAN)),
    };
    let config = MelConfig { sample_rate, n_fft, n_mels, fmin, fmax, scale, norm, triangles_over_mel };
    let bank = Filterbank::mel(&config).map_err(raise)?;
    let matrix = bank.to_matrix().into_pyarray(py).reshape([bank.n_bands(), bank.n_bins()])?;
    Ok((matrix, bank.n_empty()))
}

#[allow(clippy::too_many_arguments)]
fn stft_config(
    n_fft: usize,
    hop_length: usize,
    window: &PyReadonlyArray1<'_, f64>,
    pad: usize,
    pad_mode: &str,
    frame_filter: Option<(bool, f64)>,
    drop_last: bool,
) -> PyResult<StftConfig> {
    let window = window.as_array().to_vec();
    let pad_mode = PadMode::by_name(pad_mode).map_err(raise)?;
    let filter = frame_filter.map(|(remove_mean, preemphasis)| FrameFilter { remove_mean, preemphasis });
    Ok(StftConfig { n_fft, hop_length, window, pad, pad_mode, filter, drop_last })
}

/// A plan in the precision that was asked for.
pub(crate) enum Planned<Single, Double> {
    Single(Single),
    Double(Double),
}

/// Pairs the rows of the inputs with the planes of the outputs and runs `work` on them without the interpreter.
fn analyse<I: Element + Copy + Sync + 'static, O: Element + Send + 'static>(
    py: Python<'_>,
    inputs: &[Bound<'_, PyAny>],
    outputs: &[Bound<'_, PyAny>],
    work: impl FnOnce(Vec<(&[I], &mut [O])>) -> dsp::Result<()> + Send,
) -> PyResult<()> {
    let inputs = extract::<PyReadonlyArray2<'_, I>>(inputs)?;
    let mut outputs = extract::<PyReadwriteArray3<'_, O>>(outputs)?;
    let inputs: Vec<_> = inputs.iter().map(|input| input.as_array()).collect();
    let mut outputs: Vec<_> = outputs.iter_mut().map(|output| output.as_array_mut()).collect();
    let mut batch = Vec::new();
    for (input, output) in inputs.iter().zip(&mut outputs) {
        for (row, plane) in input.rows().into_iter().zip(output.outer_iter_mut()) {
            batch.push((row.to_slice().ok_or_else(strided)?, plane.into_slice().ok_or_else(strided)?));
        }
    }
    py.detach(|| work(batch)).map_err(raise)
}

fn synthesise<I: Element + Copy + Sync + 'static, O: Element + Send + 'static>(
    py: Python<'_>,
    inputs: &[Bound<'_, PyAny>],
    outputs: &[Bound<'_, PyAny>],
    work: impl FnOnce(Vec<(&[I], &mut [O])>) -> dsp::Result<()> + Send,
) -> PyResult<()> {
    let inputs = extract::<PyReadonlyArray3<'_, I>>(inputs)?;
    let mut outputs = extract::<PyReadwriteArray2<'_, O>>(outputs)?;
    let inputs: Vec<_> = inputs.iter().map(|input| input.as_array()).collect();
    let mut outputs: Vec<_> = outputs.iter_mut().map(|output| output.as_array_mut()).collect();
    let mut batch = Vec::new();
    for (input, output) in inputs.iter().zip(&mut outputs) {
        for (plane, row) in input.outer_iter().zip(output.outer_iter_mut()) {
            batch.push((plane.to_slice().ok_or_else(strided)?, row.into_slice().ok_or_else(strided)?));
        }
    }
    py.detach(|| work(batch)).map_err(raise)
}

/// Samples, the gradient over what was made from them, and room for the gradient over them.
type Triple<'a, E> = (&'a [E], &'a [E], &'a mut [E]);

/// Triples of rows, planes and rows for `work`, which runs without the interpreter.
fn differentiate<E: Element + Copy + Send + Sync + 'static>(
    py: Python<'_>,
    samples: &Bound<'_, PyAny>,
    gradients: &Bound<'_, PyAny>,
    results: &Bound<'_, PyAny>,
    work: impl FnOnce(Vec<Triple<'_, E>>) -> dsp::Result<()> + Send,
) -> PyResult<()> {
    let samples: PyReadonlyArray2<'_, E> = samples.extract()?;
    let gradients: PyReadonlyArray3<'_, E> = gradients.extract()?;
    let mut results: PyReadwriteArray2<'_, E> = results.extract()?;
    let (samples, gradients, mut results) =
        (samples.as_array(), gradients.as_array(), results.as_array_mut());
    let rows = samples.nrows();
    if gradients.len_of(numpy::ndarray::Axis(0)) != rows || results.nrows() != rows {
        return Err(refuse("samples, gradients and results must have equally many rows"));
    }
    let mut batch = Vec::new();
    let pairs = samples.rows().into_iter().zip(gradients.outer_iter());
    for ((row, plane), result) in pairs.zip(results.outer_iter_mut()) {
        batch.push((
            row.to_slice().ok_or_else(strided)?,
            plane.to_slice().ok_or_else(strided)?,
            result.into_slice().ok_or_else(strided)?,
        ));
    }
    py.detach(|| work(batch)).map_err(raise)
}

fn extract<'py, A: FromPyObjectOwned<'py>>(arrays: &[Bound<'py, PyAny>]) -> PyResult<Vec<A>> {
    arrays.iter().map(|array| array.extract().map_err(Into::into)).collect()
}

pub(crate) fn strided() -> PyErr {
    refuse("the samples of a row, and each result, must be contiguous; pass numpy.ascontiguousarray(...)")
}

/// Whether the elements of an array are double precision, real or complex.
pub(crate) fn is_double(array: &Bound<'_, PyAny>) -> PyResult<bool> {
    let dtype = array.cast::<PyUntypedArray>()?.dtype();
    Ok(dtype.itemsize() == if dtype.kind() == b'c' { 16 } else { 8 })
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
    let n_planes = planes.as_array().len_of(numpy::ndarray::Axis(0)).max(1);
    let values = planes.as_slice_mut().map_err(|_| strided())?;
    let length = (values.len() / n_planes).max(1);
    py.detach(|| {
        values.chunks_exact_mut(length).for_each(|plane| dsp::limit_range(plane, depth, offset, scale))
    });
    Ok(())
}

/// Calls `$plan.process_batch` through `$run` with the element types of the first input and the first output.
macro_rules! process {
    ($py:ident, $planned:expr, $run:ident, $inputs:ident [$i32:ty, $i64:ty], $outputs:ident [$o32:ty, $o64:ty], $n:ident) => {{
        let (Some(input), Some(output)) = ($inputs.first(), $outputs.first()) else { return Ok(()) };
        match ($planned, is_double(input)?, is_double(output)?) {
            (Planned::Single(plan), false, false) => {
                $run::<$i32, $o32>($py, &$inputs, &$outputs, |batch| plan.process_batch(batch, $n))
            }
            (Planned::Double(plan), false, false) => {
                $run::<$i32, $o32>($py, &$inputs, &$outputs, |batch| plan.process_batch(batch, $n))
            }
            (Planned::Double(plan), false, true) => {
                $run::<$i32, $o64>($py, &$inputs, &$outputs, |batch| plan.process_batch(batch, $n))
            }
            (Planned::Double(plan), true, false) => {
                $run::<$i64, $o32>($py, &$inputs, &$outputs, |batch| plan.process_batch(batch, $n))
            }
            (Planned::Double(plan), true, true) => {
                $run::<$i64, $o64>($py, &$inputs, &$outputs, |batch| plan.process_batch(batch, $n))
            }
            (Planned::Single(_), ..) => {
                Err(refuse("a plan in single precision takes and gives float32 only"))
            }
        }
    }};
}

/// A planned STFT.
#[pyclass(frozen, name = "Stft", module = "neurdsp._core")]
pub(crate) struct PyStft(Planned<Stft<f32>, Stft<f64>>);

#[pymethods]
impl PyStft {
    #[new]
    #[allow(clippy::too_many_arguments)]
    #[pyo3(signature = (n_fft, hop_length, window, pad, pad_mode, frame_filter, drop_last, double))]
    fn new(
        n_fft: usize,
        hop_length: usize,
        window: PyReadonlyArray1<'_, f64>,
        pad: usize,
        pad_mode: &str,
        frame_filter: Option<(bool, f64)>,
        drop_last: bool,
        double: bool,
    ) -> PyResult<Self> {
        let config = stft_config(n_fft, hop_length, &window, pad, pad_mode, frame_filter, drop_last)?;
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

/// A planned spectrogram.
#[pyclass(frozen, name = "Spectrogram", module = "neurdsp._core")]
pub(crate) struct PySpectrogram(pub(crate) Planned<Arc<Spectrogram<f32>>, Arc<Spectrogram<f64>>>);

#[pymethods]
impl PySpectrogram {
    /// `power` is the exponent of the magnitude, `eps` goes under the root of a magnitude; `filters` or the first `n_bins`
    /// bins; `log` is `(floor, offset, scale)`.
    #[new]
    #[allow(clippy::too_many_arguments)]
    #[pyo3(signature = (n_fft, hop_length, window, pad, pad_mode, frame_filter, drop_last, power, eps, filters, n_bins, log, double))]
    fn new(
        n_fft: usize,
        hop_length: usize,
        window: PyReadonlyArray1<'_, f64>,
        pad: usize,
        pad_mode: &str,
        frame_filter: Option<(bool, f64)>,
        drop_last: bool,
        power: f64,
        eps: f64,
        filters: Option<PyReadonlyArray2<'_, f64>>,
        n_bins: usize,
        log: Option<(f64, f64, f64)>,
        double: bool,
    ) -> PyResult<Self> {
        let config = stft_config(n_fft, hop_length, &window, pad, pad_mode, frame_filter, drop_last)?;
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
        let log = log.map(|(floor, offset, scale)| LogScale { floor, offset, scale });
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
