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

/// An app, and which opening of its window it is shown in. A host may open a window again while the thread of the one before
/// still ends, so the end of a window counts only if no other was opened since.
pub(super) struct Shown<A: App> {
    pub(super) app: A,
    opening: u64,
    is_open: bool,
}

impl<A: App> Shown<A> {
    pub(super) fn new(app: A) -> Shown<A> {
        Shown { app, opening: 0, is_open: false }
    }

    /// Begins an opening; returns its number.
    pub(super) fn open(&mut self) -> u64 {
        self.close(self.opening);
        (self.opening, self.is_open) = (self.opening + 1, true);
        self.opening
    }

    /// Ends an opening, if it is the last and has not ended yet.
    pub(super) fn close(&mut self, opening: u64) {
        if self.opening == opening && std::mem::take(&mut self.is_open) {
            self.app.closed();
        }
    }
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

#[cfg(test)]
mod tests {
    use super::{App, Shown};

    #[derive(Default)]
    struct Counts {
        closed: usize,
    }

    impl App for Counts {
        const SIZE: egui::Vec2 = egui::vec2(1.0, 1.0);

        fn opened(&mut self, _context: &egui::Context) {}

        fn ui(&mut self, _ui: &mut egui::Ui) {}

        fn closed(&mut self) {
            self.closed += 1;
        }
    }

    #[test]
    fn each_opening_ends_once_and_never_the_one_after_it() {
        let mut shown = Shown::new(Counts::default());
        let first = shown.open();
        assert_eq!(shown.app.closed, 0);
        let second = shown.open();
        assert_eq!(shown.app.closed, 1);
        shown.close(first);
        assert_eq!((shown.app.closed, shown.is_open), (1, true));
        shown.close(second);
        shown.close(second);
        assert_eq!((shown.app.closed, shown.is_open), (2, false));
    }
}
