//! Attributes, exact edits, and how the kick is played.

use egui::{RichText, Ui, vec2};
use nice_plug::prelude::{Param, ParamSetter};

use crate::audio::Level;
use crate::kick::generator::meaning;
use crate::kick::params::{Keys, KickParams, PlayMode, capital};
use crate::kick::wishes::ATTRIBUTES;
use crate::ui::controls::{choice, lamp, set, switch};
use crate::ui::knob::{knob, knob_small};
use crate::ui::layout::heading;
use crate::ui::meters::LevelMeter;
use crate::ui::theme::{ACCENT, DIM};

/// Size of the meter with its numbers, in points.
const METER: egui::Vec2 = vec2(46.0, 118.0);

/// Draws what is asked for in numbers. A knob that is turned counts from then on.
pub(super) fn attributes(ui: &mut Ui, params: &KickParams, setter: &ParamSetter) {
    heading(ui, "ATTRIBUTES");
    ui.add_space(14.0);
    ui.horizontal_top(|ui| {
        let count = ATTRIBUTES.len() as f32;
        ui.spacing_mut().item_spacing.x = 0.0;
        let width = ui.available_width() / count;
        for (name, attribute) in ATTRIBUTES.iter().zip(&params.attributes.0) {
            ui.allocate_ui(vec2(width, ui.available_height()), |ui| {
                ui.vertical_centered(|ui| {
                    ui.set_width(width);
                    ui.spacing_mut().item_spacing.y = 4.0;
                    let is_given = attribute.is_given.unmodulated_plain_value();
                    let response = knob_small(ui, &capital(name), &attribute.share, setter, is_given);
                    if !is_given && response.drag_started() {
                        set(ui, &attribute.is_given, setter, 1.0);
                    }
                    let about = meaning(name).unwrap_or_default();
                    let help = format!("{}: {about}. Off: any will do.", capital(name));
                    lamp(ui, if is_given { "On" } else { "Off" }, &help, ACCENT, &attribute.is_given, setter);
                });
            });
        }
    });
}

/// Draws the exact edits.
pub(super) fn edits(ui: &mut Ui, params: &KickParams, setter: &ParamSetter) {
    heading(ui, "SOUND");
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        knob(ui, "Tune", &params.tune, setter, true);
        knob(ui, "Decay", &params.decay, setter, true);
        knob(ui, "Duration", &params.duration, setter, true);
    });
}

/// Draws how notes play it, and how loud it is.
pub(super) fn playing(
    ui: &mut Ui,
    params: &KickParams,
    meter: &mut LevelMeter,
    level: &Level,
    setter: &ParamSetter,
) {
    ui.horizontal(|ui| {
        ui.allocate_ui(vec2(60.0, 24.0), |ui| heading(ui, "PLAY"));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let left_to_right = egui::Layout::left_to_right(egui::Align::Center);
            ui.allocate_ui_with_layout(vec2(84.0, 24.0), left_to_right, |ui| {
                switch(ui, "Choke", &params.choke, setter);
            });
        });
    });
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        meter.ui(ui, "Output", level, METER);
        knob(ui, "Level", &params.level, setter, true);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = 8.0;
                knob_small(ui, "Velocity", &params.velocity, setter, true);
                let fades = params.mode.unmodulated_plain_value() == PlayMode::NoteOff;
                knob_small(ui, "Release", &params.release, setter, fades);
                let has_note = params.keys.unmodulated_plain_value() != Keys::All;
                knob_small(ui, "Note", &params.note, setter, has_note);
            });
            let row = |ui: &mut Ui, name: &str, help: &str, contents: &mut dyn FnMut(&mut Ui)| {
                ui.horizontal(|ui| {
                    let label = egui::Label::new(RichText::new(name).small().color(DIM));
                    ui.add_sized(vec2(44.0, 22.0), label).on_hover_text(help);
                    contents(ui);
                });
            };
            let help = "Full: a kick sounds to its end. Note off: it fades after its note. Cut: it ends with its note.";
            row(ui, "Mode", help, &mut |ui| _ = choice(ui, &params.mode, &["Full", "Note off", "Cut"], setter));
            let help = "One: only the note plays. All: every note does. Pitch: every note at its own pitch.";
            row(ui, "Keys", help, &mut |ui| _ = choice(ui, &params.keys, &["One", "All", "Pitch"], setter));
        });
    });
}
