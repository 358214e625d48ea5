//! The mixer: a strip for each stem and for the residual, and one for the mix.

use egui::{FontId, RichText, Ui, vec2};
use nice_plug::prelude::{FloatParam, ParamSetter};

use crate::audio::Level;
use crate::drums::params::{Channel, DrumParams};
use crate::drums::shared::Shared;
use crate::drums::strips::{self, STEMS, STRIPS};
use crate::state::kinds::SILENT_DB;
use crate::ui::controls::lamp;
use crate::ui::fader::fader;
use crate::ui::layout::section;
use crate::ui::meters::StereoMeter;
use crate::ui::text;
use crate::ui::theme::{ACCENT, ALERT, DIM, GRID, LINE, OFF, TEXT};

/// What stands beside a fader.
const MARKS: [(f32, &str); 8] = [
    (12.0, "12"),
    (6.0, "6"),
    (0.0, "0"),
    (-6.0, "6"),
    (-12.0, "12"),
    (-24.0, "24"),
    (-40.0, "40"),
    (SILENT_DB, "∞"),
];

/// The meters of all strips, the mix at last.
#[derive(Debug, Default)]
pub(super) struct Meters([StereoMeter; STRIPS + 1]);

/// One strip, as it is drawn.
struct Look<'a> {
    title: &'a str,
    /// Why it stays silent, if the network has no such stem.
    lacks: Option<&'a str>,
    is_heard: bool,
}

/// Draws the mixer.
pub(super) fn ui(
    ui: &mut Ui,
    params: &DrumParams,
    shared: &Shared,
    meters: &mut Meters,
    setter: &ParamSetter,
) {
    let has_stem = shared.playing.lock().as_ref().map(|card| card.has_stem);
    let audible = params.audible();
    let height = ui.available_height();
    // The mix is set apart by a wider gap.
    let gaps = GRID * STRIPS as f32 + GRID;
    let width = (ui.available_width() - gaps) / (STRIPS + 1) as f32;
    let [strip_meters @ .., mix_meter] = &mut meters.0;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = GRID;
        let drawn = strips::ALL.iter().zip(params.channels()).zip(strip_meters).enumerate();
        for (index, ((strip, channel), meter)) in drawn {
            let is_there = index >= STEMS || has_stem.is_some_and(|has_stem| has_stem[index]);
            let lacks = (!is_there).then_some(match has_stem {
                Some(_) => "The network has no such stem",
                None => "No network plays",
            });
            let look = Look { title: strip.title, lacks, is_heard: audible[index] && is_there };
            section(ui, width, height, |ui| {
                name(ui, &look);
                lamps(ui, channel, setter);
                levels(ui, &look, &channel.fader, &shared.strips[index], meter, setter);
            });
        }
        ui.add_space(GRID);
        section(ui, width, height, |ui| {
            let look = Look { title: "Mix", lacks: None, is_heard: !params.bypass.value() };
            name(ui, &look);
            let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 24.0), egui::Sense::hover());
            let note = if params.bypass.value() { "bypassed" } else { "main output" };
            let at = rect.left_center();
            ui.painter().text(at, egui::Align2::LEFT_CENTER, note, FontId::proportional(12.0), DIM);
            levels(ui, &look, &params.master, &shared.master, mix_meter, setter);
        });
    });
}

/// Draws the name of a strip, above a line that is bright while it is heard.
fn name(ui: &mut Ui, look: &Look) {
    let font = FontId::proportional(16.0);
    let title = text::middle(ui, look.title, &font, ui.available_width());
    let colour = if look.is_heard { TEXT } else { OFF };
    let label = ui.label(RichText::new(title).font(font).strong().color(colour));
    if let Some(why) = look.lacks {
        label.on_hover_text(why);
    }
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 2.0), egui::Sense::hover());
    ui.painter().rect_filled(rect, 1.0, if look.is_heard { ACCENT } else { LINE });
}

fn lamps(ui: &mut Ui, channel: &Channel, setter: &ParamSetter) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        lamp(ui, "M", "Mute", ALERT, &channel.mute, setter);
        lamp(ui, "S", "Solo: only the strips in solo are heard", ACCENT, &channel.solo, setter);
    });
}

/// Draws the fader and the meter beside each other, down to the bottom of the strip.
fn levels(
    ui: &mut Ui,
    look: &Look,
    param: &FloatParam,
    levels: &[Level; 2],
    meter: &mut StereoMeter,
    setter: &ParamSetter,
) {
    ui.add_space(4.0);
    let size = ui.available_size();
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        fader(ui, vec2(48.0, size.y), param, &MARKS, look.is_heard, setter);
        meter.ui(ui, look.title, levels, vec2(40.0, size.y), !look.is_heard);
    });
}
