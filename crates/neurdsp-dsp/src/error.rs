//! What can be wrong with a plan, or with the audio that it is given.

/// The result type of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something cannot be planned, or cannot be computed.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A parameter is outside its domain.
    #[error("{name} is {value}, but {allowed}")]
    Parameter {
        /// The parameter, by the name that the user knows.
        name: &'static str,
        /// The value given.
        value: String,
        /// What is allowed.
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
        /// Samples given, including the padding.
        got: usize,
        /// Samples in a frame.
        needed: usize,
    },
    /// A sample is NaN or infinite.
    #[error("sample {index} of the audio is {value}; repair or drop such samples first (numpy.nan_to_num)")]
    NotFinite {
        /// Index in its channel.
        index: usize,
        /// `NaN`, `inf` or `-inf`.
        value: f64,
    },
    /// A sample is so large that results may not be finite.
    #[error(
        "sample {index} of the audio is {value:e}, but results are sure to be finite only up to {limit:.1e}; scale the \
         audio to full scale 1.0, lower power, or compute in float64"
    )]
    TooLarge {
        /// Index in its channel.
        index: usize,
        /// The sample.
        value: f64,
        /// The largest magnitude allowed.
        limit: f64,
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
    /// A folder cannot hold a cache.
    #[error("cannot keep a cache in '{path}' ({reason}); give a folder that can be made and written to")]
    Folder {
        /// The folder.
        path: String,
        /// The reason, as the operating system gives it.
        reason: String,
    },
}

impl Error {
    pub(crate) fn parameter(name: &'static str, value: impl ToString, allowed: impl Into<String>) -> Self {
        Self::Parameter { name, value: value.to_string(), allowed: allowed.into() }
    }
}

/// Refuses a buffer of the wrong length.
pub(crate) fn check_length(what: &'static str, got: usize, expected: usize) -> Result<()> {
    if got == expected { Ok(()) } else { Err(Error::Length { what, got, expected }) }
}
