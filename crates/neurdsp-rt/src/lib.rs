//! Amp models on a real-time audio thread: a chain of effects, lock-free changes, and measurements.
//!
//! Everything comes in two halves. One plays, and never allocates, frees, locks or waits: [`AmpChain`], [`Slot`]. The
//! other prepares, sends and reads, on any other thread: [`ChainHandle`], [`SlotSender`], [`SharedSettings`], [`Monitor`].
//!
//! | part | subject |
//! |---|---|
//! | [`AmpChain`], [`ChainHandle`] | gain, gate, model, tone, cabinet and mix |
//! | [`Slot`], [`SlotSender`], [`Bank`] | replacing a model during playback |
//! | [`build_stream`], [`Operation`] | a model at another sample rate, or oversampled |
//! | [`StemMixer`], [`StemHandle`] | a sound taken apart by a network and mixed again |
//! | [`ImpulseResponse`] | cabinets |
//! | [`SharedSettings`], [`Monitor`] | settings and times that threads share |
//! | [`inference`] | models beside the audio thread, whose answers are applied at a fixed musical step |
//! | [`MusicJob`] | the music networks as such models |
//! | [`Transport`], [`NotePlayer`] | steps of the host's song, and notes played along with it |
//! | [`NoteDelay`] | notes passed on, each after a time of its own |
//! | [`alloc_guard`], [`mod@bench`] | proof that nothing allocates, and how fast it plays |
//!
//! # Example
//! ```
//! use neurdsp_rt::{AmpChain, Operation, Parameter};
//!
//! let model = neurdsp_models::load_bytes(br#"{"version": "0.5.4", "architecture": "Linear",
//!     "config": {"receptive_field": 1, "bias": false}, "weights": [0.5]}"#)?;
//! let (mut chain, mut handle) = AmpChain::new(48_000.0, 1)?;
//! handle.load_model(&model, Operation::at(48_000.0))?;
//! handle.settings().set(Parameter::OutputGainDb, 6.0);
//!
//! // On the audio thread:
//! let mut block = [0.25; 64];
//! chain.process(&mut [&mut block]);
//! # Ok::<(), neurdsp_rt::Error>(())
//! ```

mod adapter;
pub mod alloc_guard;
mod bank;
pub mod bench;
mod cabinet;
mod chain;
mod error;
mod handle;
pub mod inference;
mod levels;
mod monitor;
mod music_job;
mod note_delay;
mod notes;
mod parameters;
mod planes;
mod slot;
mod stems;
mod switch;
mod times;
mod transport;
mod wide_adapter;

pub use adapter::{Operation, adapt, build_stream};
pub use bank::Bank;
pub use cabinet::{ImpulseResponse, ResponseChannel};
pub use chain::AmpChain;
pub use error::{Error, Result};
pub use handle::ChainHandle;
pub use levels::{ModelLevels, NORMALISED_LOUDNESS_DB, OutputMode};
pub use monitor::{Monitor, PerformanceReport};
pub use music_job::{MAX_MUSIC_VALUES, MusicJob, MusicStep};
pub use note_delay::{DelayedEvent, NoteDelay, NoteName, NotePattern};
pub use notes::{NoteEvent, NotePlayer, TimedNote};
pub use parameters::{ChainSettings, Parameter, SharedSettings};
pub use planes::{MAX_CHUNK, Planes};
pub use slot::{Slot, SlotSender, slot};
pub use stems::{StemHandle, StemMixer};
pub use transport::{Segment, Transport};
