//! What a test of the window begins with: a screen, a configuration of its own, and an instance that a host has started.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::display::Display;
use super::{Instance, Module};

/// Take it apart in this order: what comes last is dropped first.
pub struct Stage {
    pub display: Display,
    /// The home of the user, empty at first. Configuration and presets are below it.
    pub home: TempDir,
    pub module: Module,
    /// At 48 kHz, in blocks of up to 512.
    pub instance: Instance,
}

impl Stage {
    /// Starts a screen of this size; None, and a word about it, if the machine has none.
    #[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
    pub fn start(width: u16, height: u16) -> Option<Stage> {
        let Some(display) = Display::start(width, height) else {
            eprintln!("skipped: Xvfb is not installed");
            return None;
        };
        let home = tempfile::tempdir().unwrap();
        // SAFETY: no other thread of this process reads the environment yet.
        unsafe {
            std::env::set_var("XDG_CONFIG_HOME", home.path());
            std::env::set_var("HOME", home.path());
        }
        let module = Module::load();
        let mut instance = module.create();
        instance.start(48_000.0, 512);
        Some(Stage { display, home, module, instance })
    }
}

/// The file of an amp that ships.
pub fn shipped(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python/neurdsp/amp/shipped");
    folder.canonicalize().unwrap().join(format!("{name}.safetensors"))
}
