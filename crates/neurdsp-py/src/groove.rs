//! Groove and dynamics: hits and notes as arrays, what networks are asked about them, and what is made of the answers.

use crate::errors::{ParameterError, from_models};
use neurdsp_models::Error;
use neurdsp_models::music::dynamics::{Conditions, N_CONDITION, Note, conditions, reshape};
use neurdsp_models::music::groove::{
    Bars, Calls, Estimate, Feel, N_INPUTS, N_OUTPUTS, N_STEPS, N_VOICES, OFFSET_SCALE, Reference, Residuals,
    VELOCITY_SCALE, VOICES, calls, estimate, humanise,
};
use neurdsp_models::music::{Signature, Tempo, Timeline};
use numpy::{Element, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use std::sync::Arc;

/// Tick, numerator and denominator of each.
type Signatures = Vec<(u64, u32, u32)>;
/// Tick and microseconds of a quarter note of each.
type Tempi = Vec<(u64, u32)>;
type Column<'py, T> = Bound<'py, PyArray1<T>>;
/// Starts, ends and velocities of notes, and the latency.
type Played<'py> = (Column<'py, i64>, Column<'py, i64>, Column<'py, u8>, f32);
type HitColumns<'py> = (
    Column<'py, i64>,
    Column<'py, u8>,
    Column<'py, u8>,
    Column<'py, i64>,
    Column<'py, u8>,
    Column<'py, f32>,
    Column<'py, f32>,
    Column<'py, f32>,
    Column<'py, i64>,
);

/// The names of the voices, and what an output of 1 corrects: an offset by so many sixteenths, a velocity by so much.
#[pyfunction]
pub(crate) fn groove_constants() -> (Vec<&'static str>, f32, f32) {
    (VOICES.to_vec(), OFFSET_SCALE, VELOCITY_SCALE)
}

/// Drum hits on a grid.
#[pyclass(frozen, name = "GrooveBars", module = "neurdsp._core")]
pub(crate) struct PyGrooveBars(Arc<Bars>);

#[pymethods]
impl PyGrooveBars {
    /// Places notes; those that no voice plays are left out.
    #[new]
    fn new(
        py: Python<'_>,
        ticks: PyReadonlyArray1<'_, u64>,
        keys: PyReadonlyArray1<'_, u8>,
        velocities: PyReadonlyArray1<'_, u8>,
        ticks_per_quarter: u32,
        signatures: Signatures,
        tempi: Tempi,
    ) -> PyResult<Self> {
        let (ticks, keys, velocities) = (values(&ticks)?, values(&keys)?, values(&velocities)?);
        let place =
            || Bars::new(timeline(ticks_per_quarter, &signatures, &tempi)?, &ticks, &keys, &velocities);
        Ok(PyGrooveBars(Arc::new(py.detach(place).map_err(of_parameter)?)))
    }

    /// Of each hit: number of its note, voice, velocity, window, step, offset in sixteenths, that of a quantised file,
    /// length of a sixteenth in milliseconds, twelfths of a quarter note from the start to its step.
    fn hits<'py>(&self, py: Python<'py>) -> HitColumns<'py> {
        let hits = self.0.hits();
        (
            PyArray1::from_iter(py, hits.iter().map(|hit| hit.note as i64)),
            PyArray1::from_iter(py, hits.iter().map(|hit| hit.voice as u8)),
            PyArray1::from_iter(py, hits.iter().map(|hit| hit.velocity)),
            PyArray1::from_iter(py, hits.iter().map(|hit| hit.window as i64)),
            PyArray1::from_iter(py, hits.iter().map(|hit| hit.step as u8)),
            PyArray1::from_iter(py, hits.iter().map(|hit| hit.offset)),
            PyArray1::from_iter(py, hits.iter().map(|hit| hit.base_offset())),
            PyArray1::from_iter(py, hits.iter().map(|hit| hit.sixteenth_ms)),
            PyArray1::from_iter(py, hits.iter().map(|hit| hit.unit())),
        )
    }

    /// What the network is asked, with other bars as the reference, with the bars before each bar, or with none.
    #[pyo3(signature = (reference, *, earlier, accents))]
    fn ask(
        &self,
        py: Python<'_>,
        reference: Option<PyRef<'_, PyGrooveBars>>,
        earlier: bool,
        accents: bool,
    ) -> PyGrooveCalls {
        let bars = Arc::clone(&self.0);
        let other = reference.map(|reference| Arc::clone(&reference.0));
        py.detach(|| {
            let reference = match &other {
                Some(other) => Reference::Bars(other),
                None if earlier => Reference::Earlier,
                None => Reference::None,
            };
            let referred = !matches!(reference, Reference::None);
            let estimates = estimate(&bars, reference, accents);
            let calls = calls(&bars, &estimates, accents);
            PyGrooveCalls { bars, estimates, calls, referred }
        })
    }
}

