//! Instances that come and go. Alone in its process, because it measures its memory.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../host/mod.rs"]
mod host;

use host::{Module, TS9, noise, state_with};

fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    4096 * pages.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
}

#[test]
fn a_thousand_instances_leave_nothing_behind() {
    let module = Module::load();
    let state = state_with("{}", TS9);
    let signal = noise(64, 0.3);
    let live = |count: usize| {
        for _ in 0..count {
            let mut instance = module.create();
            assert!(instance.set_state(&state));
            instance.start(48_000.0, 64);
            instance.play(&signal, &[64]);
        }
        resident_bytes()
    };
    let (before, after) = (live(100), live(900));
    let grown = after.saturating_sub(before);

    assert!(grown < 8 << 20, "{grown} bytes more after 900 instances");
}
