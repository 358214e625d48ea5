//! Marks a project modified. Hosts ask to save a project when its parameters have moved, and look at nothing else; so a hidden
//! parameter counts the files that are loaded.

use std::sync::atomic::{AtomicU32, Ordering};

use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::*;

/// Values of the hidden parameter.
const REVISIONS: i32 = 1 << 20;

/// The hidden parameter. Its ID should be `revision`.
pub(crate) fn revision() -> IntParam {
    IntParam::new("Revision", 0, IntRange::Linear { min: 0, max: REVISIONS - 1 }).non_automatable().hide()
}

/// Counts changes, made on any thread, and those that were reported to the host.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    made: AtomicU32,
    reported: AtomicU32,
}

impl Changes {
    /// Counts a change.
    pub(crate) fn note(&self) {
        self.made.fetch_add(1, Ordering::Relaxed);
    }

    /// Moves `revision` if something has changed since the last call. This is for the editor's thread.
    pub(crate) fn report(&self, revision: &IntParam, context: &GuiContext) {
        let made = self.made.load(Ordering::Relaxed);
        if self.reported.swap(made, Ordering::Relaxed) != made {
            let setter = context.param_setter();
            setter.begin_set_parameter(revision);
            setter.set_parameter(revision, (revision.value() + 1) % REVISIONS);
            setter.end_set_parameter(revision);
        }
    }
}
