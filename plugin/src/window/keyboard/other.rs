//! The keyboard on macOS, where the windowing library passes keys that nobody used to the host.

use baseview::WindowContext;

/// The keys of one window.
pub(super) struct Keys(WindowContext);

impl Keys {
    pub(super) fn new(window: &WindowContext) -> Keys {
        Keys(window.clone())
    }

    pub(super) fn take(&self) {
        // A field that does not get the keyboard shows that by itself.
        let _ = self.0.focus();
    }

    pub(super) fn give_back(&self) {}

    pub(super) fn has_focus(&self) -> bool {
        self.0.has_focus()
    }
}
