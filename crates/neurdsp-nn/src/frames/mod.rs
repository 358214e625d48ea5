//! Layers whose vectors run across channels: a frame is all channels of one instant.
//!
//! A frame is padded with zeros to a stride of whole vectors ([`frame_stride`]). [`FrameRing`] keeps the past frames of a
//! layer so that every window of them is contiguous; [`ResidualConv1d`] is a causal dilated convolution over such a ring;
//! [`Expand`] and [`Reduce`] go between one signal and many channels.

mod conv1d;
mod pointwise;
mod ring;

pub use conv1d::ResidualConv1d;
pub use pointwise::{Expand, Reduce};
pub use ring::{FrameRing, frame_stride};
