//! A worker that runs music networks, and what it does.

use crate::errors::{ParameterError, from_models, from_rt};
use neurdsp_models::music::{MusicNetwork, MusicPart};
use neurdsp_models::{Header, ModelFile};
use neurdsp_rt::inference::{
    DropPolicy, Fallback, Inference, InferenceHandle, InferenceMode, InferenceSettings, Priority, inference,
};
use neurdsp_rt::{MusicJob, MusicStep};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The number of a request, its network, and its answer or why there is none.
type Due<'py> = (u64, &'static str, Option<Bound<'py, PyArray1<f32>>>, Option<&'static str>);

/// Music networks on a worker.
#[pyclass(frozen, name = "MusicWorker", module = "neurdsp._core")]
pub(crate) struct PyMusicWorker {
    sides: Mutex<Sides>,
    /// Inputs of each network by its place in `MusicPart::ALL`; 0 for one that there is not.
    n_inputs: [usize; MusicPart::ALL.len()],
}

struct Sides {
    asks: Inference<MusicJob>,
    handle: InferenceHandle<MusicJob>,
}

#[pymethods]
impl PyMusicWorker {
    /// Loads the networks of these files and starts the worker.
    #[new]
    fn new(
        py: Python<'_>,
        paths: Vec<PathBuf>,
        inline: bool,
        offline: bool,
        capacity: usize,
        deadline_ms: f64,
        latest: bool,
    ) -> PyResult<Self> {
        let mode = if inline { InferenceMode::Inline } else { InferenceMode::Worker };
        let deadline = Duration::try_from_secs_f64(1e-3 * deadline_ms).map_err(|_| {
            ParameterError::new_err(format!("deadline_ms is {deadline_ms}, but must be 0 or more"))
        })?;
        let policy = if latest { DropPolicy::Latest } else { DropPolicy::Newest };
        let settings = InferenceSettings { capacity, deadline, policy, ..InferenceSettings::default() };
        py.detach(|| {
            let (mut asks, mut handle) = inference(mode, settings).map_err(from_rt)?;
            asks.set_offline(offline);
            let mut n_inputs = [0; MusicPart::ALL.len()];
            handle.load(|| {
                let networks: Result<Vec<_>, PyErr> = paths.iter().map(read).collect();
                let networks = networks.map_err(Failed)?;
                for network in &networks {
                    n_inputs[network.part() as usize] = network.n_inputs();
                }
                MusicJob::new(networks).map_err(|error| Failed(from_rt(error)))
            })?;
            Ok(Self { sides: Mutex::new(Sides { asks, handle }), n_inputs })
        })
    }

    /// Asks a network for a step whose answer is due at a musical step; gives the number of the request.
    fn submit(
        &self,
        py: Python<'_>,
        name: &str,
        inputs: PyReadonlyArray1<'_, f32>,
        due_step: i64,
    ) -> PyResult<u64> {
        let values = inputs.as_slice().map_err(|_| ParameterError::new_err("inputs must be contiguous"))?;
        let part = MusicPart::ALL.into_iter().find(|part| part.name() == name);
        let known = part.map(|part| (part, self.n_inputs[part as usize])).filter(|&(_, n)| n > 0);
        let Some((part, n_inputs)) = known else {
            return Err(ParameterError::new_err(format!("the worker has no network '{name}'")));
        };
        if values.len() != n_inputs {
            let message = format!("{} inputs were given, but {name} takes {n_inputs}", values.len());
            return Err(ParameterError::new_err(message));
        }
        let step = MusicStep::new(part, values);
        Ok(py.detach(|| self.lock().asks.submit(&step, due_step)))
    }

    /// Takes the next answer that is due at this step or before.
    fn due<'py>(&self, py: Python<'py>, step: i64) -> Option<Due<'py>> {
        let (number, outcome) = py.detach(|| self.lock().asks.due(step))?;
        Some(match outcome {
            Ok(answer) => {
                let values = PyArray1::from_slice(py, answer.values());
                (number, answer.part.name(), Some(values), None)
            }
            Err(why) => (number, "", None, Some(reason(why))),
        })
    }

    /// Begins anew: what was asked before is forgotten.
    fn restart(&self, py: Python<'_>) {
        py.detach(|| self.lock().asks.restart());
    }

    /// What was recorded, by name.
    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let report = py.detach(|| {
            let mut sides = self.lock();
            sides.asks.receive();
            sides.handle.monitor().report()
        });
        let found = PyDict::new(py);
        for (name, value) in [
            ("load_ms", report.load_ms),
            ("last_us", report.last_us),
            ("median_us", report.median_us),
            ("p99_us", report.p99_us),
            ("p999_us", report.p999_us),
            ("worst_us", report.worst_us),
            ("turnaround_median_us", report.turnaround_median_us),
            ("turnaround_p999_us", report.turnaround_p999_us),
        ] {
            found.set_item(name, value)?;
        }
        for (name, value) in [
            ("submissions", report.submissions),
            ("answers", report.answers),
            ("dropped", report.dropped()),
            ("late", report.late),
            ("missed_deadlines", report.missed_deadlines),
            ("queue_depth", report.queue_depth),
            ("max_queue_depth", report.max_queue_depth),
            ("audio_waits", report.audio_waits),
            ("memory_bytes", report.memory_bytes),
        ] {
            found.set_item(name, value)?;
        }
        found.set_item(
            "priority",
            match report.priority {
                Priority::Normal => "normal",
                Priority::RealTime => "real-time",
                Priority::Refused => "refused",
            },
        )?;
        Ok(found)
    }
}

impl PyMusicWorker {
    fn lock(&self) -> MutexGuard<'_, Sides> {
        self.sides.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An exception as the error of a load, which may also be one of the worker.
struct Failed(PyErr);

impl From<neurdsp_rt::Error> for Failed {
    fn from(error: neurdsp_rt::Error) -> Failed {
        Failed(from_rt(error))
    }
}

impl From<Failed> for PyErr {
    fn from(failed: Failed) -> PyErr {
        failed.0
    }
}

fn read(path: &PathBuf) -> PyResult<Arc<MusicNetwork>> {
    let load = || {
        let file = ModelFile::read(path)?;
        let header = Header::from_metadata(&file.metadata)?;
        MusicNetwork::from_file(&file, &header)
    };
    load().map(Arc::new).map_err(|error| from_models(error.in_file(path)))
}

fn reason(why: Fallback) -> &'static str {
    match why {
        Fallback::NoModel => "no model",
        Fallback::Refused => "refused",
        Fallback::Skipped => "skipped",
        Fallback::Expired => "expired",
        Fallback::Failed => "failed",
        Fallback::Late => "late",
    }
}
