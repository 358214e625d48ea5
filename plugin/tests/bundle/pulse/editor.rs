//! The window: a knob, a meter, and what every window has.

use std::sync::Arc;

use egui::Ui;
use nice_plug::context::gui::GuiContext;

use super::sound::{OWNER, PulseSound};
use crate::preset::folder::is_preset;
use crate::ui::knob::knob;
use crate::ui::layout;
use crate::ui::meters::{LevelMeter, METER_SIZE};
use crate::ui::recall::SoundBar;
use crate::ui::theme;
use crate::window::{App, AppEditor};

pub(crate) struct PulseEditor {
    sound: Arc<PulseSound>,
    context: Option<GuiContext>,
    sounds: SoundBar<Arc<PulseSound>>,
    meter: LevelMeter,
}

impl PulseEditor {
    pub(super) fn create(sound: Arc<PulseSound>) -> AppEditor<PulseEditor> {
        let repaint = sound.repaint.clone();
        let app =
            PulseEditor { sound, context: None, sounds: SoundBar::default(), meter: LevelMeter::default() };
        AppEditor::new(app, OWNER.name, repaint, |app, context| app.context = Some(context))
    }
}

impl App for PulseEditor {
    const SIZE: egui::Vec2 = egui::vec2(640.0, 320.0);

    fn opened(&mut self, context: &egui::Context) {
        theme::apply(context);
    }

    fn ui(&mut self, ui: &mut Ui) {
        let Some(context) = self.context.clone() else { return };
        for file in ui.ctx().input(|input| input.raw.dropped_files.clone()) {
            if is_preset(file.path()) {
                self.sounds.recall(file.path().to_owned(), &self.sound, &context);
            } else {
                self.sounds.about_to_load(&self.sound, &context);
                self.sound.load(file.path());
            }
        }
        self.sounds.update(ui, &self.sound, &context);
        self.sound.changes.report(&self.sound.params.revision, &context);
        layout::top_bar(ui, |ui| self.sounds.ui(ui, &self.sound, &context));
        layout::status_bar(ui, &self.sound.tasks, "Drop a file with a number of samples.");
        layout::centre(ui, |ui| {
            layout::section(ui, 200.0, 220.0, |ui| {
                layout::heading(ui, "PULSE");
                ui.horizontal_top(|ui| {
                    self.meter.ui(ui, "OUT", &self.sound.output, METER_SIZE);
                    knob(ui, "Level", &self.sound.params.level, &context.param_setter(), true);
                });
            });
        });
        layout::drop_hint(ui);
    }
}
