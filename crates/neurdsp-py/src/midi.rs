//! Standard MIDI Files: their notes as columns, and their tempo.

use crate::dsp::refuse;
use crate::errors::from_midi;
use neurdsp_midi::{
    Division, KeySignature, MidiFile, NewNote, NewTrack, Note, TempoChange, TempoMap, TimeSignature, Track,
};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

type Column<'py, T> = Bound<'py, PyArray1<T>>;
type Values<'py, T> = PyReadonlyArray1<'py, T>;

/// A MIDI file. It never changes; edits make another.
#[pyclass(frozen, name = "MidiFile", module = "neurdsp._core")]
pub(crate) struct PyMidiFile(MidiFile);

#[pymethods]
impl PyMidiFile {
    /// The file of these bytes.
    #[staticmethod]
    fn read(py: Python<'_>, data: &[u8]) -> PyResult<PyMidiFile> {
        py.detach(|| MidiFile::from_bytes(data)).map(PyMidiFile).map_err(from_midi)
    }

    /// An empty file of format 1.
    #[staticmethod]
    fn empty(ticks_per_quarter: u16) -> PyResult<PyMidiFile> {
        let division = Division::quarter(ticks_per_quarter).map_err(from_midi)?;
        Ok(PyMidiFile(MidiFile::new(division)))
    }

    #[classattr]
    const MAX_BYTES: usize = MidiFile::MAX_BYTES;

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &py.detach(|| self.0.to_bytes()).map_err(from_midi)?))
    }

    #[getter]
    fn format(&self) -> u16 {
        self.0.format()
    }

    /// None where ticks are parts of frames of film.
    #[getter]
    fn ticks_per_quarter(&self) -> Option<u16> {
        self.0.division().ticks_per_quarter()
    }

    /// What was repaired, and whether something is lost, for each warning.
    #[getter]
    fn warnings(&self) -> Vec<(String, bool)> {
        self.0.warnings().iter().map(|warning| (warning.to_string(), warning.is_loss())).collect()
    }

    /// Name, if there is one, and last tick of each track.
    #[getter]
    fn tracks(&self) -> Vec<(Option<Vec<u8>>, u64)> {
        self.0.tracks().map(|track| (track.name().map(<[u8]>::to_vec), track.end_ticks())).collect()
    }

    /// Tick, numerator and denominator.
    #[getter]
    fn time_signatures(&self) -> Vec<(u64, u8, u16)> {
        let found = self.0.time_signatures().into_iter();
        found.map(|signature| (signature.tick, signature.numerator, signature.denominator)).collect()
    }

    /// Tick, sharps, and whether the key is a minor one.
    #[getter]
    fn key_signatures(&self) -> Vec<(u64, i8, bool)> {
        let found = self.0.key_signatures().into_iter();
        found.map(|signature| (signature.tick, signature.sharps, signature.is_minor)).collect()
    }

    /// Tick and message of each event of a track.
    fn events<'py>(&self, py: Python<'py>, track: usize) -> Vec<(u64, Bound<'py, PyBytes>)> {
        let events = self.0.tracks().nth(track).map(Track::events).unwrap_or_default();
        events.iter().map(|event| (event.tick, PyBytes::new(py, &event.message.to_bytes()))).collect()
    }

    /// Start, end, pitch, velocity, channel and track of the notes.
    #[allow(clippy::type_complexity)]
    fn notes<'py>(
        &self,
        py: Python<'py>,
    ) -> (
        Column<'py, i64>,
        Column<'py, i64>,
        Column<'py, u8>,
        Column<'py, u8>,
        Column<'py, u8>,
        Column<'py, u32>,
    ) {
        let notes = py.detach(|| self.0.notes());
        (
            PyArray1::from_iter(py, notes.iter().map(|note| note.start_ticks as i64)),
            PyArray1::from_iter(py, notes.iter().map(|note| note.end_ticks as i64)),
            PyArray1::from_iter(py, notes.iter().map(|note| note.pitch)),
            PyArray1::from_iter(py, notes.iter().map(|note| note.velocity)),
            PyArray1::from_iter(py, notes.iter().map(|note| note.channel)),
            PyArray1::from_iter(py, notes.iter().map(|note| note.track)),
        )
    }

    /// The file with its notes changed; columns as those of `notes`.
    fn with_notes(
        &self,
        py: Python<'_>,
        start_ticks: Values<'_, i64>,
        end_ticks: Values<'_, i64>,
        pitch: Values<'_, u8>,
        velocity: Values<'_, u8>,
    ) -> PyResult<PyMidiFile> {
        let columns = Columns::of(&start_ticks, &end_ticks, &pitch, &velocity)?;
        py.detach(|| {
            let mut notes: Vec<Note> = self.0.notes();
            if notes.len() != columns.start_ticks.len() {
                let (expected, got) = (notes.len(), columns.start_ticks.len());
                return Err(neurdsp_midi::Error::NoteCount { expected, got });
            }
            for (index, note) in notes.iter_mut().enumerate() {
                note.start_ticks = columns.start_ticks[index] as u64;
                note.end_ticks = columns.end_ticks[index] as u64;
                (note.pitch, note.velocity) = (columns.pitch[index], columns.velocity[index]);
            }
            self.0.with_notes(&notes)
        })
        .map(PyMidiFile)
        .map_err(from_midi)
    }

    /// The file with a further track. Programs are channel and program; tempos tick and microseconds of a quarter note; signatures
    /// as those of the file.
    #[pyo3(signature = (start_ticks, end_ticks, pitch, velocity, channel, *, name, programs, tempos, time_signatures, key_signatures, length_ticks))]
    #[allow(clippy::too_many_arguments)]
    fn with_track(
        &self,
        py: Python<'_>,
        start_ticks: Values<'_, i64>,
        end_ticks: Values<'_, i64>,
        pitch: Values<'_, u8>,
        velocity: Values<'_, u8>,
        channel: Values<'_, u8>,
        name: String,
        programs: Vec<(u8, u8)>,
        tempos: Vec<(u64, u32)>,
        time_signatures: Vec<(u64, u8, u16)>,
        key_signatures: Vec<(u64, i8, bool)>,
        length_ticks: u64,
    ) -> PyResult<PyMidiFile> {
        let columns = Columns::of(&start_ticks, &end_ticks, &pitch, &velocity)?;
        let channel = channel.as_slice().map_err(|_| columns_differ())?;
        if channel.len() != columns.pitch.len() {
            return Err(columns_differ());
        }
        let note = |index: usize| NewNote {
            start_ticks: columns.start_ticks[index] as u64,
            end_ticks: columns.end_ticks[index] as u64,
            pitch: columns.pitch[index],
            velocity: columns.velocity[index],
            channel: channel[index],
        };
        let tempo =
            |(tick, microseconds_per_quarter): (u64, u32)| TempoChange { tick, microseconds_per_quarter };
        let track = NewTrack {
            name,
            programs,
            tempos: tempos.into_iter().map(tempo).collect(),
            time_signatures: time_signatures
                .into_iter()
                .map(|(tick, numerator, denominator)| TimeSignature { tick, numerator, denominator })
                .collect(),
            key_signatures: key_signatures
                .into_iter()
                .map(|(tick, sharps, is_minor)| KeySignature { tick, sharps, is_minor })
                .collect(),
            notes: (0..channel.len()).map(note).collect(),
            end_ticks: length_ticks,
        };
        py.detach(|| self.0.with_track(&track)).map(PyMidiFile).map_err(from_midi)
    }

    /// The tempo that a track plays at.
    fn tempo_map(&self, track: usize) -> PyTempoMap {
        PyTempoMap(self.0.tempo_map(track))
    }
}

