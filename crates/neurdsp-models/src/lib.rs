//! Model files, and the models that they hold.
//!
//! A model file carries weights, a header that says what they are, and parity vectors with which every copy of the file
//! proves that it still computes what was trained. [`ModelFile`] reads and writes it; [`load_any`] makes a model of it.
//!
//! | part | subject |
//! |---|---|
//! | `container` | the file: [`ModelFile`], [`Tensor`], [`Header`], [`Parity`] |
//! | [`kinds`] | what models do: streams, separators, generators, predictors |
//! | [`FAMILIES`] | the families that are known, one line each |
//! | [`amp`] | the family of amp models, with [`load`] and [`LoadedModel`] |
//! | [`music`] | the family of music models: five small networks, their features, and their application to notes |
//!
//! # Example
//! ```
//! use neurdsp_models::{StreamingModel, load_bytes};
//! let nam = br#"{"version": "0.5.4", "architecture": "Linear",
//!     "config": {"receptive_field": 2, "bias": false}, "weights": [0.5, 0.25]}"#;
//! let model = load_bytes(nam)?;
//! let mut stream = model.build_stream()?;
//! let mut output = [0.0; 3];
//! stream.process(&[1.0, 0.0, 0.0], &mut output);
//! assert_eq!(output, [0.5, 0.25, 0.0]);
//! # Ok::<(), neurdsp_models::Error>(())
//! ```

pub mod amp;
mod container;
pub mod drumsep;
mod error;
mod family;
pub mod kick;
pub mod kinds;
pub mod music;
mod registry;

pub use amp::nam::NamOptions;
pub use amp::residual::AMP_WAVENET;
pub use amp::{AMP_PARAMETRIC, Knob, LoadedModel, SeedModel, load, load_bytes, load_with};
pub use container::file::ModelFile;
pub use container::format::is_model_file;
pub use container::header::{AudioSpec, FORMAT_VERSION, Header};
pub use container::layout::{Layout, Place};
pub use container::parity::{Parity, Verification};
pub use container::publish::publish;
pub use container::tensor::{Tensor, Tensors};
pub use container::values::{DType, Values};
pub use error::{Error, Result};
pub use family::Family;
pub use half::{bf16, f16};
pub use kinds::{
    AnyModel, Generator, Kind, Model, Prediction, Predictor, Separator, StreamSource, StreamingModel,
};
pub use registry::{FAMILIES, Registry, load_any};
