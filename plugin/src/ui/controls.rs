//! Switches, choices and lights.

use egui::{Response, Sense, Stroke, Ui, pos2, vec2};
use nice_plug::params::Param;
use nice_plug::prelude::ParamSetter;

use super::theme::{ACCENT, DIM, GRID, LEVEL, LINE, TEXT, WELL};

/// Sets `param` in one gesture.
pub(super) fn set<P: Param>(param: &P, setter: &ParamSetter, normalized: f32) {
    setter.begin_set_parameter(param);
    setter.set_parameter_normalized(param, normalized);
    setter.end_set_parameter(param);
}

/// A round light with a name.
pub(crate) fn light(ui: &mut Ui, name: &str, on: bool) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(10.0, 16.0), Sense::hover());
    ui.painter().circle_filled(rect.center(), 4.0, if on { LEVEL } else { WELL });
    ui.painter().circle_stroke(rect.center(), 4.0, Stroke::new(1.0, LINE));
    response.on_hover_text(name)
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
            set(param, setter, if on { 0.0 } else { 1.0 });
        }
    });
    on
}

/// A row of buttons of which one is chosen.
pub(crate) fn choice<P: Param>(ui: &mut Ui, param: &P, names: &[&str], setter: &ParamSetter) -> Response {
    let last = (names.len() - 1).max(1) as f32;
    let chosen = (param.unmodulated_normalized_value() * last).round() as usize;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for (i, name) in names.iter().enumerate() {
            let on = i == chosen;
            let text = egui::RichText::new(*name).small().color(if on { WELL } else { DIM });
            let fill = if on { ACCENT } else { WELL };
            if ui.add(egui::Button::new(text).fill(fill).min_size(vec2(44.0, 22.0))).clicked() {
                set(param, setter, i as f32 / last);
            }
        }
    })
    .response
}
