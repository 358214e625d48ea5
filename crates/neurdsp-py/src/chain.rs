//! The chain around an amp model, and its parts on their own.

use crate::amp::AmpModel;
use crate::errors::{ParameterError, from_dsp, from_rt};
use crate::operation::operation;
use neurdsp_dsp::live::{Convolver, DcBlock, GateSettings, LiveBlock, NoiseGate, ToneSettings, ToneStack};
use neurdsp_rt::{
    Bank, ChainHandle, ImpulseResponse, ModelLevels, Monitor, OutputMode, Parameter, ResponseChannel,
    SharedSettings,
};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_contiguous<E>(_: E) -> PyErr {
    ParameterError::new_err("the block is not contiguous; convert it with numpy.ascontiguousarray(block)")
}

/// One part of the chain, for one channel. Calls from several threads take turns.
#[pyclass(frozen, module = "neurdsp._core")]
pub(crate) struct ChainBlock(Mutex<Part>);

enum Part {
    Gate(NoiseGate),
    Tone(Box<ToneStack>),
    DcBlock(DcBlock),
    Convolver(Box<Convolver>),
}

impl Part {
    fn block(&mut self) -> &mut dyn LiveBlock {
        match self {
            Part::Gate(gate) => gate,
            Part::Tone(tone) => tone.as_mut(),
            Part::DcBlock(block) => block,
            Part::Convolver(convolver) => convolver.as_mut(),
        }
    }
}

fn gate_settings(values: [f32; 5]) -> GateSettings {
    let [threshold_db, hysteresis_db, attack_ms, hold_ms, release_ms] = values;
    GateSettings { threshold_db, hysteresis_db, attack_ms, hold_ms, release_ms }
}

fn tone_settings([bass_db, mid_db, treble_db]: [f32; 3]) -> ToneSettings {
    ToneSettings { bass_db, mid_db, treble_db }
}

#[pymethods]
impl ChainBlock {
    /// Threshold and hysteresis in dB; attack, hold and release in milliseconds.
    #[staticmethod]
    fn gate(sample_rate: f64, values: [f32; 5]) -> PyResult<ChainBlock> {
        let gate = NoiseGate::new(sample_rate, gate_settings(values)).map_err(from_dsp)?;
        Ok(ChainBlock(Mutex::new(Part::Gate(gate))))
    }

    /// Bass, middle and treble in dB.
    #[staticmethod]
    fn tone(sample_rate: f64, values: [f32; 3]) -> PyResult<ChainBlock> {
        let mut tone = ToneStack::new(sample_rate).map_err(from_dsp)?;
        tone.set(tone_settings(values));
        tone.reset();
        Ok(ChainBlock(Mutex::new(Part::Tone(Box::new(tone)))))
    }

    /// Cut-off in hertz.
    #[staticmethod]
    fn dc_block(sample_rate: f64, cutoff_hz: f64) -> PyResult<ChainBlock> {
        let block = DcBlock::new(sample_rate, cutoff_hz).map_err(from_dsp)?;
        Ok(ChainBlock(Mutex::new(Part::DcBlock(block))))
    }

    /// An impulse response of shape (n,), prepared by `prepare_cabinet`.
    #[staticmethod]
    fn convolver(py: Python<'_>, response: PyReadonlyArray1<'_, f32>) -> PyResult<ChainBlock> {
        let response = response.as_slice().map_err(not_contiguous)?;
        let convolver = py.detach(|| Convolver::new(response)).map_err(from_dsp)?;
        Ok(ChainBlock(Mutex::new(Part::Convolver(Box::new(convolver)))))
    }

    /// Sets the values of a gate or a tone stack, in the order of the constructor.
    fn set(&self, values: Vec<f32>) -> PyResult<()> {
        let n = values.len();
        match (&mut *lock(&self.0), <[f32; 5]>::try_from(values.clone()), <[f32; 3]>::try_from(values)) {
            (Part::Gate(gate), Ok(values), _) => gate.set(gate_settings(values)),
            (Part::Tone(tone), _, Ok(values)) => tone.set(tone_settings(values)),
            _ => return Err(ParameterError::new_err(format!("this part does not take {n} values"))),
        }
        Ok(())
    }

