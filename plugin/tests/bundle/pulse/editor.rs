//! The window: a knob, a meter, and what every window has.

use std::path::Path;
use std::sync::Arc;

use egui::Ui;

use super::sound::PulseSound;
use crate::shell::{Contents, Tools};
use crate::ui::knob::knob;
use crate::ui::layout;
use crate::ui::meters::{LevelMeter, METER_SIZE};

#[derive(Default)]
pub(crate) struct PulseEditor {
    meter: LevelMeter,
}

impl Contents for PulseEditor {
    const SIZE: egui::Vec2 = egui::vec2(640.0, 320.0);
    const HINT: &'static str = "Drop a file with a number of samples.";
    type Sound = Arc<PulseSound>;

    fn open(&mut self, path: &Path, tools: &mut Tools<'_, Arc<PulseSound>>) {
        tools.about_to_load();
        tools.sound.load(path);
    }

    fn ui(&mut self, ui: &mut Ui, tools: &mut Tools<'_, Arc<PulseSound>>) {
        layout::centre(ui, |ui| {
            layout::section(ui, 200.0, 220.0, |ui| {
                layout::heading(ui, "PULSE");
                ui.horizontal_top(|ui| {
                    self.meter.ui(ui, "OUT", &tools.sound.output, METER_SIZE);
                    knob(ui, "Level", &tools.params.level, &tools.setter(), true);
                });
            });
        });
    }
}
