//! The neurdsp plugins: one library that hosts load as VST3 and as CLAP. A plugin is a folder here and a name in the list at
//! the end. The other folders are shared, and know none of the plugins.
//!
//! ```text
//! amp        the amp player: identity, parameters, audio thread, files, editor
//! drums      the drum separator: the same, with a mixer of stems
//! companion  the MIDI companion: notes in, notes out
//! kick       the kick instrument: the same, with a network that makes kicks of words
//!
//! shell      what every plugin does alike, around what is its own
//! instance   what each instance of a plugin has
//! host       what stands between the framework and the hosts
//! audio      what an audio thread measures: levels, recent samples, their pitch, CPU time, silence
//! loading    threads beside it: files that are read, and work that it requests
//! state      what a project keeps: values of parameters, fields that report their restoration, files with their bytes
//! preset     presets as files, in the folders where VST3 hosts keep them
//! window     an egui window inside the host's
//! ui         what a window shows: theme, widgets, file browser, tuner, presets, undo, A and B
//! ```

mod amp;
mod audio;
mod companion;
mod drums;
mod host;
mod instance;
mod kick;
mod loading;
mod preset;
mod shell;
mod state;
mod ui;
mod window;

use amp::AmpPlugin;
use companion::CompanionPlugin;
use drums::DrumPlugin;
use kick::KickPlugin;

host::factory::export_plugins!(AmpPlugin, DrumPlugin, CompanionPlugin, KickPlugin);

/// Runs the amp player as a program until its window is closed; returns whether it could start.
#[cfg(feature = "standalone")]
pub fn run_standalone() -> bool {
    nice_plug::prelude::nice_export_standalone::<AmpPlugin>()
}
