//! Model files: round trips, refusals, and damage.
#![allow(clippy::unwrap_used, reason = "a failure here is the failure of the test")]

#[path = "../common/mod.rs"]
mod common;
mod dtypes;
mod hostile_files;
mod model_file;
