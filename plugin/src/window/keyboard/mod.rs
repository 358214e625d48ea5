//! Whose keys they are. While a text field is edited they are the plugin's; otherwise they are the host's, wherever the pointer is,
//! so that the space bar starts the song and Ctrl+Z undoes in the host.
//!
//! The windowing library takes every key it can get, and its answer about a key that nobody used has no effect on X11 and
//! Windows. So each platform has its own way to leave the keys to the host.

#[cfg(not(any(target_os = "linux", target_os = "windows")))]
mod other;
#[cfg(target_os = "windows")]
mod windows;
#[cfg(target_os = "linux")]
mod x11;

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use baseview::WindowContext;
use keyboard_types::{Code, KeyState, KeyboardEvent};

#[cfg(not(any(target_os = "linux", target_os = "windows")))]
use other as platform;
#[cfg(target_os = "windows")]
use windows as platform;
#[cfg(target_os = "linux")]
use x11 as platform;

/// How long the keyboard is kept for keys that are still held down when editing ends. The host is not to see the release of
/// the Enter key that ended it.
const HELD: Duration = Duration::from_secs(1);

/// The keyboard of one window.
pub(super) struct Keyboard {
    platform: platform::Keys,
    is_ours: Cell<bool>,
    /// Keys that are down.
    held: RefCell<Vec<Code>>,
    /// When editing ended while keys were down.
    ended: Cell<Option<Instant>>,
}

impl Keyboard {
    /// Leaves the keyboard to the host.
    pub(super) fn new(window: &WindowContext) -> Keyboard {
        Keyboard {
            platform: platform::Keys::new(window),
            is_ours: Cell::new(false),
            held: RefCell::default(),
            ended: Cell::new(None),
        }
    }

    /// Whether keys are the plugin's now.
    pub(super) fn is_ours(&self) -> bool {
        self.is_ours.get()
    }

    /// Takes the keyboard while a text field is `edited`, and gives it back to who had it after that.
    pub(super) fn follow(&self, edited: bool) {
        if edited {
            self.ended.set(None);
            if !self.is_ours.replace(true) {
                self.held.borrow_mut().clear();
                self.platform.take();
            }
        } else if self.is_ours.get() {
            let ended = self.ended.get().unwrap_or_else(Instant::now);
            self.ended.set(Some(ended));
            if self.held.borrow().is_empty() || ended.elapsed() > HELD {
                self.give_back();
            }
        }
    }

    /// Whether the keyboard is still kept for keys that are held down.
    pub(super) fn waits(&self) -> bool {
        self.ended.get().is_some()
    }

    /// Follows which keys are down.
    pub(super) fn note(&self, event: &KeyboardEvent) {
        let mut held = self.held.borrow_mut();
        held.retain(|code| *code != event.code);
        if event.state == KeyState::Down {
            held.push(event.code);
        }
    }

    /// Whether the host, or another program, has taken the keyboard from a field that is edited.
    pub(super) fn was_taken(&self) -> bool {
        self.is_ours.get() && !self.platform.has_focus()
    }

    /// Gives the keyboard back at once.
    pub(super) fn give_back(&self) {
        self.ended.set(None);
        self.held.borrow_mut().clear();
        if self.is_ours.replace(false) {
            self.platform.give_back();
        }
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.give_back();
    }
}