    /// Plays a block of shape (n,).
    fn process<'py>(&self, block: PyReadonlyArray1<'py, f32>) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let py = block.py();
        let array = PyArray1::from_slice(py, block.as_slice().map_err(not_contiguous)?);
        let mut writable = array.readwrite();
        let samples = writable.as_slice_mut().map_err(not_contiguous)?;
        py.detach(|| lock(&self.0).block().process(samples));
        drop(writable);
        Ok(array)
    }

    /// Forgets the signal.
    fn reset(&self, py: Python<'_>) {
        py.detach(|| lock(&self.0).block().reset());
    }
}

fn impulse_response(samples: &PyReadonlyArray2<'_, f32>, sample_rate: f64) -> PyResult<ImpulseResponse> {
    let channels = samples.as_array().outer_iter().map(|channel| channel.to_vec()).collect();
    ImpulseResponse::new(channels, sample_rate).map_err(from_rt)
}

/// The channels of an impulse response of shape (n_channels, n) that a chain of so many channels plays through. `choice` is a
/// channel from 0 on, −1 for each its own, or −2 for the mean of all.
#[pyfunction]
pub(crate) fn select_response<'py>(
    samples: PyReadonlyArray2<'py, f32>,
    choice: i64,
    n_channels: usize,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let py = samples.py();
    let choice = match usize::try_from(choice) {
        Ok(index) => ResponseChannel::One(index),
        Err(_) if choice == -1 => ResponseChannel::Each,
        Err(_) => ResponseChannel::Mean,
    };
    // The rate does not matter here.
    let response = impulse_response(&samples, 48_000.0)?;
    let selected = py.detach(|| response.select(choice, n_channels)).map_err(from_rt)?;
    PyArray2::from_vec2(py, selected.channels()).map_err(|error| ParameterError::new_err(error.to_string()))
}

/// Impulse responses of shape (n_channels, n) at another sample rate, normalised or not.
#[pyfunction]
pub(crate) fn prepare_cabinet<'py>(
    samples: PyReadonlyArray2<'py, f32>,
    from_rate: f64,
    to_rate: f64,
    normalise: bool,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let py = samples.py();
    let response = impulse_response(&samples, from_rate)?;
    let prepared = py.detach(|| response.prepared(to_rate, normalise)).map_err(from_rt)?;
    PyArray2::from_vec2(py, &prepared).map_err(|error| ParameterError::new_err(error.to_string()))
}

/// Gains in dB before and after a model of these levels: its loudness in dB, and the levels of full scale before and after
/// it in dBu. `output_mode` is the value of the chain's parameter.
#[pyfunction]
pub(crate) fn level_gains_db(
    loudness_db: Option<f64>,
    input_level_dbu: Option<f64>,
    output_level_dbu: Option<f64>,
    interface_level_dbu: f64,
    output_mode: usize,
) -> (f64, f64) {
    let modes = [OutputMode::Raw, OutputMode::Normalised, OutputMode::Calibrated];
    let mode = modes.get(output_mode).copied().unwrap_or_default();
    let levels = ModelLevels { loudness_db, input_level_dbu, output_level_dbu };
    (levels.input_gain_db(interface_level_dbu), levels.output_gain_db(mode, interface_level_dbu))
}

/// Name, smallest value, largest value and default of every parameter of a chain.
#[pyfunction]
pub(crate) fn chain_parameters() -> Vec<(&'static str, f32, f32, f32)> {
    let row = |parameter: Parameter| {
        let [least, largest] = parameter.range();
        (parameter.name(), least, largest, parameter.default_value())
    };
    Parameter::all().map(row).collect()
}

/// Gain, gate, model, tone, cabinet, DC block, level and mix. Calls from several threads take turns, but the settings and
/// the monitor never wait for a block.
#[pyclass(frozen, module = "neurdsp._core")]
pub(crate) struct AmpChain {
    chain: Mutex<neurdsp_rt::AmpChain>,
    handle: Mutex<ChainHandle>,
    settings: Arc<SharedSettings>,
    monitor: Arc<Monitor>,
    n_channels: usize,
}

#[pymethods]
impl AmpChain {
    #[new]
    fn new(sample_rate: f64, n_channels: usize) -> PyResult<AmpChain> {
        let (chain, handle) = neurdsp_rt::AmpChain::new(sample_rate, n_channels).map_err(from_rt)?;
        let (settings, monitor) = (Arc::clone(handle.settings()), Arc::clone(handle.monitor()));
        Ok(AmpChain { chain: Mutex::new(chain), handle: Mutex::new(handle), settings, monitor, n_channels })
    }

