//! The neurdsp amp player: a VST3 and CLAP plugin around the streaming engine.
//!
//! ```text
//! processor   the audio thread: reads the parameters, plays the chain
//! follow      asks the loader to prepare the model anew where a knob, the size or the oversampling has moved
//! loader      threads of its own: read files, hand models and cabinets to the chain;  opened: the files
//! rest        skips the chain after long silence
//! editor      the window's contents; `window` is the window itself
//! params      what the host automates;  state: what a project keeps beside it
//! preset      files of it all, where VST3 hosts keep theirs
//! shared      what the three tell each other
//! ```

mod editor;
mod follow;
mod loader;
mod opened;
mod params;
mod preset;
mod processor;
mod rest;
mod shared;
mod state;
mod window;

pub(crate) use processor::AmpPlayer;

use nice_plug::prelude::*;

/// Runs the player as a program of its own until its window is closed; tells whether it could.
#[cfg(feature = "standalone")]
pub fn run_standalone() -> bool {
    nice_export_standalone::<AmpPlayer>()
}

nice_export_clap!(AmpPlayer);
nice_export_vst3!(AmpPlayer);
