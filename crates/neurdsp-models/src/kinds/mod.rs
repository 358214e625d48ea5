//! The kinds of models, by what they do, with a trait each.
//!
//! | kind | takes | gives | trait |
//! |---|---|---|---|
//! | stream | samples, block by block | as many samples | [`StreamSource`], [`StreamingModel`] |
//! | separator | `[channels, samples]` | stems of that shape, by name | [`Separator`] |
//! | generator | a condition and a seed | `[channels, samples]` | [`Generator`] |
//! | predictor | tensors, step by step | tensors | [`Predictor`], [`Prediction`] |
//!
//! Every trait extends [`Model`], and each knows how a model of its kind proves itself against parity vectors.

mod any;
mod generator;
mod model;
mod predictor;
mod separator;
mod stream;

pub use any::AnyModel;
pub use generator::Generator;
pub use model::{Kind, Model};
pub use predictor::{Prediction, Predictor};
pub use separator::Separator;
pub use stream::{StreamSource, StreamingModel};
