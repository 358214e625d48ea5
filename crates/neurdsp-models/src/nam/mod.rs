//! The `.nam` format of Neural Amp Modeler: reading it into checked networks, and playing them.
//!
//! [`NamFile`] reads every model of versions 0.5.0 to 0.7.x: [`WavenetNetwork`] with everything that the format can say,
//! [`LstmNetwork`], [`ConvNetNetwork`], [`LinearNetwork`] and containers of several sizes of one model. The flat list of
//! weights is split and its length checked against the config before a value is kept, so a network that was read is
//! sound: shapes agree, sizes are bounded, every value is finite.
//!
//! Source of the format: NeuralAmpModelerCore 0.5.5 and the model version 0.7.0 of its trainer.

mod activation;
mod bounds;
mod conv;
mod engine;
mod file;
mod frame_model;
mod metadata;
mod networks;
mod prepare;
mod read;
mod slim;
mod visit;
mod wavenet;
mod wavenet_config;

pub use activation::Activation;
pub use conv::{Conv, Film};
pub use engine::{Conventions, NamWavenet, PreparedNamWavenet};
pub use file::{NamFile, Network, Submodel};
pub use frame_model::{FrameModel, FrameModelSource};
pub use metadata::NamMetadata;
pub use networks::{BatchNorm, ConvNetBlock, ConvNetNetwork, LinearNetwork, LstmLayer, LstmNetwork};
pub use prepare::prepare;
pub use wavenet::{Films, Gating, Layer, LayerArray, PostHead, PostHeadLayer, WavenetNetwork};
