//! Recalls a whole sound: parameters, model and cabinet, from a preset or from the other of A and B.
//!
//! The files in it are opened on a thread of the loader. Only when all of them can play are the parameters set, so that what
//! cannot be recalled changes nothing; and they are set as if by hand, so that the host hears of it.

use std::path::PathBuf;
use std::sync::Arc;

use nice_plug::context::gui::GuiContext;
use nice_plug::params::Params;
use nice_plug::plugin::PluginState;
use parking_lot::Mutex;

use crate::loader::Loader;
use crate::opened::{OpenCabinet, OpenModel, OpenSession};
use crate::params::AmpParams;
use crate::preset::Preset;
use crate::window::Repaint;

/// The sound that was asked for, once it is there.
#[derive(Clone, Default)]
pub(super) struct Recall(Arc<Mutex<Option<Arrived>>>);

struct Arrived {
    preset: Preset,
    model: Option<OpenModel>,
    cabinet: Option<OpenCabinet>,
    path: Option<PathBuf>,
}

impl Recall {
    /// Opens what `read` gives; `path` is the preset that it comes from.
    pub(super) fn ask(
        &self,
        loader: &Loader,
        repaint: Repaint,
        path: Option<PathBuf>,
        read: impl FnOnce() -> Result<PluginState, String> + Send + 'static,
    ) {
        let named = path.clone();
        let open = move || {
            let in_words = |reason: String| match &named {
                Some(path) if !reason.starts_with(&*path.to_string_lossy()) => {
                    format!("{}: {reason}", path.display())
                }
                _ => reason,
            };
            let preset = read().and_then(|state| Preset::from_state(&state)).map_err(in_words)?;
            let OpenSession { model, cabinet } = OpenSession::open(&preset.session);
            Ok((preset, model.map_err(in_words)?, cabinet.map_err(in_words)?))
        };
        let slot = Arc::clone(&self.0);
        loader.open(open, move |(preset, model, cabinet)| {
            *slot.lock() = Some(Arrived { preset, model, cabinet, path });
            repaint.request();
        });
    }

    /// Sets what has arrived, if anything; returns the preset that it comes from.
    pub(super) fn apply(
        &self,
        params: &AmpParams,
        context: &GuiContext,
        loader: &Loader,
    ) -> Option<Option<PathBuf>> {
        let Arrived { preset, model, cabinet, path } = self.0.lock().take()?;
        for (id, param, _) in params.param_map() {
            let Some((_, value)) = preset.values.iter().find(|(name, _)| *name == id) else { continue };
            // SAFETY: `params` lives, and this is the thread of the editor, as the context asks.
            unsafe {
                if param.unmodulated_normalized_value() != *value {
                    context.raw_begin_set_parameter(param);
                    context.raw_set_parameter_normalized(param, *value);
                    context.raw_end_set_parameter(param);
                }
            }
        }
        loader.play(model, cabinet, preset.knobs);
        Some(path)
    }
}
