//! The neurdsp amp player: a VST3 and CLAP plugin around the streaming engine.

pub mod editor;
pub mod params;
pub mod state;
pub mod window;
