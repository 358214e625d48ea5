//! Rows and planes of numpy arrays, lent to the core without the interpreter.
//!
//! Batches come as lists. Each entry is a stack of rows of one length: a plain array is a list of one entry, a ragged batch a
//! list of several.

use crate::errors::ParameterError;
use neurdsp_dsp as dsp;
use numpy::ndarray::{Axis, Ix2, Ix3, RemoveAxis};
use numpy::{
    Element, PyArrayDescrMethods, PyReadonlyArray, PyReadonlyArray2, PyReadonlyArray3, PyReadwriteArray,
    PyReadwriteArray2, PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::prelude::*;

pub(crate) fn refuse(message: &str) -> PyErr {
    ParameterError::new_err(message.to_owned())
}

pub(crate) fn strided() -> PyErr {
    refuse("the samples of a row, and each result, must be contiguous; pass numpy.ascontiguousarray(...)")
}

/// Whether the elements of an array are double precision, real or complex.
pub(crate) fn is_double(array: &Bound<'_, PyAny>) -> PyResult<bool> {
    let dtype = array.cast::<PyUntypedArray>()?.dtype();
    Ok(dtype.itemsize() == if dtype.kind() == b'c' { 16 } else { 8 })
}

/// An input and room for its result.
pub(super) type Pair<'a, I, O> = (&'a [I], &'a mut [O]);

/// Pairs the rows of the inputs with the planes of the outputs.
pub(super) fn analyse<I: Element + Copy + Sync + 'static, O: Element + Send + 'static>(
    py: Python<'_>,
    inputs: &[Bound<'_, PyAny>],
    outputs: &[Bound<'_, PyAny>],
    work: impl FnOnce(Vec<Pair<'_, I, O>>) -> dsp::Result<()> + Send,
) -> PyResult<()> {
    pair::<I, Ix2, O, Ix3>(py, inputs, outputs, work)
}

/// Pairs the planes of the inputs with the rows of the outputs.
pub(super) fn synthesise<I: Element + Copy + Sync + 'static, O: Element + Send + 'static>(
    py: Python<'_>,
    inputs: &[Bound<'_, PyAny>],
    outputs: &[Bound<'_, PyAny>],
    work: impl FnOnce(Vec<Pair<'_, I, O>>) -> dsp::Result<()> + Send,
) -> PyResult<()> {
    pair::<I, Ix3, O, Ix2>(py, inputs, outputs, work)
}

fn pair<
    I: Element + Copy + Sync + 'static,
    DI: RemoveAxis + 'static,
    O: Element + Send + 'static,
    DO: RemoveAxis + 'static,
>(
    py: Python<'_>,
    inputs: &[Bound<'_, PyAny>],
    outputs: &[Bound<'_, PyAny>],
    work: impl FnOnce(Vec<Pair<'_, I, O>>) -> dsp::Result<()> + Send,
) -> PyResult<()> {
    let inputs: Vec<PyReadonlyArray<'_, I, DI>> = extract(inputs)?;
    let mut outputs: Vec<PyReadwriteArray<'_, O, DO>> = extract(outputs)?;
    let inputs: Vec<_> = inputs.iter().map(|input| input.as_array()).collect();
    let mut outputs: Vec<_> = outputs.iter_mut().map(|output| output.as_array_mut()).collect();
    let mut batch = Vec::new();
    for (input, output) in inputs.iter().zip(&mut outputs) {
        for (from, to) in input.outer_iter().zip(output.outer_iter_mut()) {
            batch.push((from.to_slice().ok_or_else(strided)?, to.into_slice().ok_or_else(strided)?));
        }
    }
    py.detach(|| work(batch)).map_err(crate::errors::from_dsp)
}

/// Samples, the gradient over what was made from them, and room for the gradient over them.
pub(super) type Triple<'a, E> = (&'a [E], &'a [E], &'a mut [E]);

/// Hands triples of rows, planes and rows to `work`.
pub(super) fn differentiate<E: Element + Copy + Send + Sync + 'static>(
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
    if gradients.len_of(Axis(0)) != rows || results.nrows() != rows {
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
    py.detach(|| work(batch)).map_err(crate::errors::from_dsp)
}

fn extract<'py, A: FromPyObjectOwned<'py>>(arrays: &[Bound<'py, PyAny>]) -> PyResult<Vec<A>> {
    arrays.iter().map(|array| array.extract().map_err(Into::into)).collect()
}
