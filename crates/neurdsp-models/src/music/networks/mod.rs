//! The five networks: their shapes, weights and steps.

mod config;
mod dense;
mod emotion;
mod layers;
mod melody;
mod memory;
mod model;
mod network;
mod part;
mod run;
mod source;

pub use config::{DenseConfig, EmotionConfig, MelodyConfig};
pub use model::MusicModel;
pub use network::{MusicNetwork, MusicPrecision};
pub use part::MusicPart;
pub use run::{MusicPipeline, MusicRun};
