//! What an audio thread measures and the editor shows. The audio thread touches atomics only.

mod ceiling;
mod cpu;
mod level;
mod mute;
pub(crate) mod pitch;
mod ramp;
mod rest;
mod tap;

pub(crate) use ceiling::Ceiling;
pub(crate) use cpu::{BlockTimer, CpuMeter};
pub(crate) use level::Level;
pub(crate) use mute::Mute;
pub(crate) use ramp::Ramp;
pub(crate) use rest::{Rest, is_silent};
pub(crate) use tap::Tap;
