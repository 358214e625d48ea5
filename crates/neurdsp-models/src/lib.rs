//! Model files, and the models that they hold.

mod error;
mod streaming;
mod tensor;
pub mod wavenet;

pub use error::{Error, Result};
pub use streaming::StreamingModel;
pub use tensor::{Tensor, Tensors};
