//! Undo, and two settings to compare.

use egui::{Button, Key, KeyboardShortcut, Modifiers, RichText, Ui};
use nice_plug::context::gui::GuiContext;
use nice_plug::plugin::PluginState;

use super::pending::Pending;
use super::sound::Sound;
use crate::state::values;
use crate::ui::theme::{ACCENT, DIM};

/// Most steps that can be undone.
const MAX_STEPS: usize = 100;
const UNDO: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::Z);
const REDO: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z);

/// Values of parameters, by ID.
type Values = Vec<(String, f32)>;

/// The settings before each change, and the one of A and B that does not play.
#[derive(Default)]
pub(super) struct History {
    /// Oldest first; the last is the present one.
    steps: Vec<Values>,
    /// Steps that were undone; the last is the next to come back.
    undone: Vec<Values>,
    other: Option<PluginState>,
    on_b: bool,
}

impl History {
    /// Draws the buttons. The setting that is switched to arrives through `pending`.
    pub(super) fn ui<S: Sound>(
        &mut self,
        ui: &mut Ui,
        sound: &S,
        pending: &Pending<S>,
        context: &GuiContext,
    ) {
        // A change counts once the mouse has let go of it, so that a drag is one step.
        let now = values::now(sound.params(), S::APART);
        let resting = ui.input(|input| !input.pointer.any_down());
        if resting && self.steps.last() != Some(&now) {
            self.steps.push(now);
            self.undone.clear();
            if self.steps.len() > MAX_STEPS {
                self.steps.remove(0);
            }
        }
        let undo = ui.add_enabled(self.steps.len() > 1, Button::new("Undo"));
        let redo = ui.add_enabled(!self.undone.is_empty(), Button::new("Redo"));
        let pressed = |ui: &Ui, keys| ui.input_mut(|input| input.consume_shortcut(keys));
        if redo.clicked() || pressed(ui, &REDO) {
            if let Some(step) = self.undone.pop() {
                values::set(sound.params(), context, &step);
                self.steps.push(step);
            }
        } else if (undo.clicked() || pressed(ui, &UNDO)) && self.steps.len() > 1 {
            self.undone.extend(self.steps.pop());
            if let Some(step) = self.steps.last() {
                values::set(sound.params(), context, step);
            }
        }
        ui.add_space(8.0);
        // While one of the two is on its way, the sound is neither of them.
        let is_settled = !sound.tasks().status().loading;
        for (name, b) in [("A", false), ("B", true)] {
            let on = self.on_b == b;
            let text = RichText::new(name).strong().color(if on { ACCENT } else { DIM });
            let button = ui.add(Button::new(text)).on_hover_text("Compare two settings");
            if button.clicked() && !on && is_settled {
                if let Some(other) = self.other.replace(context.get_state()) {
                    pending.ask(sound, None, move || Ok(other));
                }
                self.on_b = b;
            }
        }
    }
}
