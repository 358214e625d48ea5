//! The amp player: plays neural models of amps and pedals, with gate, tone stack, cabinet and level around them.
//!
//! ```text
//! identity  what hosts and presets know it by
//! mapping   the parameters of the chain, each with the plugin's parameter for it
//! input     which inputs are played, and on how many channels
//! params    what a host can automate
//! session   what a project keeps beside the parameters
//! files     models and cabinets as they are opened
//! factory   presets that come with the plugin
//! shared    what audio thread, loader and editor share
//! loader    opens files on threads and hands them to the chain
//! sent      how the model in the chain was prepared
//! follower  decides when the model is prepared again for turned knobs, size and oversampling
//! player    the plugin and its audio thread
//! sound     how a whole sound is recalled
//! editor    the contents of the window
//! ```

mod editor;
mod factory;
mod files;
mod follower;
mod identity;
mod input;
mod loader;
mod mapping;
mod params;
mod player;
mod sent;
mod session;
mod shared;
mod sound;

/// The plugin, as the framework asks for it.
pub(crate) type AmpPlugin = crate::shell::Shell<player::AmpPlayer>;
