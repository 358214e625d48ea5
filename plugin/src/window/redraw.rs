//! When a window is drawn.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Requests of frames, from this thread and from egui.
#[derive(Clone, Default)]
pub(super) struct Redraw(Arc<RedrawState>);

#[derive(Default)]
struct RedrawState {
    /// Whether the window is on the screen. The windowing library draws the first frame by itself then; if it is asked before, it
    /// waits for a notice that never comes, and the window stays empty.
    is_shown: AtomicBool,
    is_wanted: AtomicBool,
}

impl Redraw {
    /// Notes a request; returns whether it can be passed on.
    pub(super) fn request(&self) -> bool {
        self.0.is_wanted.store(true, Ordering::Relaxed);
        self.is_possible()
    }

    /// Whether a request can be passed on.
    pub(super) fn is_possible(&self) -> bool {
        !cfg!(target_os = "linux") || self.0.is_shown.load(Ordering::Relaxed)
    }

    /// Notes that the window is on the screen.
    pub(super) fn shown(&self) {
        self.0.is_shown.store(true, Ordering::Relaxed);
    }

    /// Notes that a frame is drawn.
    pub(super) fn drawn(&self) {
        self.shown();
        self.0.is_wanted.store(false, Ordering::Relaxed);
    }

    /// Whether a frame was requested and is not drawn yet.
    pub(super) fn is_wanted(&self) -> bool {
        self.0.is_shown.load(Ordering::Relaxed) && self.0.is_wanted.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::Redraw;

    #[test]
    fn a_window_is_drawn_by_itself_first_and_on_requests_after_that() {
        let redraw = Redraw::default();
        assert_eq!(redraw.request(), !cfg!(target_os = "linux"));
        assert!(!redraw.is_wanted());
        redraw.shown();
        assert!(redraw.is_wanted() && redraw.request());
        redraw.drawn();
        assert!(!redraw.is_wanted());
    }
}
