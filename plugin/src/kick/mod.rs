//! The kick instrument: makes kicks from words and plays them by MIDI.
//!
//! ```text
//! identity   what hosts and presets know it by
//! wishes     what is asked of a kick: words, attributes, seed
//! codes      kicks as a project keeps them
//! generator  makes kicks of requests, by the network inside the plugin or another
//! own        a generator of the user's own, from a file
//! params     what a host can automate
//! job        what the worker is asked to make
//! session    what a project keeps beside the parameters
//! shared     what audio thread, worker and editor share
//! bank       rendered kicks on their way to the audio thread and back
//! maker      makes and renders kicks on a thread
//! voices     the kicks that sound
//! varispeed  playback at another speed
//! player     the plugin and its audio thread
//! sound      how a whole sound is recalled
//! factory    presets that come with it
//! export     kicks as WAV files
//! editor     the contents of the window
//! ```

mod bank;
mod codes;
mod editor;
mod export;
mod factory;
mod generator;
mod identity;
mod job;
mod maker;
mod own;
mod params;
mod player;
mod session;
mod shared;
mod sound;
mod varispeed;
mod voices;
mod wishes;

/// The plugin, as the framework asks for it.
pub(crate) type KickPlugin = crate::shell::Shell<player::KickPlayer>;
