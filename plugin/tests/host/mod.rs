//! Small hosts for VST3 and CLAP, a screen without a monitor, and hands for the editor.
#![allow(unreachable_pub, reason = "a test has no outside")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "all of it is calls of foreign interfaces by their rules"
)]
#![allow(dead_code, unused_imports, reason = "each test uses a part")]

#[cfg(target_os = "linux")]
pub mod clap;
#[cfg(target_os = "linux")]
mod clap_song;
#[cfg(target_os = "linux")]
pub mod display;
mod drums;
#[cfg(target_os = "linux")]
pub mod editor;
#[cfg(target_os = "linux")]
mod identity;
mod kick;
mod plugin;
mod signal;
mod song;
#[cfg(target_os = "linux")]
pub mod stage;
mod state;
mod stream;
mod tour;

pub use drums::{NETWORK_LATENCY, NETWORK_RATE, STRIPS, drum_state, network, separated};
#[cfg(target_os = "linux")]
pub use identity::identity;
pub use kick::{codes, generated, generated_by, own_generator, rendered};
pub use plugin::{Instance, Module, library, more_plugins, number, text16};
pub use signal::{noise, null_db, steepest};
pub use song::{Message, Note, Song};
pub use state::{BARE, TS9, loaded_path, model_path, state, state_of_version, state_with};
pub use stream::Press;
pub use tour::tour;
