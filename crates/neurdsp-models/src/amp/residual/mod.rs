//! The residual network, `amp.wavenet` in a file: a stack of dilated causal convolutions with residual connections.
//!
//! ```text
//! h = input_conv(x)                                   1 → C
//! h = h + tanh(conv_i(h delayed) + b_i)               C → C, kernel k, dilation base^i, for each layer i
//! y = output_conv(h)                                  C → 1
//! ```
//!
//! After van den Oord et al., "WaveNet: A Generative Model for Raw Audio" (2016), without gates and skip connections.

mod config;
mod engine;
mod frames;
mod pass;
mod playable;
mod rows;
mod weights;

pub use config::ResidualConfig;
pub use engine::{PreparedResidual, ResidualStream};
pub use playable::AMP_WAVENET;
pub use weights::{LayerWeights, ResidualWeights};

pub(crate) use playable::read;
