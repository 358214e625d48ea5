//! What can go wrong when a chain is built or changed. Nothing goes wrong while it plays.

use std::path::{Path, PathBuf};

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something cannot be built, or handed to the audio thread.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A parameter is outside its domain.
    #[error("{name} is {value}, but {allowed}")]
    Parameter {
        /// The parameter, as the user knows it.
        name: String,
        /// What was given.
        value: String,
        /// What would do.
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
        /// What is wrong with it, and what would do.
        reason: String,
    },
    /// The audio thread has not taken what was sent before.
    #[error(
        "{waiting} changes wait for the audio thread to take them; call process, or send the next one later"
    )]
    Busy {
        /// How many.
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
