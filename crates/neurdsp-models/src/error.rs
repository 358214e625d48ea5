//! What can be wrong with a model file or with the model in it.
//!
//! Every message names the thing that is wrong by its full path (`layers.3.conv.weight`, `neurdsp.config`), what was
//! expected and what was found, in one line. [`Error::InFile`] puts the path of the file in front.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can be wrong with a model file or with the model in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of the reader or the writer, with the path of the file that it concerns.
    #[error("{}: {source}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<Error>,
    },

    /// An error of the reader of a text, with the place that it concerns.
    #[error("{source} (line {line}, column {column})")]
    InText {
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
        /// What is wrong there.
        source: Box<Error>,
    },

    /// The operating system refused an operation.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was tried, such as `read the file`.
        action: &'static str,
        /// The refusal.
        source: io::Error,
    },

    /// The bytes do not follow the format that they should.
    #[error("{what} is malformed: {reason}")]
    Malformed {
        /// The part of the file.
        what: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A size is over its bound; nothing of that size was allocated.
    #[error("{what} is {got}, over the limit of {limit}")]
    TooLarge {
        /// The quantity, with its unit.
        what: String,
        /// The largest value allowed.
        limit: u64,
        /// The value found.
        got: u64,
    },

    /// A value of a config is outside its range.
    #[error("{name} is {got}, but must be {expected}")]
    OutOfRange {
        /// The name of the value.
        name: String,
        /// The value found.
        got: String,
        /// The values allowed.
        expected: String,
    },

    /// A name is used twice in the file.
    #[error("{name} is defined twice")]
    Duplicate {
        /// The name.
        name: String,
    },

    /// A metadata key that every model file has is absent.
    #[error(
        "the metadata lacks {key}: this is not a neurdsp model file, or it was damaged; export the model again"
    )]
    MissingMetadata {
        /// The key.
        key: String,
    },

    /// A metadata key has a value that cannot be used.
    #[error("the metadata key {key} is {got:?}, but must be {expected}")]
    InvalidMetadata {
        /// The key.
        key: String,
        /// The value found, shortened if long.
        got: String,
        /// What it must be.
        expected: String,
    },

    /// The file was made for a later major version of the format.
    #[error(
        "the file has format {found}, but this neurdsp reads up to format {supported}; \
         install a newer neurdsp that reads format {needed}.x"
    )]
    NewerFormat {
        /// The version of the file.
        found: String,
        /// The newest version that can be read.
        supported: String,
        /// The major version that is needed.
        needed: u64,
    },

    /// The file holds a kind of model that is not known here.
    #[error("the architecture is {name:?}, but this neurdsp runs only: {known}")]
    UnknownArchitecture {
        /// The architecture of the file.
        name: String,
        /// The architectures that can be run, separated by commas.
        known: String,
    },

    /// The file is of no format that can be read, or its name asks for none that can be written.
    #[error("{reason}")]
    UnknownFormat {
        /// What was found and what is known.
        reason: String,
    },

    /// The file asks for something that is valid in its format but that neurdsp does not do.
    #[error("{what} is not supported: {reason}")]
    Unsupported {
        /// What is asked for.
        what: String,
        /// Why it is not, or what to do.
        reason: String,
    },

    /// The file lacks what a verification needs.
    #[error("the file carries no {name}, so it cannot prove what it computes; export or convert it again")]
    MissingParity {
        /// The tensor that is absent.
        name: String,
    },

    /// A tensor that the architecture needs is absent.
    #[error("the tensor {name} is missing; its shape must be {}", shape_text(expected))]
    MissingTensor {
        /// The full name.
        name: String,
        /// The shape that it must have.
        expected: Vec<usize>,
    },

    /// A tensor has another shape than its config asks for.
    #[error("the tensor {name} has shape {}, but must have {}", shape_text(got), shape_text(expected))]
    TensorShape {
        /// The full name.
        name: String,
        /// The shape found.
        got: Vec<usize>,
        /// The shape that it must have.
        expected: Vec<usize>,
    },

    /// A tensor belongs to no part of the architecture.
    #[error("the tensor {name} is not part of {architecture}; export the model again")]
    UnexpectedTensor {
        /// The full name.
        name: String,
        /// The architecture.
        architecture: String,
    },

    /// A tensor is stored in another number type than its use allows.
    #[error(
        "the tensor {name} is stored as {dtype}, but must be {expected}; convert it before writing the file"
    )]
    TensorType {
        /// The full name.
        name: String,
        /// The type found.
        dtype: String,
        /// The types allowed.
        expected: &'static str,
    },

    /// A number is NaN or infinite.
    #[error(
        "{name} holds {value} at index {index}, but every value must be finite; the model was not trained well"
    )]
    NonFinite {
        /// The tensor or list.
        name: String,
        /// The first index, row-major.
        index: usize,
        /// The value there.
        value: f32,
    },

    /// A layer of the engine cannot be built from its values.
    #[error(transparent)]
    Layer(#[from] neurdsp_nn::Error),
}

impl Error {
    /// Puts the path of the file in front of an error, once.
    pub fn in_file(self, path: impl AsRef<Path>) -> Error {
        match self {
            Error::InFile { .. } => self,
            other => Error::InFile { path: path.as_ref().to_path_buf(), source: Box::new(other) },
        }
    }

    /// True if the file is sound, but made for another version or another program.
    pub fn is_unsupported(&self) -> bool {
        match self {
            Error::InFile { source, .. } | Error::InText { source, .. } => source.is_unsupported(),
            Error::NewerFormat { .. }
            | Error::UnknownArchitecture { .. }
            | Error::UnknownFormat { .. }
            | Error::Unsupported { .. } => true,
            _ => false,
        }
    }

    pub(crate) fn malformed(what: impl Into<String>, reason: impl Into<String>) -> Error {
        Error::Malformed { what: what.into(), reason: reason.into() }
    }
}

/// Writes a shape as `[16, 16, 3]`, and only the first axes of an absurdly long one.
fn shape_text(shape: &[usize]) -> String {
    let mut text = String::from("[");
    for (axis, length) in shape.iter().take(8).enumerate() {
        let separator = if axis == 0 { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(text, "{separator}{length}");
    }
    if shape.len() > 8 {
        text.push_str(", …");
    }
    text.push(']');
    text
}
