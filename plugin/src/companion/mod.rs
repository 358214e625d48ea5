//! The MIDI companion: plays drums with the feel of a drummer, or of bars of your own, as they pass through it.
//!
//! ```text
//! identity   what hosts and presets know it by
//! params     what a host can automate
//! session    what a project keeps beside the parameters
//! networks   the music networks inside the plugin
//! reference  grooves from files and from what is played
//! clip       MIDI files that are worked on as a whole
//! live       notes as they are played, on the audio thread
//! delay      the sound, as late as the notes
//! shared     what audio thread, loader and editor share
//! loader     opens references and hands them to the worker
//! player     the plugin and its audio thread
//! sound      how a whole sound is recalled
//! factory    presets that come with it
//! editor     the contents of the window
//! ```

mod clip;
mod delay;
mod editor;
mod factory;
mod identity;
mod live;
mod loader;
mod networks;
mod params;
mod player;
mod reference;
mod session;
mod shared;
mod sound;

/// The plugin, as the framework asks for it.
pub(crate) type CompanionPlugin = crate::shell::Shell<player::CompanionPlayer>;
