//! Instances that come and go. Alone in its process, because it measures its memory.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../host/mod.rs"]
mod host;

use host::{Module, TS9, noise, state_with};

/// A state with default parameters.
const DEFAULTS: &[u8] = br#"{"version": "0.1.0", "params": {}, "fields": {}}"#;

fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    4096 * pages.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
}

/// The amp player, the drum separator, the companion and the kick instrument, with how many instances of each come and go.
const PLUGINS: [(usize, usize); 4] = [(0, 900), (1, 60), (2, 60), (3, 60)];

#[test]
fn instances_leave_nothing_behind() {
    let module = Module::load();
    let amp = state_with("{}", TS9);
    let signal = noise(64, 0.3);
    let live = |class: usize, count: usize| {
        for _ in 0..count {
            let mut instance = module.create_class(class);
            let state = if class == 0 { &amp[..] } else { DEFAULTS };
            assert!(instance.set_state(state));
            instance.start(48_000.0, 64);
            instance.play(&signal, &[64]);
        }
        resident_bytes()
    };
    for (class, count) in PLUGINS {
        let (before, after) = (live(class, count.div_ceil(9)), live(class, count));
        let grown = after.saturating_sub(before);
        // One of the others that stays behind holds a network of megabytes.
        assert!(grown < 8 << 20, "plugin {class}: {grown} bytes more after {count} instances");
    }
}
