//! Model files, and the models that they hold.

mod atomic;
mod error;
mod file;
mod header;
mod json;
pub mod nam;
mod parametric;
mod parity;
mod registry;
mod seed_json;
mod silence;
mod streaming;
mod tensor;
pub mod train;
pub mod wavenet;

pub use error::{Error, Result};
pub use file::ModelFile;
pub use header::{AudioSpec, FORMAT_VERSION, Header};
pub use nam::NamOptions;
pub use parametric::{AMP_PARAMETRIC, Knob};
pub use parity::{Parity, Verification};
pub use registry::{AMP_WAVENET, LoadedModel, load, load_bytes, load_with};
pub use seed_json::SeedModel;
pub use streaming::StreamingModel;
pub use tensor::{Tensor, Tensors};