/// What the groove network is asked about bars.
#[pyclass(frozen, name = "GrooveCalls", module = "neurdsp._core")]
pub(crate) struct PyGrooveCalls {
    bars: Arc<Bars>,
    estimates: Vec<Estimate>,
    calls: Calls,
    referred: bool,
}

#[pymethods]
impl PyGrooveCalls {
    /// The inputs of all calls, `(n_calls, 64)`.
    fn inputs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        rows(py, &self.calls.inputs)
    }

    /// Of each hit: the number of its call, and the offset in sixteenths and the velocity that the reference says.
    fn of_hits<'py>(&self, py: Python<'py>) -> (Column<'py, i64>, Column<'py, f32>, Column<'py, f32>) {
        (
            PyArray1::from_iter(py, self.calls.of_hit.iter().map(|&call| call as i64)),
            PyArray1::from_iter(py, self.estimates.iter().map(|estimate| estimate.offset)),
            PyArray1::from_iter(py, self.estimates.iter().map(|estimate| estimate.velocity)),
        )
    }

    /// Plays the hits: number of its note, tick and velocity of each, and the latency of live use in milliseconds.
    #[pyo3(signature = (outputs, residuals, *, amount, tightness, lean_ms, accents, seed, locked, late_only))]
    #[expect(clippy::too_many_arguments, reason = "all are the fields of a feel")]
    fn play<'py>(
        &self,
        py: Python<'py>,
        outputs: PyReadonlyArray2<'py, f32>,
        residuals: Option<&str>,
        amount: f32,
        tightness: f32,
        lean_ms: f32,
        accents: f32,
        seed: u64,
        locked: Vec<usize>,
        late_only: bool,
    ) -> PyResult<Played<'py>> {
        let residuals = residuals.map(Residuals::from_json).transpose().map_err(from_models)?;
        let outputs: Vec<[f32; N_OUTPUTS]> = of_rows(&outputs)?;
        let mut feel =
            Feel { amount, tightness, lean_ms, accents, seed, locked: [false; N_VOICES], late_only };
        for voice in locked {
            let place = feel.locked.get_mut(voice);
            *place.ok_or_else(|| ParameterError::new_err(format!("there is no voice {voice}")))? = true;
        }
        let chance = residuals.as_ref();
        let play =
            || humanise(&self.bars, &self.estimates, &self.calls, &outputs, chance, self.referred, &feel);
        let played = py.detach(play).map_err(of_parameter)?;
        Ok((
            PyArray1::from_iter(py, played.hits.iter().map(|hit| hit.note as i64)),
            PyArray1::from_iter(py, played.hits.iter().map(|hit| hit.tick as i64)),
            PyArray1::from_iter(py, played.hits.iter().map(|hit| hit.velocity)),
            played.latency_ms,
        ))
    }
}

/// What the dynamics network is asked about notes.
#[pyclass(frozen, name = "DynamicsCalls", module = "neurdsp._core")]
pub(crate) struct PyDynamicsCalls {
    notes: Vec<Note>,
    conditions: Conditions,
}

