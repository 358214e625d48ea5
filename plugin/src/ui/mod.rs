//! What the windows of plugins are made of. Nothing here knows which plugin it serves.

pub(crate) mod browser;
pub(crate) mod controls;
pub(crate) mod dialogs;
pub(crate) mod dragging;
pub(crate) mod fader;
mod gesture;
mod icons;
pub(crate) mod knob;
pub(crate) mod layout;
mod memory;
pub(crate) mod meters;
pub(crate) mod recall;
mod scale;
mod steps;
pub(crate) mod text;
pub(crate) mod theme;
mod tuner;

pub(crate) use icons::{Icon, icon_button};
pub(crate) use scale::Scale;
pub(crate) use steps::neighbour;
pub(crate) use tuner::{Tuning, tuner};
