//! What a real-time audio thread needs around a model: the chain of effects, lock-free changes, and measurements.
//!
//! Everything comes in two halves. One plays, and never allocates, frees, locks or waits: [`AmpChain`], [`Slot`]. The
//! other prepares, hands over and reads, on any other thread: [`ChainHandle`], [`SlotSender`], [`SharedSettings`],
//! [`Monitor`].

mod adapter;
pub mod alloc_guard;
mod bank;
pub mod bench;
mod cabinet;
mod chain;
mod error;
mod handle;
mod levels;
mod monitor;
mod parameters;
mod planes;
mod slot;
mod switch;

pub use adapter::{Operation, adapt, build_stream};
pub use bank::Bank;
pub use cabinet::ImpulseResponse;
pub use chain::AmpChain;
pub use error::{Error, Result};
pub use handle::ChainHandle;
pub use levels::{ModelLevels, NORMALISED_LOUDNESS_DB, OutputMode};
pub use monitor::{Monitor, PerformanceReport};
pub use parameters::{ChainSettings, Parameter, SharedSettings};
pub use planes::{MAX_CHUNK, Planes};
pub use slot::{Slot, SlotSender, slot};
