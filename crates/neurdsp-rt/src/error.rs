//! Errors when a chain is built or changed. Playing cannot fail.

use std::path::{Path, PathBuf};

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something cannot be built, or sent to the audio thread.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A parameter is outside its domain.
    #[error("{name} is {value}, but {allowed}")]
    Parameter {
        /// The name of the parameter.
        name: String,
        /// The value.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// A filter, a convolution or a change of rate.
    #[error(transparent)]
    Dsp(#[from] neurdsp_dsp::Error),
    /// A model.
    #[error(transparent)]
    Model(#[from] neurdsp_models::Error),
    /// A recording of an impulse response.
    #[error("cannot load {}: {reason}", quoted(path))]
    AudioFile {
        /// The file; empty where only its bytes were given.
        path: PathBuf,
        /// What is wrong with it, and what is allowed.
        reason: String,
    },
    /// The audio thread has not taken what was sent before.
    #[error(
        "{waiting} changes wait for the audio thread to take them; call process, or send the next one later"
    )]
    Busy {
        /// The number of changes.
        waiting: usize,
    },
}

impl Error {
    pub(crate) fn parameter(
        name: impl Into<String>,
        value: impl ToString,
        allowed: impl Into<String>,
    ) -> Error {
        Error::Parameter { name: name.into(), value: value.to_string(), allowed: allowed.into() }
    }
}

fn quoted(path: &Path) -> String {
    if path.as_os_str().is_empty() { "the WAV file".to_owned() } else { format!("'{}'", path.display()) }
}
