//! Undo: one step for each gesture, and one for each sound that took the place of another. And two settings to compare.

use egui::{Button, RichText, Ui};
use nice_plug::context::gui::GuiContext;
use nice_plug::params::internals::ParamPtr;
use nice_plug::plugin::PluginState;

use super::pending::{Pending, Then};
use super::sound::Sound;
use crate::ui::gesture::{self, Gesture};
use crate::ui::theme::{ACCENT, DIM};

/// Most steps that can be undone.
const MAX_STEPS: usize = 200;
/// Most bytes of the sounds that can come back. A sound holds the files that it plays.
const MAX_BYTES: usize = 64 << 20;
/// Notches of a wheel within this time, in seconds, are one step.
const SERIES_S: f64 = 0.8;

/// What a step brings back.
enum Step {
    /// The value of one parameter.
    Turn(Gesture),
    /// All of the sound.
    Sound(Box<PluginState>),
}

impl Step {
    fn bytes(&self) -> usize {
        match self {
            Step::Turn(_) => 0,
            Step::Sound(state) => state.fields.values().map(String::len).sum(),
        }
    }

    fn name(&self) -> String {
        match self {
            // SAFETY: the parameters live as long as the editor.
            Step::Turn(gesture) => unsafe { gesture.param.name().to_owned() },
            Step::Sound(_) => "the sound before this one".to_owned(),
        }
    }
}

/// A sound before a file was loaded by hand, and the files that it played.
struct Before {
    state: PluginState,
    file_hashes: Vec<Option<String>>,
}

/// The steps, and the one of A and B that does not play.
#[derive(Default)]
pub(super) struct History {
    /// The last is the next to be undone.
    done: Vec<Step>,
    /// Steps that were undone; the last is the next to come back.
    undone: Vec<Step>,
    before: Option<Before>,
    other: Option<PluginState>,
    on_b: bool,
}

impl History {
    /// Notes the sound before a file is loaded by hand. It becomes a step once the file plays.
    pub(super) fn about_to_load<S: Sound>(&mut self, sound: &S, context: &GuiContext) {
        if self.before.is_none() {
            self.before = Some(Before { state: context.get_state(), file_hashes: sound.file_hashes() });
        }
    }

    /// Takes what has been done since the last frame.
    pub(super) fn update<S: Sound>(&mut self, ui: &Ui, sound: &S) {
        for gesture in gesture::take(ui.ctx()) {
            self.turned(gesture);
        }
        if !sound.tasks().status().loading
            && let Some(before) = self.before.take()
            && before.file_hashes != sound.file_hashes()
        {
            self.push(Step::Sound(Box::new(before.state)));
        }
    }

    /// Follows a sound that has arrived.
    pub(super) fn arrived(&mut self, then: Then) {
        match then {
            Then::Record(before) => self.push(Step::Sound(before)),
            Then::Undone(now) => {
                self.done.pop();
                self.undone.push(Step::Sound(now));
            }
            Then::Redone(now) => {
                self.undone.pop();
                self.done.push(Step::Sound(now));
            }
        }
    }

    fn turned(&mut self, gesture: Gesture) {
        match self.done.last_mut() {
            Some(Step::Turn(last))
                if last.is_notch
                    && gesture.is_notch
                    && last.param == gesture.param
                    && gesture.time_s - last.time_s < SERIES_S =>
            {
                (last.to, last.time_s) = (gesture.to, gesture.time_s);
                self.undone.clear();
            }
            _ => self.push(Step::Turn(gesture)),
        }
    }

    fn push(&mut self, step: Step) {
        self.done.push(step);
        self.undone.clear();
        let mut bytes: usize = self.done.iter().map(Step::bytes).sum();
        while self.done.len() > MAX_STEPS || (bytes > MAX_BYTES && self.done.len() > 1) {
            bytes -= self.done.remove(0).bytes();
        }
    }

    /// Draws the buttons. A sound that is switched to arrives through `pending`.
    pub(super) fn ui<S: Sound>(
        &mut self,
        ui: &mut Ui,
        sound: &S,
        pending: &Pending<S>,
        context: &GuiContext,
    ) {
        // While a sound is on its way, the steps are about to change.
        let is_settled = !sound.tasks().status().loading;
        let button = |ui: &mut Ui, name: &str, step: Option<&Step>| {
            let response = ui.add_enabled(is_settled && step.is_some(), Button::new(name));
            let what = step.map_or_else(String::new, |step| format!("{name}: {}", step.name()));
            response.on_hover_text(what).clicked()
        };
        let undo = button(ui, "Undo", self.done.last());
        let redo = button(ui, "Redo", self.undone.last());
        if undo {
            self.undo(sound, pending, context);
        } else if redo {
            self.redo(sound, pending, context);
        }
        ui.add_space(8.0);
        for (name, b) in [("A", false), ("B", true)] {
            let on = self.on_b == b;
            let text = RichText::new(name).strong().color(if on { ACCENT } else { DIM });
            let button = ui.add(Button::new(text)).on_hover_text("Compare two settings");
            if button.clicked() && !on && is_settled {
                let now = context.get_state();
                if let Some(other) = self.other.replace(now.clone()) {
                    pending.ask(sound, None, Then::Record(Box::new(now)), move || Ok(other));
                }
                self.on_b = b;
            }
        }
    }

