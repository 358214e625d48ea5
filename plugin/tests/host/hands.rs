//! The editor's window, in one of the host's, and a player's hands on it.
#![allow(unreachable_pub, reason = "a test has no outside")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use vst3::ComPtr;
use vst3::Steinberg::Vst::IEditControllerTrait;
use vst3::Steinberg::{IPlugView, IPlugViewTrait, ViewRect, kPlatformTypeX11EmbedWindowID, kResultOk};

use crate::display::Display;
use crate::host::{Instance, noise};

/// An open editor.
pub struct View {
    view: ComPtr<IPlugView>,
    parent: u32,
    width: u16,
    height: u16,
    /// The window that takes drops and clicks.
    pub target: u32,
}

impl View {
    /// Opens it at `scale` times its size.
    pub fn open(display: &Display, instance: &mut Instance, scale: u16) -> View {
        // SAFETY: the calls of a VST3 host that shows a view, in their order.
        unsafe {
            let view = instance.controller.createView(c"editor".as_ptr());
            let view = ComPtr::from_raw(view).expect("the plugin has an editor");
            let mut size: ViewRect = std::mem::zeroed();
            assert_eq!(view.getSize(&mut size), kResultOk);
            (size.right, size.bottom) = (size.right * i32::from(scale), size.bottom * i32::from(scale));
            let (width, height) = (size.right as u16, size.bottom as u16);
            let parent = display.window(width, height);
            let handle = parent as usize as *mut std::ffi::c_void;
            assert_eq!(view.attached(handle, kPlatformTypeX11EmbedWindowID), kResultOk);
            assert_eq!(view.onSize(&mut size), kResultOk);
            play(instance, Duration::from_millis(1500));
            let target = display.target(parent);
            View { view, parent, width, height, target }
        }
    }

    /// Keeps a picture of it in `target/screenshots`.
    pub fn save(&self, display: &Display, name: &str) {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
        display.save(self.width, self.height, &target.join(format!("{name}.ppm")));
    }

    pub fn close(self, display: &Display) {
        // SAFETY: as above.
        unsafe { assert_eq!(self.view.removed(), kResultOk) };
        display.close(self.parent);
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
    let session = state(instance)["fields"]["session"].as_str().unwrap().to_owned();
    let session: serde_json::Value = serde_json::from_str(&session).unwrap();
    session["model"]["path"].as_str().unwrap_or_default().into()
}
