//! Any bytes as a plan and a signal give finite numbers or an error, the same in blocks and on threads.
#![no_main]

#[path = "../../crates/neurdsp-dsp/tests/any_bytes/drive.rs"]
mod drive;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drive::drive(bytes));
