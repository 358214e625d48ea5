//! The controls of the chain, in the order of the signal.

use std::sync::atomic::Ordering;

use egui::{RichText, Ui};
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::ParamSetter;

use crate::amp::files::KnobCard;
use crate::amp::params::AmpParams;
use crate::amp::shared::{Playing, Shared};
use crate::ui::controls::{choice, light, switch};
use crate::ui::knob::{Dial, dial, knob};
use crate::ui::layout::{heading, section};
use crate::ui::meters::LevelMeter;
use crate::ui::theme::{self, DIM};

/// What the user asks for.
pub(super) enum Asked {
    OpenCabinet,
    RemoveCabinet,
}

/// The meters of both ends.
#[derive(Debug, Default)]
pub(super) struct Meters {
    input: LevelMeter,
    output: LevelMeter,
}

/// Draws the chain.
pub(super) fn ui(
    ui: &mut Ui,
    params: &AmpParams,
    shared: &Shared,
    playing: &Playing,
    context: &GuiContext,
    meters: &mut Meters,
) -> Option<Asked> {
    let setter = context.param_setter();
    let mut asked = None;
    let height = (ui.available_height() - theme::GRID) / 2.0;
    ui.horizontal(|ui| {
        section(ui, 250.0, height, |ui| {
            ui.horizontal(|ui| {
                heading(ui, "INPUT");
                choice(ui, &params.input_channels, &["L R", "L", "R", "L+R"], &setter);
            });
            ui.horizontal_top(|ui| {
                meters.input.ui(ui, "IN", &shared.input);
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
            model(ui, params, playing, &setter);
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
            let (name, length) = match &playing.cabinet {
                Some((name, seconds)) => (name.as_str(), format!("{:.0} ms", 1000.0 * seconds)),
                None => ("none", String::new()),
            };
            ui.add(egui::Label::new(RichText::new(name)).truncate());
            ui.label(RichText::new(length).small().color(DIM));
            ui.horizontal(|ui| {
                if ui.button("Open…").clicked() {
                    asked = Some(Asked::OpenCabinet);
                }
                if playing.cabinet.is_some() && ui.button("×").on_hover_text("Remove").clicked() {
                    asked = Some(Asked::RemoveCabinet);
                }
            });
        });
        section(ui, ui.available_width(), height, |ui| {
            ui.horizontal(|ui| {
                heading(ui, "OUTPUT");
                switch(ui, "Ceiling", &params.ceiling, &setter);
            });
            ui.horizontal_top(|ui| {
                meters.output.ui(ui, "OUT", &shared.output);
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

/// Draws the model's section: its knobs, or its size if it has none, and the oversampling.
fn model(ui: &mut Ui, params: &AmpParams, playing: &Playing, setter: &ParamSetter) {
    const FACTORS: [&str; 3] = ["1x", "2x", "4x"];
    let knobs: &[KnobCard] = playing.model.as_ref().map_or(&[], |model| &model.knobs);
    if knobs.is_empty() {
        let on = switch(ui, "Model", &params.model, setter);
        ui.horizontal(|ui| {
            let sizes = playing.model.as_ref().is_some_and(|model| model.slimmable);
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
    // Up to three have the usual size; more are smaller, in two rows of four.
    let small = knobs.len() > 3;
    ui.spacing_mut().item_spacing.y = 4.0;
    for (row, cards) in knobs.chunks(4).enumerate() {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = if small { 4.0 } else { 0.0 };
            for (column, card) in cards.iter().enumerate() {
                if let Some(param) = params.knobs.get(4 * row + column) {
                    let label = card.title();
                    dial(
                        ui,
                        &Dial { label: &label, enabled: on, scale: Some(&card.scale), small },
                        param,
                        setter,
                    );
                }
            }
        });
    }
}
