//! Whole sounds: presets, A and B, undo. A window shows them in its top bar.

mod bar;
mod history;
mod pending;
mod preset_list;
mod presets;
mod sound;

pub(crate) use bar::SoundBar;
pub(crate) use sound::{Recalled, Sound};
