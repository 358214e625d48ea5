//! The cache of features: keys from arrays, and features that numpy looks at where they are.

use crate::dsp::{Planned, PySpectrogram, is_double, strided};
use crate::errors::ParameterError;
use neurdsp_dsp::{Error, Features, Key, MelCache, Values};
use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::path::PathBuf;
use std::sync::Arc;

fn raise(error: Error) -> PyErr {
    match error {
        Error::Folder { .. } => PyOSError::new_err(error.to_string()),
        _ => ParameterError::new_err(error.to_string()),
    }
}

/// Features in a cache; `numpy.asarray` makes a read-only array of them that shares their memory and keeps it.
#[pyclass(frozen, name = "CachedFeatures", module = "neurdsp._core")]
pub(crate) struct PyFeatures(Arc<Features>);

#[pymethods]
impl PyFeatures {
    /// numpy's array interface, version 3.
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (kind, address) = match self.0.values() {
            Values::Double(values) => ("f8", values.as_ptr() as usize),
            Values::Single(values) => ("f4", values.as_ptr() as usize),
            _ => return Err(ParameterError::new_err("the features are of a type that numpy does not know")),
        };
        let order = if cfg!(target_endian = "little") { '<' } else { '>' };
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("shape", (self.0.n_rows(), self.0.n_frames()))?;
        interface.set_item("typestr", format!("{order}{kind}"))?;
        interface.set_item("data", (address, true))?;
        Ok(interface)
    }
}

/// A cache of features, in memory and in a folder if one is given.
#[pyclass(frozen, name = "MelCache", module = "neurdsp._core")]
pub(crate) struct PyMelCache(MelCache);

#[pymethods]
impl PyMelCache {
    #[new]
    fn new(
        py: Python<'_>,
        directory: Option<PathBuf>,
        max_bytes: usize,
        max_disk_bytes: u64,
    ) -> PyResult<Self> {
        Ok(Self(match directory {
            None => MelCache::in_memory(max_bytes),
            Some(folder) => py.detach(|| MelCache::open(folder, max_bytes, max_disk_bytes)).map_err(raise)?,
        }))
    }

    /// The key of what `plan` and `variant` make of the samples `(n,)`, and the features if they are there.
    fn find<'py>(
        &self,
        py: Python<'py>,
        plan: &PySpectrogram,
        samples: &Bound<'py, PyAny>,
        variant: &str,
    ) -> PyResult<(Bound<'py, PyBytes>, Option<PyFeatures>)> {
        let (key, found) = match &plan.0 {
            Planned::Double(plan) if is_double(samples)? => {
                let samples: PyReadonlyArray1<'_, f64> = samples.extract()?;
                let samples = samples.as_slice().map_err(|_| strided())?;
                py.detach(|| self.search(Key::new(plan, samples, variant)))
            }
            planned => {
                let samples: PyReadonlyArray1<'_, f32> = samples.extract()?;
                let samples = samples.as_slice().map_err(|_| strided())?;
                py.detach(|| {
                    self.search(match planned {
                        Planned::Single(plan) => Key::new(plan, samples, variant),
                        Planned::Double(plan) => Key::of_single(plan, samples, variant),
                    })
                })
            }
        };
        Ok((PyBytes::new(py, &key.to_bytes()), found.map(PyFeatures)))
    }

    /// Keeps features `(n_rows, n_frames)` under a key of `find`, and gives them as they are kept.
    fn insert(&self, py: Python<'_>, key: &[u8], features: &Bound<'_, PyAny>) -> PyResult<PyFeatures> {
        let key = key.try_into().map_err(|_| {
            ParameterError::new_err(format!("a key has {} bytes, not {}", Key::LEN, key.len()))
        })?;
        if is_double(features)? {
            let features: PyReadonlyArray2<'_, f64> = features.extract()?;
            self.keep(py, key, features.shape(), features.as_slice().map_err(|_| strided())?)
        } else {
            let features: PyReadonlyArray2<'_, f32> = features.extract()?;
            self.keep(py, key, features.shape(), features.as_slice().map_err(|_| strided())?)
        }
    }

    /// Drops everything, in memory and in the folder.
    fn clear(&self, py: Python<'_>) {
        py.detach(|| self.0.clear());
    }

    /// What the cache has done, and how large it is.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = self.0.stats();
        let entries = PyDict::new(py);
        entries.set_item("memory_hits", stats.memory_hits)?;
        entries.set_item("disk_hits", stats.disk_hits)?;
        entries.set_item("misses", stats.misses)?;
        entries.set_item("evictions", stats.evictions)?;
        entries.set_item("damaged", stats.damaged)?;
        entries.set_item("failed_writes", stats.failed_writes)?;
        entries.set_item("entries", stats.entries)?;
        entries.set_item("memory_bytes", stats.memory_bytes)?;
        entries.set_item("disk_bytes", stats.disk_bytes)?;
        Ok(entries)
    }
}

impl PyMelCache {
    fn search(&self, key: Key) -> (Key, Option<Arc<Features>>) {
        (key, self.0.get(&key))
    }

    fn keep<T: Copy + Sync>(
        &self,
        py: Python<'_>,
        key: &[u8; Key::LEN],
        shape: &[usize],
        values: &[T],
    ) -> PyResult<PyFeatures>
    where
        Values: From<Vec<T>>,
    {
        let (n_rows, n_frames) = (shape[0], shape[1]);
        py.detach(|| {
            let features = Features::new(n_rows, n_frames, values.to_vec())?;
            Ok(PyFeatures(self.0.insert(Key::from_bytes(key), features)))
        })
        .map_err(raise)
    }
}
