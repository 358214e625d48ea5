//! Maps the errors of the Rust crates to the exceptions of `neurdsp.errors`.

use pyo3::PyErr;

/// The exceptions, defined in Python so that Python code raises the very same classes.
mod exceptions {
    pyo3::import_exception!(neurdsp.errors, AudioFileError);
    pyo3::import_exception!(neurdsp.errors, MidiFileError);
    pyo3::import_exception!(neurdsp.errors, ModelFileError);
    pyo3::import_exception!(neurdsp.errors, NeurdspError);
    pyo3::import_exception!(neurdsp.errors, ParameterError);
    pyo3::import_exception!(neurdsp.errors, UnsupportedModelError);
}

pub(crate) use exceptions::ParameterError;
use exceptions::{AudioFileError, MidiFileError, ModelFileError, NeurdspError, UnsupportedModelError};

/// The exception for an error of a model file: unsupported, or anything else that is wrong with it.
pub(crate) fn from_models(error: neurdsp_models::Error) -> PyErr {
    let message = error.to_string();
    if error.is_unsupported() {
        UnsupportedModelError::new_err(message)
    } else {
        ModelFileError::new_err(message)
    }
}

/// The exception for an error of a filter, a convolution or a change of rate: a parameter is wrong.
pub(crate) fn from_dsp(error: neurdsp_dsp::Error) -> PyErr {
    ParameterError::new_err(error.to_string())
}

/// The exception for an error of a MIDI file, or of what is to be written into one.
pub(crate) fn from_midi(error: neurdsp_midi::Error) -> PyErr {
    use neurdsp_midi::Error::{Format, Header, NotMidi, TooLarge};
    match error {
        NotMidi { .. } | Header { .. } | Format { .. } | TooLarge { .. } => {
            MidiFileError::new_err(error.to_string())
        }
        _ => ParameterError::new_err(error.to_string()),
    }
}

/// The exception for an error of the chain.
pub(crate) fn from_rt(error: neurdsp_rt::Error) -> PyErr {
    match error {
        neurdsp_rt::Error::Model(error) => from_models(error),
        neurdsp_rt::Error::Dsp(error) => from_dsp(error),
        neurdsp_rt::Error::AudioFile { .. } => AudioFileError::new_err(error.to_string()),
        neurdsp_rt::Error::Parameter { .. } => ParameterError::new_err(error.to_string()),
        _ => NeurdspError::new_err(error.to_string()),
    }
}
