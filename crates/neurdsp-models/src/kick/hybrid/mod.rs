//! The hybrid kick: its code, the renderer of codes, and the network that makes them.
//!
//! Everything here gives the same bytes on every processor and in any order: see [`neurdsp_nn::exact`].

mod code;
mod config;
mod knots;
mod model;
mod network;
mod noise;
mod partials;
mod render;
mod resample;
mod time;
mod transient;

pub use code::{CODE_SIZE, KickCode, PACKED_SIZE, Part};
pub use config::{Attribute, DecoderShape, HYBRID, HybridConfig, Keyword, Quantity, Side};
pub use model::Hybrid;
pub use network::Candidates;
pub use render::{KickRenderer, RenderSpec, kick_key};
