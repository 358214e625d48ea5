//! Chords and melodies: notes as arrays, what networks are asked about them, and what is made of the answers.

use std::cell::RefCell;

use crate::errors::{ParameterError, from_models};
use neurdsp_models::Error;
use neurdsp_models::music::chords::{
    Chord, ChordModel, HarmonyFeatures, Key, MelodyNote, N_CHORDS, N_FEATURES, PlanOptions, Segment,
    change_rate, chord_tone_share, plan, resolve, segments, total_durations, voice,
};
use neurdsp_models::music::tunes::{
    ContinueOptions, MelodyMemory, MelodyModel, Mixture, N_CONDITION, N_TOKENS, Surroundings,
    continue_melody, notes, tokens,
};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

/// Tonic, and whether the key is minor.
type KeyParts = (u8, bool);
/// Number and probability of each suggestion of each half bar.
type Suggestions = Vec<Vec<(usize, f32)>>;
type Row<'py, T> = Bound<'py, PyArray1<T>>;
type Table<'py, T> = Bound<'py, PyArray2<T>>;

/// The names of the 64 chords.
#[pyfunction]
pub(crate) fn chord_names() -> Vec<String> {
    Chord::all().map(Chord::name).collect()
}

/// The number of the chord of a name, if there is one.
#[pyfunction]
pub(crate) fn chord_index(name: &str) -> Option<usize> {
    Chord::parse(name).map(Chord::index)
}

/// The key of a name, if there is one.
#[pyfunction]
pub(crate) fn parse_key(name: &str) -> Option<KeyParts> {
    Key::parse(name).map(|key| (key.tonic, key.minor))
}

/// The name of a key, and the pitch classes of its scale as bits.
#[pyfunction]
pub(crate) fn key_facts(key: KeyParts) -> PyResult<(String, u16)> {
    let key = to_key(key)?;
    Ok((key.name(), key.scale()))
}

/// The key that fits durations of pitch classes best.
#[pyfunction]
pub(crate) fn estimate_key(durations: [f32; 12]) -> KeyParts {
    let key = Key::estimate(&durations);
    (key.tonic, key.minor)
}

/// A melody cut into half bars.
#[pyclass(frozen, name = "Segments", module = "neurdsp._core")]
pub(crate) struct PySegments(Vec<Segment>);

#[pymethods]
impl PySegments {
    /// Cuts notes at `n + 1` bounds; `downbeats` tells which of the `n` half bars begin a bar.
    #[new]
    fn new(
        starts: PyReadonlyArray1<'_, f64>,
        ends: PyReadonlyArray1<'_, f64>,
        pitches: PyReadonlyArray1<'_, u8>,
        bounds: PyReadonlyArray1<'_, f64>,
        downbeats: PyReadonlyArray1<'_, bool>,
    ) -> PyResult<Self> {
        let melody: Vec<MelodyNote> = rows(&starts, &ends, &pitches)?
            .map(|(start, end, pitch)| MelodyNote { start, end, pitch })
            .collect();
        let (bounds, downbeats) = (bounds.as_array().to_vec(), downbeats.as_array().to_vec());
        segments(&melody, &bounds, &downbeats).map(PySegments).map_err(of_parameter)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// How long each pitch class sounds, in half bars.
    fn durations(&self) -> [f32; 12] {
        total_durations(&self.0)
    }

    /// Part of the melody's time on tones of these chords, and part of the half bars that change the chord.
    fn judge(&self, chords: PyReadonlyArray1<'_, u8>) -> PyResult<(f32, f32)> {
        let chords = to_chords(&chords)?;
        Ok((chord_tone_share(&self.0, &chords), change_rate(&chords)))
    }

    /// The features of each half bar with these chords as the history, `(n, 128)`, and these chords turned to the key.
    fn features<'py>(
        &self,
        py: Python<'py>,
        key: KeyParts,
        chords: PyReadonlyArray1<'py, u8>,
        lookahead: bool,
    ) -> PyResult<(Table<'py, f32>, Row<'py, u8>)> {
        let asked = HarmonyFeatures::new(&self.0, to_key(key)?, lookahead);
        let turned: Vec<Chord> =
            to_chords(&chords)?.into_iter().map(|chord| asked.turned_to_key(chord)).collect();
        if turned.len() != self.0.len() {
            let message =
                format!("{} chords were given, but there are {} half bars", turned.len(), self.0.len());
            return Err(ParameterError::new_err(message));
        }
        let mut values = Vec::with_capacity(turned.len() * N_FEATURES);
        let mut row = [0.0; N_FEATURES];
        for index in 0..turned.len() {
            asked.write(index, &turned[..index], &mut row);
            values.extend_from_slice(&row);
        }
        let features = PyArray1::from_vec(py, values).reshape([turned.len(), N_FEATURES])?;
        Ok((features, PyArray1::from_iter(py, turned.iter().map(|chord| chord.index() as u8))))
    }

