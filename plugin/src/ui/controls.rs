//! Switches, choices and lights.

use egui::{Align, Align2, Color32, FontId, Layout, Response, Sense, Stroke, Ui, pos2, vec2};
use nice_plug::params::Param;
use nice_plug::prelude::ParamSetter;

use super::gesture;
use super::theme::{ACCENT, DIM, GRID, LEVEL, LINE, OFF, TEXT, WELL};

/// Size of a button of a choice, in points.
const CHOICE_WIDTH: f32 = 38.0;
const CHOICE_HEIGHT: f32 = 22.0;

/// Sets `param` in one gesture.
pub(crate) fn set<P: Param>(ui: &Ui, param: &P, setter: &ParamSetter, normalized: f32) {
    let from = param.unmodulated_normalized_value();
    setter.begin_set_parameter(param);
    setter.set_parameter_normalized(param, normalized);
    setter.end_set_parameter(param);
    gesture::done(ui, param, from, normalized, false);
}

/// Sets `param` to a plain value in one gesture.
pub(crate) fn set_plain<P: Param>(ui: &Ui, param: &P, setter: &ParamSetter, value: P::Plain) {
    set(ui, param, setter, param.preview_normalized(value));
}

/// A round light with a name.
pub(crate) fn light(ui: &mut Ui, name: &str, on: bool) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(10.0, 16.0), Sense::hover());
    ui.painter().circle_filled(rect.center(), 4.0, if on { LEVEL } else { WELL });
    ui.painter().circle_stroke(rect.center(), 4.0, Stroke::new(1.0, LINE));
    response.on_hover_text(name)
}

/// The switch that lets the sound pass, in a row that runs from right to left: as wide as its name.
pub(crate) fn bypass<P: Param<Plain = bool>>(ui: &mut Ui, param: &P, setter: &ParamSetter) {
    ui.allocate_ui_with_layout(vec2(86.0, 24.0), Layout::left_to_right(Align::Center), |ui| {
        switch(ui, "Bypass", param, setter);
    });
}

/// A switch with its name, bright while it is on.
pub(crate) fn switch<P: Param<Plain = bool>>(
    ui: &mut Ui,
    name: &str,
    param: &P,
    setter: &ParamSetter,
) -> bool {
    let on = param.unmodulated_plain_value();
    ui.horizontal(|ui| {
        let (rect, response) = ui.allocate_exact_size(vec2(28.0, 2.0 * GRID), Sense::click());
        let painter = ui.painter();
        painter.rect_filled(rect, 8.0, if on { ACCENT } else { WELL });
        let x = if on { rect.right() - 8.0 } else { rect.left() + 8.0 };
        painter.circle_filled(pos2(x, rect.center().y), 6.0, TEXT);
        let text = egui::RichText::new(name).color(if on { TEXT } else { DIM });
        let label = ui.add(egui::Label::new(text).sense(Sense::click()));
        if response.clicked() || label.clicked() {
            set(ui, param, setter, if on { 0.0 } else { 1.0 });
        }
    });
    on
}

/// A small button with a letter, lit in `colour` while it is on.
pub(crate) fn lamp<P: Param<Plain = bool>>(
    ui: &mut Ui,
    letter: &str,
    help: &str,
    colour: Color32,
    param: &P,
    setter: &ParamSetter,
) {
    let on = param.unmodulated_plain_value();
    let (rect, response) = ui.allocate_exact_size(vec2(30.0, 22.0), Sense::click());
    let response = response.on_hover_text(help);
    let fill = match (on, response.hovered()) {
        (true, _) => colour,
        (false, true) => LINE,
        (false, false) => WELL,
    };
    ui.painter().rect_filled(rect, 4.0, fill);
    let font = FontId::proportional(13.0);
    let text = if on { WELL } else { DIM };
    ui.painter().text(rect.center(), Align2::CENTER_CENTER, letter, font, text);
    if response.clicked() {
        set(ui, param, setter, if on { 0.0 } else { 1.0 });
    }
}

/// A row of buttons of which one is chosen.
pub(crate) fn choice<P: Param>(ui: &mut Ui, param: &P, names: &[&str], setter: &ParamSetter) -> Response {
    choice_of(ui, param, &names.iter().map(|name| (*name, None)).collect::<Vec<_>>(), setter)
}

/// The same, with the reasons why some of them have no effect. These are grey, and can be chosen by nothing but the host.
pub(crate) fn choice_of<P: Param>(
    ui: &mut Ui,
    param: &P,
    options: &[(&str, Option<&str>)],
    setter: &ParamSetter,
) -> Response {
    let last = (options.len() - 1).max(1) as f32;
    let chosen = (param.unmodulated_normalized_value() * last).round() as usize;
    // From left to right, though what is around it may not be.
    let size = vec2((CHOICE_WIDTH + 2.0) * options.len() as f32, CHOICE_HEIGHT);
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        ui.spacing_mut().button_padding.x = 4.0;
        for (i, (name, without_effect)) in options.iter().enumerate() {
            let on = i == chosen;
            let (colour, fill) = match (on, without_effect.is_some()) {
                (true, false) => (WELL, ACCENT),
                (true, true) => (DIM, LINE),
                (false, false) => (DIM, WELL),
                (false, true) => (OFF, WELL),
            };
            let text = egui::RichText::new(*name).small().color(colour);
            let button = egui::Button::new(text).fill(fill).min_size(vec2(CHOICE_WIDTH, CHOICE_HEIGHT));
            let response = ui.add_enabled(without_effect.is_none(), button);
            if response.clicked() {
                set(ui, param, setter, i as f32 / last);
            }
            if let Some(why) = without_effect {
                response.on_disabled_hover_text(*why);
            }
        }
    })
    .response
}
