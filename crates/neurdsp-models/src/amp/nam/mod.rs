//! The `.nam` format of Neural Amp Modeler: reading it into checked networks, and playing them.
//!
//! [`NamFile`] reads every model of versions 0.5.0 to 0.7.x: [`WavenetNetwork`] with everything that the format can say,
//! [`LstmNetwork`], [`ConvNetNetwork`], [`LinearNetwork`] and containers of several sizes of one model. The flat list of
//! weights is split and its length checked against the config before a value is kept, so a network that was read is
//! sound: shapes agree, sizes are bounded, every value is finite.
//!
//! Source of the format: NeuralAmpModelerCore 0.5.5 and the model version 0.7.0 of its trainer.

mod activation;
mod archive;
mod bounds;
mod bypass;
mod conv;
mod conventions;
mod convnet;
mod document;
mod embed;
mod engine;
mod file;
mod folder;
mod frame_model;
mod linear;
mod lstm;
mod metadata;
mod model;
mod networks;
mod options;
mod prepare;
mod slim;
mod stream;
mod visit;
mod wavenet;
mod wavenet_config;
mod write;

pub use activation::Activation;
pub use conv::{Conv, Film};
pub use conventions::Conventions;
pub use file::{NamFile, Network, Submodel};
pub use frame_model::{FrameModel, FrameModelSource};
pub use metadata::NamMetadata;
pub use networks::{BatchNorm, ConvNetBlock, ConvNetNetwork, LinearNetwork, LstmLayer, LstmNetwork};
pub use options::NamOptions;
pub use prepare::{prepare, prepare_wavenet};
pub use stream::MonoStream;
pub use wavenet::{Films, Gating, Layer, LayerArray, PostHead, PostHeadLayer, WavenetNetwork};

pub(crate) use archive::CAPTURE;
pub(crate) use bounds::{MAX_CHANNELS, MAX_LAYERS, MAX_LSTM_WEIGHTS, MAX_NAM_BYTES, at_most, in_range};
pub(crate) use model::{NamModel, read};