#[pymethods]
impl PyDynamicsCalls {
    /// From the notes of a piece: tick, pitch, velocity, number of the part, whether it is a drum, valence and arousal.
    #[new]
    #[expect(clippy::too_many_arguments, reason = "the columns of a table")]
    fn new(
        py: Python<'_>,
        ticks: PyReadonlyArray1<'_, u64>,
        pitches: PyReadonlyArray1<'_, u8>,
        velocities: PyReadonlyArray1<'_, u8>,
        parts: PyReadonlyArray1<'_, u32>,
        drums: PyReadonlyArray1<'_, bool>,
        moods: PyReadonlyArray2<'_, f32>,
        ticks_per_quarter: u32,
        signatures: Signatures,
        tempi: Tempi,
    ) -> PyResult<Self> {
        let ticks = values(&ticks)?;
        let (pitches, velocities) = (values(&pitches)?, values(&velocities)?);
        let (parts, drums) = (values(&parts)?, values(&drums)?);
        let moods: Vec<[f32; 2]> = of_rows(&moods)?;
        let lengths = [pitches.len(), velocities.len(), parts.len(), drums.len(), moods.len()];
        if lengths.iter().any(|&length| length != ticks.len()) {
            return Err(ParameterError::new_err("the columns of the notes differ in length"));
        }
        py.detach(|| {
            let notes: Vec<Note> = (0..ticks.len())
                .map(|at| Note {
                    tick: ticks[at],
                    pitch: pitches[at],
                    velocity: velocities[at],
                    part: parts[at],
                    drum: drums[at],
                    valence: moods[at][0],
                    arousal: moods[at][1],
                })
                .collect();
            let conditions = conditions(&timeline(ticks_per_quarter, &signatures, &tempi)?, &notes)?;
            Ok(PyDynamicsCalls { notes, conditions })
        })
        .map_err(of_parameter)
    }

    /// The conditions of all calls, `(n_calls, 32)`.
    fn inputs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        rows(py, &self.conditions.inputs)
    }

    /// Of each note: the number of its call, and its step.
    fn of_notes<'py>(&self, py: Python<'py>) -> (Column<'py, i64>, Column<'py, u8>) {
        (
            PyArray1::from_iter(py, self.conditions.of_note.iter().map(|&call| call as i64)),
            PyArray1::from_iter(py, self.conditions.step_of_note.iter().map(|&step| step as u8)),
        )
    }

    /// New velocities, from the answers with the mood and without.
    fn reshape<'py>(
        &self,
        py: Python<'py>,
        outputs: PyReadonlyArray2<'py, f32>,
        neutral: PyReadonlyArray2<'py, f32>,
        amount: f32,
    ) -> PyResult<Column<'py, u8>> {
        let (outputs, neutral): (Vec<[f32; N_STEPS]>, Vec<[f32; N_STEPS]>) =
            (of_rows(&outputs)?, of_rows(&neutral)?);
        let shape = || reshape(&self.notes, &self.conditions, &outputs, &neutral, amount);
        Ok(PyArray1::from_vec(py, py.detach(shape).map_err(of_parameter)?))
    }
}

const _: () = assert!(N_INPUTS == 64 && N_CONDITION == 32);

fn timeline(ticks_per_quarter: u32, signatures: &Signatures, tempi: &Tempi) -> Result<Timeline, Error> {
    let signatures: Vec<Signature> = signatures
        .iter()
        .map(|&(tick, numerator, denominator)| Signature { tick, numerator, denominator })
        .collect();
    let tempi: Vec<Tempo> = tempi.iter().map(|&(tick, quarter_us)| Tempo { tick, quarter_us }).collect();
    Timeline::new(ticks_per_quarter, &signatures, &tempi)
}

fn of_parameter(error: Error) -> PyErr {
    ParameterError::new_err(error.to_string())
}

fn values<T: Element + Copy>(array: &PyReadonlyArray1<'_, T>) -> PyResult<Vec<T>> {
    Ok(array.as_slice().map_err(|error| ParameterError::new_err(error.to_string()))?.to_vec())
}

fn rows<'py, const N: usize>(py: Python<'py>, rows: &[[f32; N]]) -> PyResult<Bound<'py, PyArray2<f32>>> {
    PyArray1::from_iter(py, rows.iter().flatten().copied()).reshape([rows.len(), N])
}

fn of_rows<const N: usize>(array: &PyReadonlyArray2<'_, f32>) -> PyResult<Vec<[f32; N]>> {
    let values = array.as_slice().map_err(|error| ParameterError::new_err(error.to_string()))?;
    let columns = array.as_array().ncols();
    if columns != N {
        return Err(ParameterError::new_err(format!("the array has {columns} columns, but must have {N}")));
    }
    Ok(values.as_chunks::<N>().0.to_vec())
}
