//! Undo, and two settings to compare.

use egui::{RichText, Ui};
use nice_plug::context::gui::GuiContext;
use nice_plug::params::Params;
use nice_plug::params::internals::ParamPtr;
use nice_plug::plugin::PluginState;

use super::recall::Recall;
use super::theme::{ACCENT, DIM};
use crate::loader::Loader;
use crate::params::AmpParams;
use crate::shared::Shared;

/// Most steps that can be undone.
const MAX_STEPS: usize = 100;

/// The settings before each change, and the one of A and B that is not heard.
#[derive(Default)]
pub(super) struct History {
    /// Normalised values of all parameters, oldest first; the last is as things are.
    steps: Vec<Vec<f32>>,
    /// Steps that were undone, the next to come back last.
    undone: Vec<Vec<f32>>,
    other: Option<PluginState>,
    on_b: bool,
}

impl History {
    /// Draws the buttons. The setting that is not heard yet comes by `recall`.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        params: &AmpParams,
        context: &GuiContext,
        (recall, loader, shared): (&Recall, &Loader, &Shared),
    ) {
        // A change counts when the mouse has let go of it, so that a drag is one step.
        let now = values(params);
        let resting = ui.input(|input| !input.pointer.any_down());
        if resting && self.steps.last() != Some(&now) {
            self.steps.push(now);
            self.undone.clear();
            if self.steps.len() > MAX_STEPS {
                self.steps.remove(0);
            }
        }
        let keys = |redo| {
            egui::KeyboardShortcut::new(
                if redo {
                    egui::Modifiers::COMMAND | egui::Modifiers::SHIFT
                } else {
                    egui::Modifiers::COMMAND
                },
                egui::Key::Z,
            )
        };
        let undo = ui.add_enabled(self.steps.len() > 1, egui::Button::new("Undo"));
        let redo = ui.add_enabled(!self.undone.is_empty(), egui::Button::new("Redo"));
        if redo.clicked() || ui.input_mut(|input| input.consume_shortcut(&keys(true))) {
            if let Some(step) = self.undone.pop() {
                set(params, context, &step);
                self.steps.push(step);
            }
        } else if (undo.clicked() || ui.input_mut(|input| input.consume_shortcut(&keys(false))))
            && self.steps.len() > 1
        {
            self.undone.extend(self.steps.pop());
            if let Some(step) = self.steps.last() {
                set(params, context, step);
            }
        }
        ui.add_space(8.0);
        // While one is on its way, what is heard is neither of the two.
        let is_settled = !shared.status.lock().loading;
        for (name, b) in [("A", false), ("B", true)] {
            let on = self.on_b == b;
            let text = RichText::new(name).strong().color(if on { ACCENT } else { DIM });
            let button = ui.add(egui::Button::new(text)).on_hover_text("Compare two settings");
            if button.clicked() && !on && is_settled {
                if let Some(other) = self.other.replace(context.get_state()) {
                    recall.ask(loader, shared.repaint.clone(), None, move || Ok(other));
                }
                self.on_b = b;
            }
        }
    }
}

/// The parameters that a player turns.
fn turned(params: &AmpParams) -> impl Iterator<Item = ParamPtr> {
    params.param_map().into_iter().filter(|(id, ..)| id != "revision").map(|(_, param, _)| param)
}

/// Normalised values of all parameters that a player turns.
pub(super) fn values(params: &AmpParams) -> Vec<f32> {
    // SAFETY: the pointers are valid as long as `params` lives.
    turned(params).map(|param| unsafe { param.unmodulated_normalized_value() }).collect()
}

fn set(params: &AmpParams, context: &GuiContext, values: &[f32]) {
    for (param, value) in turned(params).zip(values) {
        // SAFETY: as above; this is the thread of the editor, as the context asks.
        unsafe {
            if param.unmodulated_normalized_value() != *value {
                context.raw_begin_set_parameter(param);
                context.raw_set_parameter_normalized(param, *value);
                context.raw_end_set_parameter(param);
            }
        }
    }
}