    /// Fades to a model, or to none.
    fn load_model(
        &self,
        py: Python<'_>,
        model: Option<&AmpModel>,
        oversample: usize,
        low_latency: bool,
    ) -> PyResult<()> {
        let operation = operation(0.0, oversample, low_latency);
        py.detach(|| match model {
            Some(model) => lock(&self.handle).load_model(model.model(), operation),
            None => lock(&self.handle).send_model(Bank::passing()),
        })
        .map_err(from_rt)
    }

    /// Fades to the current model with its knobs turned.
    fn turn_knobs(
        &self,
        py: Python<'_>,
        model: &AmpModel,
        oversample: usize,
        low_latency: bool,
    ) -> PyResult<()> {
        let operation = operation(0.0, oversample, low_latency);
        py.detach(|| lock(&self.handle).turn_knobs(model.model(), operation)).map_err(from_rt)
    }

    /// Fades to impulse responses of shape (n_channels, n), or to none.
    fn load_cabinet(
        &self,
        py: Python<'_>,
        samples: Option<PyReadonlyArray2<'_, f32>>,
        sample_rate: f64,
        normalise: bool,
    ) -> PyResult<()> {
        let response = samples.map(|samples| impulse_response(&samples, sample_rate)).transpose()?;
        py.detach(|| match &response {
            Some(response) => lock(&self.handle).load_cabinet(response, normalise),
            None => lock(&self.handle).remove_cabinet(),
        })
        .map_err(from_rt)
    }

    /// Sets one parameter.
    fn set(&self, name: &str, value: f64) -> PyResult<()> {
        let parameter = Parameter::by_name(name).map_err(from_rt)?;
        self.settings.load().try_set(parameter, value).map_err(from_rt)?;
        self.settings.set(parameter, value as f32);
        Ok(())
    }

    /// The value of a parameter.
    fn get(&self, name: &str) -> PyResult<f32> {
        Ok(self.settings.load().get(Parameter::by_name(name).map_err(from_rt)?))
    }

    /// Sets the fade-in time of models and cabinets, in milliseconds.
    fn set_fade_ms(&self, fade_ms: f64) {
        lock(&self.handle).set_fade_ms(fade_ms);
    }

    /// Plays a block of shape (n_channels, n).
    fn process<'py>(&self, block: PyReadonlyArray2<'py, f32>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let (py, [n_channels, n]) = (block.py(), [block.shape()[0], block.shape()[1]]);
        if n_channels != self.n_channels {
            return Err(ParameterError::new_err(format!(
                "the block has {n_channels} channels, but the chain has {}; make a chain with n_channels={n_channels}",
                self.n_channels
            )));
        }
        let array = PyArray2::<f32>::zeros(py, [n_channels, n], false);
        let mut writable = array.readwrite();
        let samples = writable.as_slice_mut().map_err(not_contiguous)?;
        samples.copy_from_slice(block.as_slice().map_err(not_contiguous)?);
        py.detach(|| {
            let mut channels: Vec<&mut [f32]> = samples.chunks_mut(n.max(1)).collect();
            lock(&self.chain).process(&mut channels);
        });
        drop(writable);
        Ok(array)
    }

    /// Forgets the signal, and completes every change in progress.
    fn reset(&self, py: Python<'_>) {
        py.detach(|| lock(&self.chain).reset());
    }

    /// The latency in samples.
    #[getter]
    fn latency(&self) -> usize {
        lock(&self.handle).latency()
    }

    /// Blocks, missed deadlines, and the microseconds of the last, the median, the 99th per cent and the slowest block.
    fn performance(&self) -> (u64, u64, f64, f64, f64, f64) {
        let report = self.monitor.report();
        let (blocks, missed) = (report.blocks, report.missed_deadlines);
        (blocks, missed, report.last_us, report.median_us, report.p99_us, report.worst_us)
    }

    /// How many samples of a model or a cabinet were not valid, and were played as zero.
    #[getter]
    fn dropped_samples(&self) -> u64 {
        self.monitor.dropped_samples()
    }

    /// Clears the performance counters.
    fn reset_performance(&self) {
        self.monitor.reset();
    }
}
