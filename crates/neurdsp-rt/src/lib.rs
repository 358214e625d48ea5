//! What a real-time audio thread needs around a model.

pub mod alloc_guard;
pub mod bench;
