//! Maps the errors of the Rust crates to the exceptions of `neurdsp.errors`.

use pyo3::PyErr;

/// The exceptions, defined in Python so that Python code raises the very same classes.
mod exceptions {
    pyo3::import_exception!(neurdsp.errors, ModelFileError);
    pyo3::import_exception!(neurdsp.errors, ParameterError);
    pyo3::import_exception!(neurdsp.errors, UnsupportedModelError);
}

pub(crate) use exceptions::ParameterError;
use exceptions::{ModelFileError, UnsupportedModelError};

/// The exception for an error of a model file: unsupported, or anything else that is wrong with it.
pub(crate) fn from_models(error: neurdsp_models::Error) -> PyErr {
    let message = error.to_string();
    if error.is_unsupported() {
        UnsupportedModelError::new_err(message)
    } else {
        ModelFileError::new_err(message)
    }
}