    /// A plan of chords: one for each half bar, and suggestions. `model` maps `(n, 128)` features to `(n, 64)`
    /// probabilities; locks are numbers of chords by half bar, 255 for none.
    #[pyo3(signature = (key, locks, model, *, beam, change_reward, coverage_reward, change_rate, suggestions, lookahead))]
    #[allow(clippy::too_many_arguments)]
    fn plan<'py>(
        &self,
        py: Python<'py>,
        key: KeyParts,
        locks: PyReadonlyArray1<'py, u8>,
        model: Bound<'py, PyAny>,
        beam: usize,
        change_reward: f32,
        coverage_reward: f32,
        change_rate: Option<f32>,
        suggestions: usize,
        lookahead: bool,
    ) -> PyResult<(Row<'py, u8>, Suggestions)> {
        let options =
            PlanOptions { beam, change_reward, coverage_reward, change_rate, suggestions, lookahead };
        let locks: Vec<Option<Chord>> =
            locks.as_array().iter().map(|&lock| Chord::new(usize::from(lock))).collect();
        let mut asked = Asked { model, failed: RefCell::new(None) };
        let made = plan(&self.0, to_key(key)?, &locks, &options, &mut asked);
        let made = made.map_err(|error| asked.failed.take().unwrap_or_else(|| of_parameter(error)))?;
        let ranked = made.suggestions.iter().map(|ranked| {
            ranked.iter().map(|suggestion| (suggestion.chord.index(), suggestion.probability)).collect()
        });
        let chords = PyArray1::from_iter(py, made.chords.iter().map(|chord| chord.index() as u8));
        Ok((chords, ranked.collect()))
    }

    /// Notes for chords, from the bass up, by half bar, and the name of each chord with the root that it got.
    fn voice(&self, chords: PyReadonlyArray1<'_, u8>) -> PyResult<(Vec<Vec<u8>>, Vec<String>)> {
        let chords = to_chords(&chords)?;
        let voiced = voice(&chords, &self.0);
        let silence = Segment::default();
        let mut before = 0_u16;
        let names = chords.iter().enumerate().map(|(at, &chord)| {
            let found = resolve(chord, self.0.get(at).unwrap_or(&silence), before);
            before = voiced[at].iter().fold(0, |bits, pitch| bits | 1 << (pitch % 12));
            match (chord.root(), found) {
                (None, Some((root, _))) => {
                    let root = Chord::new(usize::from(root) * 5).map(Chord::name).unwrap_or_default();
                    format!("{root}{}", chord.name())
                }
                _ => chord.name(),
            }
        });
        let names = names.collect();
        Ok((voiced, names))
    }
}

/// A model in Python, and the exception that it raised.
struct Asked<'py> {
    model: Bound<'py, PyAny>,
    failed: RefCell<Option<PyErr>>,
}

impl Asked<'_> {
    /// Turns an exception into an error that carries it along.
    fn keep<T>(&self, result: PyResult<T>) -> Result<T, Error> {
        result.map_err(|error| {
            *self.failed.borrow_mut() = Some(error);
            Error::Malformed {
                what: "the answer of the model".into(),
                reason: "it raised an exception".into(),
            }
        })
    }
}

impl ChordModel for Asked<'_> {
    fn probabilities(&mut self, features: &[[f32; N_FEATURES]]) -> Result<Vec<[f32; N_CHORDS]>, Error> {
        let ask = || -> PyResult<Vec<[f32; N_CHORDS]>> {
            let py = self.model.py();
            let array = PyArray1::from_vec(py, features.concat()).reshape([features.len(), N_FEATURES])?;
            let answer = self.model.call1((array,))?;
            let answer: PyReadonlyArray2<'_, f32> = answer.extract()?;
            let answer = answer.as_array();
            if answer.dim() != (features.len(), N_CHORDS) {
                let message = format!(
                    "the model gave an array of shape {:?}, but must give {:?}",
                    answer.dim(),
                    (features.len(), N_CHORDS)
                );
                return Err(ParameterError::new_err(message));
            }
            Ok(answer.rows().into_iter().map(|row| std::array::from_fn(|at| row[at])).collect())
        };
        self.keep(ask())
    }
}

