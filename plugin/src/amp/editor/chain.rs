//! The controls of the chain, in the order of the signal.

use std::sync::atomic::Ordering;

use egui::{Align, Layout, RichText, Ui, text::LayoutJob};
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::ParamSetter;

use crate::amp::files::{KnobCard, ModelCard};
use crate::amp::params::AmpParams;
use crate::amp::shared::{Playing, Shared};
use crate::ui::controls::{choice, choice_of, light, switch};
use crate::ui::knob::{Dial, KnobSize, dial, knob};
use crate::ui::layout::{heading, section};
use crate::ui::meters::{LevelMeter, METER_SIZE};
use crate::ui::theme::{self, DIM, TEXT};
use crate::ui::{Icon, icon_button};

/// What the user asks for, of the cabinet.
pub(super) enum Asked {
    Open,
    Remove,
    /// The cabinet so many places further.
    Step(isize),
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
    let card = playing.model.as_ref();
    ui.horizontal(|ui| {
        // The interface's level has an effect only with a model whose file says how it was driven.
        let calibrates = card.is_some_and(|card| card.levels.input_level_dbu.is_some());
        section(ui, if calibrates { 256.0 } else { 226.0 }, height, |ui| {
            ui.horizontal(|ui| {
                heading(ui, "INPUT");
                choice(ui, &params.input_channels, &["L R", "L", "R", "L+R"], &setter);
            });
            ui.horizontal_top(|ui| {
                meters.input.ui(ui, "Input", &shared.input, METER_SIZE);
                knob(ui, "Gain", &params.input, &setter, true);
                if calibrates {
                    ui.vertical(|ui| {
                        let calibrating = params.calibrate.value();
                        knob(ui, "Interface", &params.input_dbu, &setter, calibrating);
                        switch(ui, "Calibrate", &params.calibrate, &setter);
                    });
                }
            });
        });
        section(ui, 116.0, height, |ui| {
            let on = ui
                .horizontal(|ui| {
                    let on = switch(ui, "Gate", &params.gate, &setter);
                    light(ui, "Lit while sound passes", shared.gate_open.load(Ordering::Relaxed));
                    on
                })
                .inner;
            ui.vertical_centered(|ui| knob(ui, "Threshold", &params.gate_threshold, &setter, on));
        });
        section(ui, ui.available_width(), height, |ui| model(ui, params, card, &setter));
    });
    ui.horizontal(|ui| {
        section(ui, 246.0, height, |ui| {
            let on = switch(ui, "Tone", &params.tone, &setter);
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 0.0;
                knob(ui, "Bass", &params.bass, &setter, on);
                knob(ui, "Middle", &params.middle, &setter, on);
                knob(ui, "Treble", &params.treble, &setter, on);
            });
        });
        section(ui, 176.0, height, |ui| asked = cabinet(ui, params, playing, &setter));
        section(ui, ui.available_width(), height, |ui| {
            ui.horizontal(|ui| {
                heading(ui, "OUTPUT");
                switch(ui, "Ceiling", &params.ceiling, &setter);
            });
            ui.horizontal_top(|ui| {
                meters.output.ui(ui, "Output", &shared.output, METER_SIZE);
                ui.vertical(|ui| {
                    ui.spacing_mut().item_spacing.y = 2.0;
                    ui.horizontal(|ui| {
                        ui.spacing_mut().item_spacing.x = 0.0;
                        knob(ui, "Level", &params.output, &setter, true);
                        knob(ui, "Mix", &params.mix, &setter, true);
                    });
                    output_mode(ui, params, card, &setter);
                });
            });
        });
    });
    asked
}

/// Draws the choice of the output's level. What the model's file does not allow is grey.
fn output_mode(ui: &mut Ui, params: &AmpParams, card: Option<&ModelCard>, setter: &ParamSetter) {
    let lacks = |level: fn(&ModelCard) -> Option<f64>, why| {
        card.is_none_or(|card| level(card).is_none()).then_some(why)
    };
    let loudness = lacks(|card| card.levels.loudness_db, "The model's file does not say how loud it is");
    let output = lacks(|card| card.levels.output_level_dbu, "The model's file has no level in dBu");
    let options = [("Raw", None), ("Norm", loudness), ("Cal", output)];
    choice_of(ui, &params.output_mode, &options, setter);
}

