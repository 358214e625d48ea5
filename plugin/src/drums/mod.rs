//! The drum separator: takes a drum recording apart as it plays, with a fader for each stem and an output of its own.
//!
//! ```text
//! identity  what hosts and presets know it by
//! strips    the stems, in the order of the mixer
//! params    what a host can automate
//! session   what a project keeps beside the parameters
//! factory   presets that come with it
//! files     networks as they are opened
//! shared    what audio thread, loader and editor share
//! loader    opens networks on threads and hands them to the mixer
//! player    the plugin and its audio thread
//! sound     how a whole sound is recalled
//! editor    the contents of the window
//! ```

mod editor;
mod factory;
mod files;
mod identity;
mod loader;
mod params;
mod player;
mod session;
mod shared;
mod sound;
mod strips;

/// The plugin, as the framework asks for it.
pub(crate) type DrumPlugin = crate::shell::Shell<player::DrumPlayer>;
