//! Amp models: networks that were trained on captures of amplifiers and pedals, and their files.
//!
//! | part | subject |
//! |---|---|
//! | [`nam`] | the `.nam` format of Neural Amp Modeler and its networks |
//! | [`residual`] | the residual network, `amp.wavenet` in a file |
//! | [`train`] | outputs and gradients for training |
//! | [`LoadedModel`] | a model of any architecture, ready to play; its knobs are folded before it plays |
//! | [`SeedModel`] | the JSON of a residual network |
//! | [`rtneural`] | the JSON of other players: AIDA-X, Proteus |

mod architectures;
mod fields;
mod json_model;
mod knobs;
mod load;
mod loaded;
pub mod nam;
mod playable;
mod probe;
pub mod residual;
pub mod rtneural;
mod seed_json;
mod silence;
mod to_nam;
pub mod train;

pub use json_model::json_format;
pub use knobs::{AMP_PARAMETRIC, Knob};
pub use load::{Amp, FAMILY, load, load_bytes, load_with};
pub use loaded::LoadedModel;
pub use seed_json::SeedModel;
pub use to_nam::{NamVersion, to_nam};
