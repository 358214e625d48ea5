//! The controls of the chain, in the order of the signal.

use std::sync::atomic::Ordering;

use egui::{RichText, Ui, vec2};
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::ParamSetter;

use super::theme::{self, DIM};
use super::widgets::{Dial, choice, dial, knob, light, meter, switch};
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
        section(ui, 250.0, height, |ui| {
            heading(ui, "INPUT");
            ui.horizontal_top(|ui| {
                if meter(ui, "IN", meters.input.level, meters.input.peak, shared.input.clipped()) {
                    shared.input.clear();
                }
                knob(ui, "Gain", &params.input, &setter, true);
                ui.vertical(|ui| {
                    let calibrating = params.calibrate.value();
                    knob(ui, "Interface", &params.input_dbu, &setter, calibrating);
                    switch(ui, "Calibrate", &params.calibrate, &setter);
                });
            });
        });
        section(ui, 128.0, height, |ui| {
            let on = ui
                .horizontal(|ui| {
                    let on = switch(ui, "Gate", &params.gate, &setter);
                    light(ui, "Lit while sound passes", shared.gate_open.load(Ordering::Relaxed));
                    on
                })
                .inner;
            knob(ui, "Threshold", &params.gate_threshold, &setter, on);
        });
        section(ui, ui.available_width(), height, |ui| {
            model(ui, params, status, &setter);
        });
    });
    ui.horizontal(|ui| {
        section(ui, 276.0, height, |ui| {
            let on = switch(ui, "Tone", &params.tone, &setter);
            ui.horizontal(|ui| {
                knob(ui, "Bass", &params.bass, &setter, on);
                knob(ui, "Middle", &params.middle, &setter, on);
                knob(ui, "Treble", &params.treble, &setter, on);
            });
        });
        section(ui, 144.0, height, |ui| {
            switch(ui, "Cabinet", &params.cabinet, &setter);
            let (name, length) = match &status.cabinet {
                Some((name, seconds)) => (name.as_str(), format!("{:.0} ms", 1000.0 * seconds)),
                None => ("none", String::new()),
            };
            ui.add(egui::Label::new(RichText::new(name)).truncate());
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
        section(ui, ui.available_width(), height, |ui| {
            heading(ui, "OUTPUT");
            ui.horizontal_top(|ui| {
                if meter(ui, "OUT", meters.output.level, meters.output.peak, shared.output.clipped()) {
                    shared.output.clear();
                }
                ui.vertical(|ui| {
                    ui.horizontal(|ui| {
                        knob(ui, "Level", &params.output, &setter, true);
                        knob(ui, "Mix", &params.mix, &setter, true);
                    });
                    choice(ui, &params.output_mode, &["Raw", "Norm", "Cal"], &setter);
                });
            });
        });
    });
    asked
}

/// The model: its own knobs, or else its size; and the oversampling.
fn model(ui: &mut Ui, params: &AmpParams, status: &Status, setter: &ParamSetter) {
    const FACTORS: [&str; 3] = ["1x", "2x", "4x"];
    let knobs = status.model.as_ref().map_or(&[][..], |model| &model.knobs);
    if knobs.is_empty() {
        let on = switch(ui, "Model", &params.model, setter);
        ui.horizontal(|ui| {
            let sizes = status.model.as_ref().is_some_and(|model| model.slimmable);
            knob(ui, "Size", &params.quality, setter, on && sizes);
            ui.add_space(theme::GRID);
            ui.vertical(|ui| {
                ui.label(RichText::new("Oversampling").color(DIM));
                choice(ui, &params.oversampling, &FACTORS, setter);
            });
        });
        return;
    }
    let on = ui
        .horizontal(|ui| {
            let on = switch(ui, "Model", &params.model, setter);
            ui.add_space(theme::GRID);
            choice(ui, &params.oversampling, &FACTORS, setter).on_hover_text("Oversampling");
            on
        })
        .inner;
    // Up to three as large as all others; more of them smaller, in two rows of four.
    let small = knobs.len() > 3;
    ui.spacing_mut().item_spacing.y = 4.0;
    for (row, cards) in knobs.chunks(4).enumerate() {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = if small { 4.0 } else { 0.0 };
            for (column, card) in cards.iter().enumerate() {
                if let Some(param) = params.knobs.get(4 * row + column) {
                    let label = title(&card.name);
                    dial(ui, &Dial { label: &label, enabled: on, card: Some(card), small }, param, setter);
                }
            }
        });
    }
}

/// `low_cut` as `Low cut`.
fn title(name: &str) -> String {
    let mut letters = name.chars().map(|letter| if letter == '_' { ' ' } else { letter });
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A panel of the given size.
fn section(ui: &mut Ui, width: f32, height: f32, contents: impl FnOnce(&mut Ui)) {
    let (rect, _) = ui.allocate_exact_size(vec2(width, height), egui::Sense::hover());
    let frame = theme::panel();
    let inside = rect - frame.inner_margin;
    ui.painter().add(frame.paint(inside));
    let layout = egui::Layout::top_down(egui::Align::Min);
    let mut inner = ui.new_child(egui::UiBuilder::new().max_rect(inside).layout(layout));
    inner.set_clip_rect(rect);
    inner.spacing_mut().item_spacing.y = 6.0;
    contents(&mut inner);
}

/// The head of a section that cannot be switched off, as high as a switch.
fn heading(ui: &mut Ui, text: &str) {
    let size = vec2(ui.available_width(), ui.spacing().interact_size.y);
    let layout = egui::Layout::left_to_right(egui::Align::Center);
    ui.allocate_ui_with_layout(size, layout, |ui| {
        ui.label(RichText::new(text).small().strong().color(DIM));
    });
}
