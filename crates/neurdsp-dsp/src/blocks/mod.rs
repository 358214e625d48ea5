//! Blocks of frames: how they are filled from a signal, and how they are written to a result.

pub(crate) mod exchange;
pub(crate) mod framing;
pub(crate) mod rows;
pub(crate) mod weave;

pub use framing::FrameFilter;
