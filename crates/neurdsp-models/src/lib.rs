//! Model files, and the models that they hold.

pub mod amp;
mod container;
mod error;
mod registry;
mod streaming;

pub use amp::loaded::{AMP_WAVENET, LoadedModel};
pub use amp::nam::NamOptions;
pub use amp::parametric::{AMP_PARAMETRIC, Knob};
pub use amp::seed_json::SeedModel;
pub use container::file::ModelFile;
pub use container::header::{AudioSpec, FORMAT_VERSION, Header};
pub use container::layout::{Layout, Place};
pub use container::open::is_model_file;
pub use container::parity::{Parity, Verification};
pub use container::tensor::{Tensor, Tensors};
pub use container::values::{DType, Values};
pub use error::{Error, Result};
pub use half::{bf16, f16};
pub use registry::{load, load_bytes, load_with};
pub use streaming::StreamingModel;