impl MelodyModel for Asked<'_> {
    fn reset(&mut self) {
        let reset = self.model.call_method0("reset").map(|_| ());
        // The next step meets the same fault if this one is serious; it is what the caller gets to see.
        let _ = self.keep(reset);
    }

    fn step(&mut self, token: u8, condition: &[f32; N_CONDITION]) -> Result<[f32; N_TOKENS], Error> {
        let ask = || -> PyResult<[f32; N_TOKENS]> {
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            let py = self.model.py();
            let mut values = Vec::with_capacity(1 + N_CONDITION);
            values.push(f32::from(token));
            values.extend_from_slice(condition);
            let answer = self.model.call_method1("step", (PyArray1::from_vec(py, values),))?;
            let answer: PyReadonlyArray1<'_, f32> = answer.extract()?;
            let answer = answer.as_array();
            if answer.len() != N_TOKENS {
                let message = format!("the model gave {} values, but must give {N_TOKENS}", answer.len());
                return Err(ParameterError::new_err(message));
            }
            Ok(std::array::from_fn(|at| answer[at]))
        };
        self.keep(ask())
    }
}

/// A melody as tokens: start and end of its notes in sixteenths.
#[pyfunction]
pub(crate) fn melody_tokens<'py>(
    py: Python<'py>,
    starts: PyReadonlyArray1<'py, f64>,
    ends: PyReadonlyArray1<'py, f64>,
    pitches: PyReadonlyArray1<'py, u8>,
    n_steps: usize,
) -> PyResult<Row<'py, u8>> {
    let melody: Vec<(f64, f64, u8)> = rows(&starts, &ends, &pitches)?.collect();
    Ok(PyArray1::from_vec(py, tokens(&melody, n_steps).map_err(of_parameter)?))
}

/// The notes of tokens: `(n, 3)` of start and end in sixteenths, and pitch.
#[pyfunction]
pub(crate) fn melody_notes<'py>(
    py: Python<'py>,
    tokens: PyReadonlyArray1<'py, u8>,
) -> PyResult<Table<'py, i64>> {
    let found = notes(&tokens.as_array().to_vec());
    let values: Vec<i64> =
        found.iter().flat_map(|note| [note.start as i64, note.end as i64, i64::from(note.pitch)]).collect();
    PyArray1::from_vec(py, values).reshape([found.len(), 3])
}

/// The conditions of steps, `(n, 64)`: place in the bar, sixteenths of a bar, compound, tonic (255 for none), minor, and
/// chord (255 for none) of each.
#[pyfunction]
pub(crate) fn melody_conditions<'py>(
    py: Python<'py>,
    surroundings: PyReadonlyArray2<'py, u8>,
) -> PyResult<Table<'py, f32>> {
    let around = to_surroundings(&surroundings)?;
    let mut values = Vec::with_capacity(around.len() * N_CONDITION);
    let mut condition = [0.0; N_CONDITION];
    for step in &around {
        step.write(&mut condition);
        values.extend_from_slice(&condition);
    }
    PyArray1::from_vec(py, values).reshape([around.len(), N_CONDITION])
}

/// What the memory says before each token of a melody: `(n, 128)` probabilities, and over how many tokens it agrees.
#[pyfunction]
pub(crate) fn melody_memory<'py>(
    py: Python<'py>,
    tokens: PyReadonlyArray1<'py, u8>,
) -> PyResult<(Table<'py, f32>, Row<'py, i64>)> {
    let tokens = tokens.as_array().to_vec();
    let (values, agreements) = py.detach(|| {
        let mut memory = MelodyMemory::new();
        let mut values = Vec::with_capacity(tokens.len() * N_TOKENS);
        let mut agreements = Vec::with_capacity(tokens.len());
        let mut next = [0.0; N_TOKENS];
        for &token in &tokens {
            agreements.push(memory.predict(&mut next) as i64);
            values.extend_from_slice(&next);
            memory.push(token);
        }
        (values, agreements)
    });
    let probabilities = PyArray1::from_vec(py, values).reshape([tokens.len(), N_TOKENS])?;
    Ok((probabilities, PyArray1::from_vec(py, agreements)))
}