/// Draws the cabinet's section.
fn cabinet(ui: &mut Ui, params: &AmpParams, playing: &Playing, setter: &ParamSetter) -> Option<Asked> {
    let mut asked = None;
    ui.horizontal(|ui| {
        let on = switch(ui, "Cabinet", &params.cabinet, setter);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            if icon_button(ui, Icon::Next, "Next cabinet", TEXT).clicked() {
                asked = Some(Asked::Step(1));
            }
            if icon_button(ui, Icon::Previous, "Previous cabinet", TEXT).clicked() {
                asked = Some(Asked::Step(-1));
            }
        });
        on
    });
    let (name, length) = match &playing.cabinet {
        Some((name, seconds)) => (name.as_str(), format!("{:.0} ms", 1000.0 * seconds)),
        None => ("No cabinet", "The arrows step through those that come with the plugin.".to_owned()),
    };
    ui.add_space(4.0);
    let colour = if playing.cabinet.is_some() { TEXT } else { DIM };
    let mut job = LayoutJob::simple(name.to_owned(), egui::FontId::proportional(14.0), colour, 0.0);
    job.wrap.max_rows = 2;
    job.wrap.break_anywhere = !name.contains(' ');
    job.wrap.max_width = ui.available_width();
    ui.label(job).on_hover_text(name);
    ui.label(RichText::new(length).small().color(DIM));
    ui.with_layout(Layout::bottom_up(Align::Min), |ui| {
        ui.horizontal(|ui| {
            if ui.button("Open…").clicked() {
                asked = Some(Asked::Open);
            }
            if playing.cabinet.is_some() && icon_button(ui, Icon::Cross, "Remove", DIM).clicked() {
                asked = Some(Asked::Remove);
            }
        });
    });
    asked
}

/// Draws the model's section: its knobs, its size if it has several, and the oversampling.
fn model(ui: &mut Ui, params: &AmpParams, card: Option<&ModelCard>, setter: &ParamSetter) {
    const FACTORS: [&str; 3] = ["1x", "2x", "4x"];
    let on = ui
        .horizontal(|ui| {
            let on = switch(ui, "Model", &params.model, setter);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                choice(ui, &params.oversampling, &FACTORS, setter).on_hover_text("Oversampling");
            });
            on
        })
        .inner;
    let Some(card) = card else { return };
    let has_sizes = card.slimmable;
    if card.knobs.is_empty() && !has_sizes {
        ui.add_space(theme::GRID);
        let text = "This model is of one setting: it has no knobs.";
        ui.add(egui::Label::new(RichText::new(text).color(DIM)).wrap());
        return;
    }
    // The more knobs, the smaller: three beside each other, or two rows of four.
    let places = card.knobs.len() + usize::from(has_sizes);
    let (size, columns) = match places {
        0..=3 => (KnobSize::Large, 3),
        _ => (KnobSize::Small, places.div_ceil(2).max(4)),
    };
    ui.spacing_mut().item_spacing.y = 4.0;
    let gap = if size == KnobSize::Small { 6.0 } else { 0.0 };
    for row in 0..places.div_ceil(columns) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            for place in columns * row..(columns * (row + 1)).min(places) {
                one_knob(ui, params, card.knobs.get(place), place, (size, on), setter);
            }
        });
    }
}

/// Draws a knob of the model, or after the last one that for its size.
fn one_knob(
    ui: &mut Ui,
    params: &AmpParams,
    card: Option<&KnobCard>,
    place: usize,
    (size, enabled): (KnobSize, bool),
    setter: &ParamSetter,
) {
    match card.zip(params.knobs.get(place)) {
        Some((card, param)) => {
            let label = card.title();
            dial(ui, &Dial { label: &label, enabled, scale: Some(&card.scale), size }, param, setter);
        }
        None => {
            dial(ui, &Dial { label: "Size", enabled, scale: None, size }, &params.quality, setter);
        }
    }
}
