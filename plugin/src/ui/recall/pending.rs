//! A sound that was requested: a preset, the other of A and B, or one that was undone.
//!
//! Its files are opened on a thread. Only when all of them can play are the parameters set, so a sound that cannot be recalled
//! changes nothing. The parameters are set as if by hand, so the host hears of it.

use std::path::PathBuf;
use std::sync::Arc;

use nice_plug::context::gui::GuiContext;
use nice_plug::plugin::PluginState;
use parking_lot::Mutex;

use super::sound::{Recalled, Sound};
use crate::state::{Refusal, values};

/// The kind of the task that opens the files.
const TASK: &str = "recall";

/// The requested sound, once it is open.
pub(super) struct Pending<S: Sound>(Arc<Mutex<Option<Opened<S::Files>>>>);

struct Opened<F> {
    sound: Recalled<F>,
    preset: Option<PathBuf>,
    then: Then,
}

/// What becomes of the sound that plays before the requested one, which each of these holds.
pub(super) enum Then {
    /// It can be brought back.
    Record(Box<PluginState>),
    /// It was undone.
    Undone(Box<PluginState>),
    /// It was undone and comes back.
    Redone(Box<PluginState>),
}

impl<S: Sound> Default for Pending<S> {
    fn default() -> Pending<S> {
        Pending(Arc::default())
    }
}

impl<S: Sound> Pending<S> {
    /// Opens what `read` returns; `preset` is the file that it comes from.
    pub(super) fn ask(
        &self,
        sound: &S,
        preset: Option<PathBuf>,
        then: Then,
        read: impl FnOnce() -> Result<PluginState, Refusal> + Send + 'static,
    ) {
        let (slot, tasks) = (Arc::clone(&self.0), sound.tasks().clone());
        sound.tasks().spawn(TASK, move |is_latest| {
            let sound = read().and_then(|state| S::open_state(&state)).map_err(|refusal| match &preset {
                Some(path) => refusal.about(path),
                None => refusal,
            })?;
            if is_latest() {
                *slot.lock() = Some(Opened { sound, preset, then });
                tasks.repaint();
            }
            Ok(())
        });
    }

    /// Sets the sound that is open, if there is one; returns the preset that it comes from, and what becomes of the one before.
    pub(super) fn apply(&self, sound: &S, context: &GuiContext) -> Option<(Option<PathBuf>, Then)> {
        let opened = self.0.lock().take()?;
        values::set(sound.params(), context, &opened.sound.values);
        sound.play(opened.sound.files);
        Some((opened.preset, opened.then))
    }
}