/// The part of the memory in the mixture at each agreement of 0 to 32 tokens.
#[pyfunction]
#[pyo3(signature = (strength, weights = None))]
pub(crate) fn memory_weights(strength: f32, weights: Option<Vec<f32>>) -> PyResult<Vec<f32>> {
    let mixture = to_mixture(weights)?;
    Ok((0..=neurdsp_models::music::tunes::MAX_ORDER).map(|order| mixture.weight(order, strength)).collect())
}

/// Continues a melody; `model` has `reset()` and `step((65,)) -> (128,)`. The surroundings are those of
/// [`melody_conditions`], of the prompt and of what comes.
#[pyfunction]
#[pyo3(signature = (prompt, surroundings, model, *, memory, temperature, scale, range, seed, weights = None))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn melody_continue<'py>(
    py: Python<'py>,
    prompt: PyReadonlyArray1<'py, u8>,
    surroundings: PyReadonlyArray2<'py, u8>,
    model: Bound<'py, PyAny>,
    memory: f32,
    temperature: f32,
    scale: Option<u16>,
    range: (u8, u8),
    seed: u64,
    weights: Option<Vec<f32>>,
) -> PyResult<Row<'py, u8>> {
    let mixture = to_mixture(weights)?;
    let options = ContinueOptions { memory, temperature, scale, range, seed, mixture };
    let mut asked = Asked { model, failed: RefCell::new(None) };
    let around = to_surroundings(&surroundings)?;
    let made = continue_melody(&prompt.as_array().to_vec(), &around, &options, &mut asked);
    let made = made.map_err(|error| asked.failed.take().unwrap_or_else(|| of_parameter(error)))?;
    Ok(PyArray1::from_vec(py, made))
}

fn to_mixture(weights: Option<Vec<f32>>) -> PyResult<Mixture> {
    weights.map_or(Ok(Mixture::default()), |weights| Mixture::new(&weights).map_err(of_parameter))
}

fn to_surroundings(table: &PyReadonlyArray2<'_, u8>) -> PyResult<Vec<Surroundings>> {
    let table = table.as_array();
    if table.ncols() != 6 {
        let message = format!("the surroundings have {} columns, but must have 6", table.ncols());
        return Err(ParameterError::new_err(message));
    }
    let row = |row: numpy::ndarray::ArrayView1<'_, u8>| Surroundings {
        place: u32::from(row[0]),
        bar: row[1],
        compound: row[2] != 0,
        key: (row[3] < 12).then(|| Key { tonic: row[3], minor: row[4] != 0 }),
        chord: Chord::new(usize::from(row[5])),
    };
    Ok(table.rows().into_iter().map(row).collect())
}

fn to_key((tonic, minor): KeyParts) -> PyResult<Key> {
    if tonic < 12 {
        return Ok(Key { tonic, minor });
    }
    Err(ParameterError::new_err(format!("the tonic is {tonic}, but must be 0 to 11")))
}

fn to_chords(chords: &PyReadonlyArray1<'_, u8>) -> PyResult<Vec<Chord>> {
    let chord = |&index: &u8| {
        Chord::new(usize::from(index)).ok_or_else(|| {
            ParameterError::new_err(format!("a chord has number {index}, but must have 0 to 63"))
        })
    };
    chords.as_array().iter().map(chord).collect()
}

fn rows<'a>(
    starts: &'a PyReadonlyArray1<'_, f64>,
    ends: &'a PyReadonlyArray1<'_, f64>,
    pitches: &'a PyReadonlyArray1<'_, u8>,
) -> PyResult<impl Iterator<Item = (f64, f64, u8)>> {
    let (starts, ends, pitches) =
        (starts.as_array().to_vec(), ends.as_array().to_vec(), pitches.as_array().to_vec());
    if starts.len() != ends.len() || starts.len() != pitches.len() {
        let message = format!(
            "{} starts, {} ends and {} pitches do not belong together",
            starts.len(),
            ends.len(),
            pitches.len()
        );
        return Err(ParameterError::new_err(message));
    }
    Ok(starts.into_iter().zip(ends).zip(pitches).map(|((start, end), pitch)| (start, end, pitch)))
}

/// What is out of range is the caller's parameter here, not a file's.
fn of_parameter(error: Error) -> PyErr {
    match error {
        Error::OutOfRange { .. } => ParameterError::new_err(error.to_string()),
        other => from_models(other),
    }
}
