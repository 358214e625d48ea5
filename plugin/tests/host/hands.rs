//! The editor's window, in one of the host's, and a player's hands on it.
#![allow(unreachable_pub, reason = "a test has no outside")]
#![allow(dead_code, reason = "each test uses a part")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::display::Display;
use crate::host::{Instance, noise};
use crate::view::Editor;

/// An open editor.
pub struct View {
    editor: Editor,
    /// The window that takes drops and clicks.
    pub target: u32,
}

impl View {
    /// Opens it at `scale` times its size.
    pub fn open(display: &Display, instance: &mut Instance, scale: u16) -> View {
        let mut editor = Editor::open_without_loop(display, instance);
        if scale > 1 {
            editor.resize(display, scale * editor.width, scale * editor.height);
        }
        play(instance, Duration::from_millis(1500));
        let target = display.target(editor.parent);
        View { editor, target }
    }

    /// Keeps a picture of it in `target/screenshots`.
    pub fn save(&self, display: &Display, name: &str) {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
        display.save(self.editor.width, self.editor.height, &target.join(format!("{name}.ppm")));
    }

    pub fn close(self, display: &Display) {
        self.editor.close(display);
    }

    /// Drops a file or a folder on it.
    pub fn drop_file(&self, display: &Display, instance: &mut Instance, path: &Path) {
        display.drop_file(self.target, path, || play(instance, Duration::from_millis(10)));
        play(instance, Duration::from_millis(500));
    }

    /// Makes the window so large, and tells how large it is then.
    pub fn resize(&mut self, display: &Display, instance: &mut Instance, size: (u16, u16)) -> (u16, u16) {
        self.editor.resize(display, size.0, size.1);
        play(instance, Duration::from_millis(1500));
        (self.editor.width, self.editor.height)
    }

    /// Clicks at a point of the window.
    pub fn click(&self, display: &Display, instance: &mut Instance, (x, y): (i16, i16)) {
        display.point(self.target, x, y, false);
        play(instance, Duration::from_millis(150));
        display.button(self.target, x, y, true);
        play(instance, Duration::from_millis(100));
        display.button(self.target, x, y, false);
        play(instance, Duration::from_millis(400));
    }

    /// Drags from a point upwards until `done` says so, or for a while; a busy machine may show it late.
    pub fn drag_up(
        &self,
        display: &Display,
        instance: &mut Instance,
        (x, y): (i16, i16),
        by: i16,
        done: impl Fn(&Instance) -> bool,
    ) {
        display.point(self.target, x, y, false);
        play(instance, Duration::from_millis(300));
        display.button(self.target, x, y, true);
        play(instance, Duration::from_millis(300));
        for step in 1..=100 {
            display.point(self.target, x, y - (4 * step).min(by), true);
            play(instance, Duration::from_millis(50));
            if 4 * step > by && done(instance) {
                break;
            }
        }
        display.button(self.target, x, y - by, false);
        play(instance, Duration::from_millis(500));
    }

    /// Types a key, given by its symbol, while Ctrl is held or not.
    pub fn key(&self, display: &Display, instance: &mut Instance, symbol: u32, ctrl: bool) {
        display.key(self.target, symbol, ctrl);
        play(instance, Duration::from_millis(150));
    }
}

/// Plays noise as a host does, in real time.
pub fn play(instance: &mut Instance, time: Duration) {
    let start = std::time::Instant::now();
    while start.elapsed() < time {
        instance.play(&noise(480, 0.1), &[480]);
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Plays until `done` says so.
pub fn play_until(instance: &mut Instance, what: &str, done: impl Fn(&Instance) -> bool) {
    let start = std::time::Instant::now();
    while !done(instance) {
        play(instance, Duration::from_millis(50));
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
    }
}

/// The plugin's state, as JSON.
pub fn state(instance: &Instance) -> serde_json::Value {
    serde_json::from_slice(&instance.state()).unwrap()
}

/// The path of the model in the state.
pub fn model_path(instance: &Instance) -> PathBuf {
    loaded_path(instance, "model")
}

/// The path of the `model` or the `cabinet` in the state.
pub fn loaded_path(instance: &Instance, what: &str) -> PathBuf {
    let session = state(instance)["fields"]["session"].as_str().unwrap().to_owned();
    let session: serde_json::Value = serde_json::from_str(&session).unwrap();
    session[what]["path"].as_str().unwrap_or_default().into()
}
