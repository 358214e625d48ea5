//! What the windows of plugins are made of. Nothing here knows which plugin it serves.

pub(crate) mod browser;
pub(crate) mod controls;
pub(crate) mod dialogs;
mod icons;
pub(crate) mod knob;
pub(crate) mod layout;
mod memory;
pub(crate) mod meters;
pub(crate) mod recall;
mod scale;
mod steps;
pub(crate) mod theme;
mod tuner;

pub(crate) use icons::{Icon, icon_button};
pub(crate) use scale::Scale;
pub(crate) use tuner::tuner;
