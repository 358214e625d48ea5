//! Kick drums: the renderer, the hybrid generator, and files that are damaged.
#![allow(missing_docs, clippy::unwrap_used)]

mod generator;
mod mel;
mod random;
mod renderer;