    fn undo<S: Sound>(&mut self, sound: &S, pending: &Pending<S>, context: &GuiContext) {
        match self.done.last() {
            Some(Step::Turn(gesture)) => {
                set(context, gesture.param, gesture.from);
                self.undone.extend(self.done.pop());
            }
            Some(Step::Sound(state)) => {
                let (state, now) = (state.clone(), Box::new(context.get_state()));
                pending.ask(sound, None, Then::Undone(now), move || Ok(*state));
            }
            None => {}
        }
    }

    fn redo<S: Sound>(&mut self, sound: &S, pending: &Pending<S>, context: &GuiContext) {
        match self.undone.last() {
            Some(Step::Turn(gesture)) => {
                set(context, gesture.param, gesture.to);
                self.done.extend(self.undone.pop());
            }
            Some(Step::Sound(state)) => {
                let (state, now) = (state.clone(), Box::new(context.get_state()));
                pending.ask(sound, None, Then::Redone(now), move || Ok(*state));
            }
            None => {}
        }
    }
}

/// Sets a parameter as a hand does, so that the host learns of it.
fn set(context: &GuiContext, param: ParamPtr, value: f32) {
    // SAFETY: the parameters live as long as the editor, and this is its thread.
    unsafe {
        context.raw_begin_set_parameter(param);
        context.raw_set_parameter_normalized(param, value);
        context.raw_end_set_parameter(param);
    }
}

#[cfg(test)]
mod tests {
    use nice_plug::params::Param;
    use nice_plug::plugin::PluginState;
    use nice_plug::prelude::{FloatParam, FloatRange};

    use super::super::pending::Then;
    use super::{History, MAX_BYTES, MAX_STEPS, Step};
    use crate::ui::gesture::Gesture;

    fn param() -> FloatParam {
        FloatParam::new("Bass", 0.5, FloatRange::Linear { min: 0.0, max: 1.0 })
    }

    fn gesture(param: &FloatParam, from: f32, to: f32, time_s: f64, is_notch: bool) -> Gesture {
        Gesture { param: param.as_ptr(), from, to, time_s, is_notch }
    }

    fn sound(bytes: usize) -> Box<PluginState> {
        let fields = [("session".to_owned(), "x".repeat(bytes))].into();
        Box::new(PluginState { version: String::new(), params: Default::default(), fields })
    }

    #[test]
    fn notches_of_a_wheel_are_one_step_and_drags_are_one_each() {
        let (bass, treble) = (param(), param());
        let mut history = History::default();
        for notch in 0..5u8 {
            let from = 0.5 + 0.02 * f32::from(notch);
            history.turned(gesture(&bass, from, from + 0.02, 0.1 * f64::from(notch), true));
        }
        assert_eq!(history.done.len(), 1);
        let Some(Step::Turn(all)) = history.done.last() else { panic!("a turn") };
        assert_eq!((all.from, all.to), (0.5, 0.5 + 0.02 * 4.0 + 0.02));
        history.turned(gesture(&bass, 0.6, 0.62, 9.0, true));
        history.turned(gesture(&treble, 0.5, 0.52, 9.1, true));
        history.turned(gesture(&bass, 0.62, 0.7, 9.2, false));
        history.turned(gesture(&bass, 0.7, 0.8, 9.3, false));
        assert_eq!(history.done.len(), 5);
    }

    #[test]
    fn a_new_step_forgets_what_was_undone_and_old_ones_are_dropped() {
        let bass = param();
        let mut history = History::default();
        history.arrived(Then::Record(sound(10)));
        history.arrived(Then::Undone(sound(20)));
        assert_eq!((history.done.len(), history.undone.len()), (0, 1));
        history.arrived(Then::Redone(sound(10)));
        assert_eq!((history.done.len(), history.undone.len()), (1, 0));
        history.arrived(Then::Undone(sound(20)));
        for index in 0..MAX_STEPS + 5 {
            history.turned(gesture(&bass, 0.0, 1.0, index as f64, false));
        }
        assert_eq!((history.done.len(), history.undone.len()), (MAX_STEPS, 0));
        for _ in 0..3 {
            history.arrived(Then::Record(sound(MAX_BYTES / 2)));
        }
        assert!(history.done.iter().map(Step::bytes).sum::<usize>() <= MAX_BYTES);
        history.arrived(Then::Record(sound(MAX_BYTES + 1)));
        assert_eq!(history.done.len(), 1);
    }
}
