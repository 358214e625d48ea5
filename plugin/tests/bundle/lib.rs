//! A library for `bundle.rs`: the plugins of the project, and `pulse` beside them. It takes what a further plugin takes: a folder,
//! and a name in the list at the end.

#[path = "../../src/amp/mod.rs"]
mod amp;
#[path = "../../src/audio/mod.rs"]
mod audio;
#[path = "../../src/companion/mod.rs"]
mod companion;
#[path = "../../src/drums/mod.rs"]
mod drums;
#[path = "../../src/host/mod.rs"]
mod host;
#[path = "../../src/instance.rs"]
mod instance;
#[path = "../../src/kick/mod.rs"]
mod kick;
#[path = "../../src/loading/mod.rs"]
mod loading;
#[path = "../../src/preset/mod.rs"]
mod preset;
mod pulse;
#[path = "../../src/shell/mod.rs"]
mod shell;
#[path = "../../src/state/mod.rs"]
mod state;
#[path = "../../src/ui/mod.rs"]
mod ui;
#[path = "../../src/window/mod.rs"]
mod window;

use amp::AmpPlugin;
use companion::CompanionPlugin;
use drums::DrumPlugin;
use kick::KickPlugin;
use pulse::PulsePlugin;

host::factory::export_plugins!(AmpPlugin, DrumPlugin, CompanionPlugin, KickPlugin, PulsePlugin);
