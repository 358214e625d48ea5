//! Editors that open and close. Alone in its process, because it measures what the process holds.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr)]

#[path = "../host/mod.rs"]
mod host;

use std::time::{Duration, Instant};

use host::display::Display;
use host::editor::Editor;
use host::{Module, TS9, noise, state_with};

/// The environment variable with the number of editors to open, and the number without it.
const VARIABLE: &str = "NEURDSP_EDITOR_OPENS";
const USUAL: usize = 100;

unsafe extern "C" {
    /// Sets an option of glibc's allocator.
    fn mallopt(option: i32, value: i32) -> i32;
}
const M_ARENA_MAX: i32 = -8;

/// What a process and its screen hold.
#[derive(Clone, Copy, Debug)]
struct Held {
    resident_bytes: u64,
    threads: usize,
    files: usize,
    clients: usize,
    resources: u32,
}

impl Held {
    fn now(display: &Display) -> Held {
        let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
        let count = |folder: &str| std::fs::read_dir(folder).unwrap().count();
        let (clients, resources) = display.resources();
        Held {
            resident_bytes: 4096 * pages.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap(),
            threads: count("/proc/self/task"),
            files: count("/proc/self/fd"),
            clients,
            resources,
        }
    }
}

#[test]
fn editors_that_open_and_close_leave_nothing_behind() {
    let Some(display) = Display::start(1000, 600) else {
        eprintln!("skipped: Xvfb is not installed");
        return;
    };
    let opens: usize = std::env::var(VARIABLE).map_or(USUAL, |count| count.parse().expect("a count"));
    let folder = tempfile::tempdir().unwrap();
    // SAFETY: no other thread of this process reads the environment yet.
    unsafe { std::env::set_var("XDG_CONFIG_HOME", folder.path()) };
    // Each window is a thread, and memory that a thread frees stays in its arena, which would hide a leak.
    // SAFETY: a call as the manual documents it.
    unsafe { mallopt(M_ARENA_MAX, 1) };
    let module = Module::load();
    let mut instance = module.create();
    assert!(instance.set_state(&state_with("{}", TS9)));
    instance.start(48_000.0, 64);
    let signal = noise(64, 0.3);
    let mut open = |count: usize| {
        for index in 0..count {
            let mut editor = Editor::open_without_loop(&display, &instance);
            // Some close before the first frame, some after a few.
            for _ in 0..index % 4 {
                instance.play(&signal, &[64]);
                editor.pump(&display);
                std::thread::sleep(Duration::from_millis(5));
            }
            editor.close(&display);
        }
        // Threads of the clipboard end a little after the windows.
        std::thread::sleep(Duration::from_secs(1));
        Held::now(&display)
    };
    let before = open(opens / 5);
    let start = Instant::now();
    let after = open(opens - opens / 5);
    let ms = start.elapsed().as_secs_f64() * 1000.0 / (opens - opens / 5) as f64;
    eprintln!("{before:?}\n{after:?}\n{ms:.0} ms an editor");

    let grown = after.resident_bytes.saturating_sub(before.resident_bytes);
    // The window library keeps a keyboard map of some 70 kB for each, and the driver takes a while to settle; a leaked window
    // would be some megabytes, each time.
    assert!(grown < (opens as u64 + 128) << 17, "{grown} bytes more");
    assert!(after.threads <= before.threads && after.files <= before.files, "{before:?} {after:?}");
    assert!(after.clients <= before.clients && after.resources <= before.resources, "{before:?} {after:?}");
}
