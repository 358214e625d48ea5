//! What a window shows, and how to ask for a redraw.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What draws the contents of a window.
pub(crate) trait App: Send + 'static {
    /// The size that the contents are laid out for, in points. In a larger or smaller window they are zoomed to fit, so that
    /// text stays sharp and nothing is cut off, whatever the scale factor of the host.
    const SIZE: egui::Vec2;

    /// Called when a window opens, before the first frame: the place to set fonts and colours.
    fn opened(&mut self, context: &egui::Context);

    /// Draws one frame.
    fn ui(&mut self, ui: &mut egui::Ui);

    /// Called when the window has closed.
    fn closed(&mut self) {}
}

/// Requests a redraw, from any thread. A request neither allocates nor waits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Repaint(Arc<AtomicBool>);

impl Repaint {
    /// Has the window redrawn soon.
    pub(crate) fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether a redraw was requested since the last call.
    pub(super) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}
