//! A sound that was requested: a preset, or the other of A and B.
//!
//! Its files are opened on a thread. Only when all of them can play are the parameters set, so a sound that cannot be recalled
//! changes nothing. The parameters are set as if by hand, so the host hears of it.

use std::path::PathBuf;
use std::sync::Arc;

use nice_plug::context::gui::GuiContext;
use nice_plug::plugin::PluginState;
use parking_lot::Mutex;

use super::sound::{Recalled, Sound};
use crate::state::values;

/// The kind of the task that opens the files.
const TASK: &str = "recall";

/// The requested sound, once it is open.
pub(super) struct Pending<S: Sound>(Arc<Mutex<Option<Opened<S::Files>>>>);

struct Opened<F> {
    sound: Recalled<F>,
    preset: Option<PathBuf>,
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
        read: impl FnOnce() -> Result<PluginState, String> + Send + 'static,
    ) {
        let (slot, tasks) = (Arc::clone(&self.0), sound.tasks().clone());
        sound.tasks().spawn(TASK, move |is_latest| {
            let sound = read().and_then(|state| S::open(&state)).map_err(|reason| match &preset {
                Some(path) if !reason.starts_with(&*path.to_string_lossy()) => {
                    format!("{}: {reason}", path.display())
                }
                _ => reason,
            })?;
            if is_latest() {
                *slot.lock() = Some(Opened { sound, preset });
                tasks.repaint();
            }
            Ok(())
        });
    }

    /// Sets the sound that is open, if there is one; returns the preset that it comes from.
    pub(super) fn apply(&self, sound: &S, context: &GuiContext) -> Option<Option<PathBuf>> {
        let opened = self.0.lock().take()?;
        values::set(sound.params(), context, &opened.sound.values);
        sound.play(opened.sound.files);
        Some(opened.preset)
    }
}
