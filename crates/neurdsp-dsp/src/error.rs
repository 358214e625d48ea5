//! What can be wrong with a plan or with the audio that it is given.

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a plan cannot be made, or cannot work on what it was given.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A parameter is outside its domain.
    #[error("{name} is {value}, but {allowed}")]
    Parameter {
        /// The parameter, as the user knows it.
        name: &'static str,
        /// What was given.
        value: String,
        /// What would do.
        allowed: String,
    },
    /// There is no audio.
    #[error("the audio is empty; pass at least one sample")]
    Empty,
    /// The audio does not fill one frame.
    #[error(
        "the audio has {got} samples, but one frame needs {needed}; use center=True, a smaller n_fft, or pad it"
    )]
    TooShort {
        /// Samples given, with the padding.
        got: usize,
        /// Samples in a frame.
        needed: usize,
    },
    /// A sample is NaN or infinite.
    #[error("sample {index} of the audio is {value}; repair or drop such samples first (numpy.nan_to_num)")]
    NotFinite {
        /// Position in its channel.
        index: usize,
        /// `NaN`, `inf` or `-inf`.
        value: f64,
    },
    /// A buffer has the wrong length.
    #[error("{what} has {got} elements, but {expected} are needed")]
    Length {
        /// Which buffer.
        what: &'static str,
        /// Elements given.
        got: usize,
        /// Elements needed.
        expected: usize,
    },
    /// A folder does not serve as a cache.
    #[error("cannot keep a cache in '{path}' ({reason}); give a folder that can be made and written to")]
    Folder {
        /// The folder.
        path: String,
        /// The operating system's reason.
        reason: String,
    },
}

impl Error {
    pub(crate) fn parameter(name: &'static str, value: impl ToString, allowed: impl Into<String>) -> Self {
        Self::Parameter { name, value: value.to_string(), allowed: allowed.into() }
    }
}

pub(crate) fn check_length(what: &'static str, got: usize, expected: usize) -> Result<()> {
    if got == expected { Ok(()) } else { Err(Error::Length { what, got, expected }) }
}
