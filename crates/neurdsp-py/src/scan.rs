//! The gated recurrence that networks are trained through.

use crate::dsp::{is_double, refuse};
use neurdsp_nn::train;
use neurdsp_simd::Isa;
use numpy::{Element, PyReadonlyArray2, PyReadwriteArray2};
use pyo3::prelude::*;

/// An array `(steps, width)` to read.
fn read<'py, T: Element>(array: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArray2<'py, T>> {
    array.extract().map_err(|_| shapes())
}

/// An array `(steps, width)` to write.
fn write<'py, T: Element>(array: &Bound<'py, PyAny>) -> PyResult<PyReadwriteArray2<'py, T>> {
    array.extract().map_err(|_| shapes())
}

fn shapes() -> PyErr {
    refuse("arrays must be float32 or float64, contiguous, and all of one shape (steps, width)")
}

/// Fills `states` with `h[t] = f[t] h[t - 1] + (1 - f[t]) c[t]`, from zero on; all arrays are `(steps, width)`.
#[pyfunction]
pub(crate) fn gated_scan(
    py: Python<'_>,
    forget: &Bound<'_, PyAny>,
    candidate: &Bound<'_, PyAny>,
    states: &Bound<'_, PyAny>,
) -> PyResult<()> {
    if is_double(forget)? {
        forward::<f64>(py, forget, candidate, states)
    } else {
        forward::<f32>(py, forget, candidate, states)
    }
}

fn forward<T: Element + train::Element>(
    py: Python<'_>,
    forget: &Bound<'_, PyAny>,
    candidate: &Bound<'_, PyAny>,
    states: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let (forget, candidate) = (read::<T>(forget)?, read::<T>(candidate)?);
    let mut states = write::<T>(states)?;
    let shape = forget.as_array().dim();
    if candidate.as_array().dim() != shape || states.as_array().dim() != shape {
        return Err(shapes());
    }
    if shape.0 == 0 || shape.1 == 0 {
        return Ok(());
    }
    let forget = forget.as_slice().map_err(|_| shapes())?;
    let candidate = candidate.as_slice().map_err(|_| shapes())?;
    let states = states.as_slice_mut().map_err(|_| shapes())?;
    py.detach(|| train::scan(forget, candidate, states, shape.1, Isa::detect()));
    Ok(())
}

/// Fills the gradients over `forget` and `candidate` from that over `states`, which `gated_scan` gave.
#[pyfunction]
pub(crate) fn gated_scan_backward(
    py: Python<'_>,
    forget: &Bound<'_, PyAny>,
    candidate: &Bound<'_, PyAny>,
    states: &Bound<'_, PyAny>,
    gradient: &Bound<'_, PyAny>,
    forget_gradient: &Bound<'_, PyAny>,
    candidate_gradient: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let kept = [forget, candidate, states, gradient];
    if is_double(forget)? {
        backward::<f64>(py, kept, forget_gradient, candidate_gradient)
    } else {
        backward::<f32>(py, kept, forget_gradient, candidate_gradient)
    }
}

fn backward<T: Element + train::Element>(
    py: Python<'_>,
    kept: [&Bound<'_, PyAny>; 4],
    forget_gradient: &Bound<'_, PyAny>,
    candidate_gradient: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let [forget, candidate, states, gradient] = kept.map(read::<T>);
    let (forget, candidate, states, gradient) = (forget?, candidate?, states?, gradient?);
    let (mut to_forget, mut to_candidate) = (write::<T>(forget_gradient)?, write::<T>(candidate_gradient)?);
    let shape = forget.as_array().dim();
    let others = [&candidate, &states, &gradient].map(|array| array.as_array().dim());
    let outputs = [to_forget.as_array().dim(), to_candidate.as_array().dim()];
    if others != [shape; 3] || outputs != [shape; 2] {
        return Err(shapes());
    }
    if shape.0 == 0 || shape.1 == 0 {
        return Ok(());
    }
    let kept = [
        forget.as_slice().map_err(|_| shapes())?,
        candidate.as_slice().map_err(|_| shapes())?,
        states.as_slice().map_err(|_| shapes())?,
        gradient.as_slice().map_err(|_| shapes())?,
    ];
    let to_forget = to_forget.as_slice_mut().map_err(|_| shapes())?;
    let to_candidate = to_candidate.as_slice_mut().map_err(|_| shapes())?;
    py.detach(|| train::scan_backward(kept, to_forget, to_candidate, shape.1, Isa::detect()));
    Ok(())
}
