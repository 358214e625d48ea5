//! Amp models: residual networks, `.nam` networks, and networks with knobs.

pub(crate) mod loaded;
pub mod nam;
pub(crate) mod parametric;
pub mod residual;
pub(crate) mod seed_json;
mod silence;
pub mod train;