/// Columns of notes, all of one length.
struct Columns<'a> {
    start_ticks: &'a [i64],
    end_ticks: &'a [i64],
    pitch: &'a [u8],
    velocity: &'a [u8],
}

impl<'a> Columns<'a> {
    fn of(
        start_ticks: &'a Values<'_, i64>,
        end_ticks: &'a Values<'_, i64>,
        pitch: &'a Values<'_, u8>,
        velocity: &'a Values<'_, u8>,
    ) -> PyResult<Columns<'a>> {
        let columns = Columns {
            start_ticks: start_ticks.as_slice().map_err(|_| columns_differ())?,
            end_ticks: end_ticks.as_slice().map_err(|_| columns_differ())?,
            pitch: pitch.as_slice().map_err(|_| columns_differ())?,
            velocity: velocity.as_slice().map_err(|_| columns_differ())?,
        };
        let n = columns.start_ticks.len();
        if [columns.end_ticks.len(), columns.pitch.len(), columns.velocity.len()] != [n; 3] {
            return Err(columns_differ());
        }
        if columns.start_ticks.iter().chain(columns.end_ticks).any(|&tick| tick < 0) {
            return Err(refuse("ticks must not be negative"));
        }
        Ok(columns)
    }
}

fn columns_differ() -> PyErr {
    refuse("the columns of notes must be contiguous, and all of one length")
}

/// Ticks to seconds and back.
#[pyclass(frozen, name = "TempoMap", module = "neurdsp._core")]
pub(crate) struct PyTempoMap(TempoMap);

#[pymethods]
impl PyTempoMap {
    /// Tick, and microseconds of a quarter note from there on.
    #[getter]
    fn changes(&self) -> Vec<(u64, u32)> {
        let changes = self.0.changes().iter();
        changes.map(|change| (change.tick, change.microseconds_per_quarter)).collect()
    }

    /// Seconds of ticks, of shape (n,), none of them negative.
    fn seconds<'py>(&self, py: Python<'py>, ticks: Values<'_, i64>) -> Column<'py, f64> {
        let ticks = ticks.as_array();
        PyArray1::from_iter(py, ticks.iter().map(|&tick| self.0.seconds(tick.max(0) as u64)))
    }

    /// Ticks, with their fractions, of seconds of shape (n,).
    fn ticks<'py>(&self, py: Python<'py>, seconds: Values<'_, f64>) -> Column<'py, f64> {
        let seconds = seconds.as_array();
        PyArray1::from_iter(py, seconds.iter().map(|&seconds| self.0.ticks(seconds)))
    }

    /// Numerator and denominator of the seconds of a tick.
    fn exact_seconds(&self, tick: u64) -> (u128, u64) {
        self.0.exact_seconds(tick)
    }
}
