//! The controls of the chain, in the order of the signal.

use std::sync::atomic::Ordering;

use egui::{RichText, Ui, vec2};
use nice_plug::context::gui::GuiContext;

use super::theme::{self, DIM};
use super::widgets::{choice, knob, light, meter, switch};
use crate::params::AmpParams;
use crate::shared::{Level, Shared, Status};

/// How fast a meter falls, as a factor a picture.
const FALL: f32 = 0.85;
/// Pictures that a peak stays.
const HOLD: u32 = 45;

/// What a button of the chain asks for.
pub(super) enum Asked {
    /// A file dialog for a cabinet.
    OpenCabinet,
    /// No cabinet.
    RemoveCabinet,
}

/// The levels as shown: they fall slower than the sound.
#[derive(Debug, Default)]
pub(super) struct Meters {
    input: Shown,
    output: Shown,
}

#[derive(Debug, Default)]
struct Shown {
    level: f32,
    peak: f32,
    held: u32,
}

impl Shown {
    fn follow(&mut self, level: &Level) {
        let now = level.take();
        self.level = now.max(self.level * FALL);
        if now >= self.peak || self.held == 0 {
            (self.peak, self.held) = (now.max(self.level), HOLD);
        } else {
            self.held -= 1;
        }
    }
}

/// Draws the chain.
pub(super) fn ui(
    ui: &mut Ui,
    params: &AmpParams,
    shared: &Shared,
    status: &Status,
    context: &GuiContext,
    meters: &mut Meters,
) -> Option<Asked> {
    let setter = context.param_setter();
    meters.input.follow(&shared.input);
    meters.output.follow(&shared.output);
    let mut asked = None;
    let height = (ui.available_height() - theme::GRID) / 2.0;
    ui.horizontal(|ui| {
        section(ui, "INPUT", 238.0, height, |ui| {
            ui.horizontal(|ui| {
                if meter(ui, "IN", meters.input.level, meters.input.peak, shared.input.clipped()) {
                    shared.input.clear();
                }
                knob(ui, "Gain", &params.input, &setter, true);
                ui.vertical(|ui| {
                    let calibrating = switch(ui, "Calibrate", &params.calibrate, &setter);
                    knob(ui, "Interface", &params.input_dbu, &setter, calibrating);
                });
            });
        });
        section(ui, "", 126.0, height, |ui| {
            let on = ui
                .horizontal(|ui| {
                    let on = switch(ui, "Gate", &params.gate, &setter);
                    light(ui, "Lit while sound passes", on && shared.gate_open.load(Ordering::Relaxed));
                    on
                })
                .inner;
            knob(ui, "Threshold", &params.gate_threshold, &setter, on);
        });
        section(ui, "", ui.available_width(), height, |ui| {
            let on = switch(ui, "Model", &params.model, &setter);
            ui.horizontal(|ui| {
                let sizes = status.model.as_ref().is_some_and(|model| model.slimmable);
                knob(ui, "Quality", &params.quality, &setter, on && sizes);
                ui.vertical(|ui| {
                    ui.label(RichText::new("Oversampling").small().color(DIM));
                    choice(ui, &params.oversampling, &["1x", "2x", "4x"], &setter);
                });
            });
        });
    });
    ui.horizontal(|ui| {
        section(ui, "", 290.0, height, |ui| {
            let on = switch(ui, "Tone", &params.tone, &setter);
            ui.horizontal(|ui| {
                knob(ui, "Bass", &params.bass, &setter, on);
                knob(ui, "Middle", &params.middle, &setter, on);
                knob(ui, "Treble", &params.treble, &setter, on);
            });
        });
        section(ui, "", 150.0, height, |ui| {
            switch(ui, "Cabinet", &params.cabinet, &setter);
            let (name, length) = match &status.cabinet {
                Some((name, seconds)) => (name.as_str(), format!("{:.0} ms", 1000.0 * seconds)),
                None => ("none", String::new()),
            };
            ui.add(egui::Label::new(RichText::new(name).small()).truncate());
            ui.label(RichText::new(length).small().color(DIM));
            ui.horizontal(|ui| {
                if ui.button("Open…").clicked() {
                    asked = Some(Asked::OpenCabinet);
                }
                if status.cabinet.is_some() && ui.button("×").on_hover_text("Remove").clicked() {
                    asked = Some(Asked::RemoveCabinet);
                }
            });
        });
        section(ui, "OUTPUT", ui.available_width(), height, |ui| {
            ui.horizontal(|ui| {
                if meter(ui, "OUT", meters.output.level, meters.output.peak, shared.output.clipped()) {
                    shared.output.clear();
                }
                ui.vertical(|ui| {
                    choice(ui, &params.output_mode, &["Raw", "Norm", "Cal"], &setter);
                    ui.horizontal(|ui| {
                        knob(ui, "Mix", &params.mix, &setter, true);
                        knob(ui, "Level", &params.output, &setter, true);
                    });
                });
            });
        });
    });
    asked
}

/// A panel of the given size, with a heading if it has no switch.
fn section(ui: &mut Ui, heading: &str, width: f32, height: f32, contents: impl FnOnce(&mut Ui)) {
    ui.allocate_ui(vec2(width, height), |ui| {
        theme::panel().show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            ui.vertical(|ui| {
                if !heading.is_empty() {
                    ui.label(RichText::new(heading).small().strong().color(DIM));
                }
                contents(ui);
            });
        });
    });
}
