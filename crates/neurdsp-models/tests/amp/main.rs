//! Amp models: their files, their engines and their training passes.
#![allow(clippy::unwrap_used, reason = "a failure here is the failure of the test")]

#[path = "../common/mod.rs"]
mod common;
mod error_texts;
mod goldens;
mod knobs;
mod nam_engine;
mod nam_file;
mod nam_streams;
mod residual_engine;
mod rtneural;
mod seed_json;
mod train;
