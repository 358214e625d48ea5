//! The controls of the editor: knob, meter, light, switch.

use std::f32::consts::PI;

use egui::{Align2, Color32, CursorIcon, FontId, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, pos2, vec2};
use nice_plug::params::Param;
use nice_plug::prelude::ParamSetter;

use super::theme::{ACCENT, ALERT, DIM, GRID, LEVEL, LINE, OFF, TEXT, WELL};
use crate::shared::KnobCard;

/// Points that the pointer moves from one end of a knob to the other.
const TRAVEL: f32 = 180.0;
/// How much slower a knob turns while shift is held.
const FINE: f32 = 0.1;
/// Part of the range that a notch of the wheel moves.
const NOTCH: f32 = 0.02;
/// How wide a knob is with its texts, in points.
const KNOB_WIDTH: f32 = 76.0;
/// How high a meter is with its text, in points.
const METER_HEIGHT: f32 = 144.0;
/// The lowest level that a meter shows, in dB relative to full scale.
const FLOOR_DB: f32 = -60.0;
/// Where a knob's arc begins and ends, clockwise from straight up.
const SWEEP: f32 = 0.75 * PI;

/// How a knob looks, and what it says.
pub(crate) struct Dial<'a> {
    pub(crate) label: &'a str,
    pub(crate) enabled: bool,
    /// A knob of the model: its own default and its own words for values.
    pub(crate) card: Option<&'a KnobCard>,
    /// Half as large, for many knobs in one place.
    pub(crate) small: bool,
}

impl Dial<'_> {
    fn text<P: Param>(&self, param: &P, with_unit: bool) -> String {
        let value = param.unmodulated_normalized_value();
        match self.card {
            Some(card) => card.text(value),
            None => param.normalized_value_to_string(value, with_unit),
        }
    }

    fn parse<P: Param>(&self, param: &P, text: &str) -> Option<f32> {
        match self.card {
            Some(card) => card.position(text),
            None => param.string_to_normalized_value(text),
        }
    }

    fn default<P: Param>(&self, param: &P) -> f32 {
        self.card.map_or_else(|| param.default_normalized_value(), |card| card.default)
    }
}

/// A knob for `param`, see [`dial`].
pub(crate) fn knob<P: Param>(ui: &mut Ui, label: &str, param: &P, setter: &ParamSetter, enabled: bool) {
    dial(ui, &Dial { label, enabled, card: None, small: false }, param, setter);
}

/// A knob for `param`: drag or wheel to turn, shift for fine steps, double click for the default, a click on the value to
/// type one.
pub(crate) fn dial<P: Param>(ui: &mut Ui, look: &Dial, param: &P, setter: &ParamSetter) {
    let (width, height, size, font) =
        if look.small { (54.0, 66.0, 36.0, 12.0) } else { (KNOB_WIDTH, 116.0, 64.0, 14.0) };
    ui.allocate_ui(vec2(width, height), |ui| {
        ui.set_width(width);
        ui.vertical_centered(|ui| {
            ui.spacing_mut().item_spacing.y = if look.small { 0.0 } else { 2.0 };
            let colour = if look.enabled { DIM } else { OFF };
            let label = egui::RichText::new(look.label).size(font).color(colour);
            ui.add(egui::Label::new(label).truncate());
            let (rect, response) = ui.allocate_exact_size(vec2(size, size), Sense::click_and_drag());
            let response = response.on_hover_cursor(CursorIcon::ResizeVertical);
            turn(ui, &response, param, setter, look.default(param));
            let lit = response.hovered() || response.dragged();
            paint_knob(ui, rect, param, look.enabled, lit, look.default(param));
            value_field(ui, look, font, param, setter);
        });
    });
}

/// Turns `param` by what happened to `response`.
fn turn<P: Param>(ui: &Ui, response: &Response, param: &P, setter: &ParamSetter, default: f32) {
    let fine = if ui.input(|input| input.modifiers.shift) { FINE } else { 1.0 };
    if response.drag_started() {
        setter.begin_set_parameter(param);
    }
    if response.dragged() {
        let moved = response.drag_delta();
        step(ui, response.id, param, setter, (moved.x - moved.y) / TRAVEL * fine);
    }
    if response.drag_stopped() {
        setter.end_set_parameter(param);
        ui.data_mut(|data| data.remove::<f32>(response.id));
    }
    if response.double_clicked() {
        set(param, setter, default);
    }
    if response.hovered() {
        let notches = ui.input(|input| input.smooth_scroll_delta().y) / 40.0;
        if notches != 0.0 {
            let value = param.unmodulated_normalized_value() + notches * NOTCH * fine;
            set(param, setter, value.clamp(0.0, 1.0));
        }
    }
}

/// Adds `change` to the value that the drag has reached, which a stepped parameter alone would not remember.
fn step<P: Param>(ui: &Ui, id: egui::Id, param: &P, setter: &ParamSetter, change: f32) {
    let reached = ui.data(|data| data.get_temp(id)).unwrap_or_else(|| param.unmodulated_normalized_value());
    let value = (reached + change).clamp(0.0, 1.0);
    ui.data_mut(|data| data.insert_temp(id, value));
    setter.set_parameter_normalized(param, value);
}

fn set<P: Param>(param: &P, setter: &ParamSetter, normalized: f32) {
    setter.begin_set_parameter(param);
    setter.set_parameter_normalized(param, normalized);
    setter.end_set_parameter(param);
}

fn paint_knob<P: Param>(ui: &Ui, rect: Rect, param: &P, enabled: bool, lit: bool, rest: f32) {
    let painter = ui.painter();
    // Of a knob of the usual size.
    let scale = rect.width() / 64.0;
    let (centre, radius) = (rect.center(), rect.width() / 2.0 - 4.0 * scale);
    let width = (4.0 * scale).max(3.0);
    let value = param.unmodulated_normalized_value();
    let colour = if enabled { ACCENT } else { LINE };
    arc(painter, centre, radius, 0.0, 1.0, Stroke::new(width, WELL));
    // From the default, so that a knob at rest shows no arc.
    let from = if rest > 0.02 && rest < 0.98 { rest } else { 0.0 };
    arc(painter, centre, radius, from.min(value), from.max(value), Stroke::new(width, colour));
    let body = if lit { LINE.gamma_multiply(1.15) } else { LINE };
    painter.circle_filled(centre, radius - 7.0 * scale, body);
    let tip = at(centre, radius - 10.0 * scale, value);
    painter.line_segment(
        [centre + (tip - centre) * 0.35, tip],
        Stroke::new(2.5, if enabled { TEXT } else { OFF }),
    );
}

/// A stretch of the knob's scale, from 0 to 1.
fn arc(painter: &egui::Painter, centre: Pos2, radius: f32, from: f32, to: f32, stroke: Stroke) {
    if to - from < 1e-3 {
        return;
    }
    let steps = ((to - from) * 64.0).ceil().max(2.0) as usize;
    let points =
        (0..=steps).map(|i| at(centre, radius, from + (to - from) * i as f32 / steps as f32)).collect();
    painter.add(Shape::line(points, stroke));
}

fn at(centre: Pos2, radius: f32, value: f32) -> Pos2 {
    let angle = -SWEEP + 2.0 * SWEEP * value;
    centre + vec2(angle.sin(), -angle.cos()) * radius
}

/// The value as text; a click makes it a field to type in.
fn value_field<P: Param>(ui: &mut Ui, look: &Dial, font: f32, param: &P, setter: &ParamSetter) {
    let id = ui.scope_id().with(param.name());
    let editing: Option<String> = ui.data(|data| data.get_temp(id));
    let Some(mut text) = editing else {
        let colour = if look.enabled { TEXT } else { OFF };
        let shown = egui::RichText::new(look.text(param, true)).size(font).color(colour);
        let label = egui::Label::new(shown).sense(Sense::click());
        if ui.add(label).on_hover_cursor(CursorIcon::Text).clicked() {
            ui.data_mut(|data| data.insert_temp(id, look.text(param, false)));
        }
        return;
    };
    let width = if look.small { 44.0 } else { 60.0 };
    let field = egui::TextEdit::singleline(&mut text).desired_width(width).font(FontId::proportional(12.0));
    let response = ui.add(field);
    response.request_focus();
    let (enter, escape) =
        ui.input(|input| (input.key_pressed(egui::Key::Enter), input.key_pressed(egui::Key::Escape)));
    let away = ui.input(|input| input.pointer.any_pressed()) && !response.hovered();
    if (enter || away)
        && let Some(value) = look.parse(param, &text)
    {
        set(param, setter, value);
    }
    if enter || escape || away {
        ui.data_mut(|data| data.remove::<String>(id));
    } else {
        ui.data_mut(|data| data.insert_temp(id, text));
    }
}

/// A level with the peak of the last seconds and a light that stays on after clipping until it is clicked.
///
/// Returns whether the light was clicked. Levels are linear, 1 being full scale.
pub(crate) fn meter(ui: &mut Ui, label: &str, level: f32, peak: f32, clipped: bool) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(26.0, METER_HEIGHT), Sense::click());
    let painter = ui.painter();
    let light = Rect::from_min_size(rect.left_top() + vec2(5.0, 0.0), vec2(16.0, 6.0));
    painter.rect_filled(light, 2.0, if clipped { ALERT } else { WELL });
    let track = Rect::from_min_max(
        pos2(rect.left() + 5.0, light.bottom() + 4.0),
        pos2(rect.left() + 21.0, rect.bottom() - 16.0),
    );
    painter.rect_filled(track, 2.0, WELL);
    let height = |level: f32| {
        let db = 20.0 * level.max(1e-9).log10();
        track.bottom() - track.height() * ((db - FLOOR_DB) / -FLOOR_DB).clamp(0.0, 1.0)
    };
    let bar = Rect::from_min_max(pos2(track.left(), height(level)), track.right_bottom());
    painter.rect_filled(bar, 2.0, if level >= 1.0 { ALERT } else { LEVEL });
    if peak > 1e-3 {
        let y = height(peak);
        painter.hline(track.x_range(), y, Stroke::new(1.5, if peak >= 1.0 { ALERT } else { TEXT }));
    }
    for db in [-48.0f32, -36.0, -24.0, -12.0, -6.0] {
        let y = height(10f32.powf(db / 20.0));
        painter.hline(rect.right() - 4.0..=rect.right() - 1.0, y, Stroke::new(1.0, LINE));
    }
    painter.text(
        pos2(track.center().x, rect.bottom()),
        Align2::CENTER_BOTTOM,
        label,
        FontId::proportional(11.0),
        DIM,
    );
    let db = 20.0 * peak.max(1e-9).log10();
    let shown =
        if db > FLOOR_DB { format!("{label}: peak {db:.1} dBFS") } else { format!("{label}: silent") };
    response.on_hover_text(shown).clicked()
}

/// What a small button shows.
#[derive(Clone, Copy)]
pub(crate) enum Icon {
    Previous,
    Next,
    Down,
    Cross,
    Star,
}

/// A square button with an icon.
pub(crate) fn icon_button(ui: &mut Ui, icon: Icon, help: &str, colour: Color32) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(26.0, 24.0), Sense::click());
    let response = response.on_hover_text(help);
    let fill = if response.hovered() { LINE } else { WELL };
    ui.painter().rect_filled(rect, 4.0, fill);
    paint_icon(ui.painter(), rect.center(), icon, colour);
    response
}

/// Paints an icon of about twelve points.
pub(crate) fn paint_icon(painter: &egui::Painter, centre: Pos2, icon: Icon, colour: Color32) {
    let triangle = |sign: f32| {
        [vec2(4.0 * sign, 0.0), vec2(-3.0 * sign, -5.0), vec2(-3.0 * sign, 5.0)]
            .map(|corner| centre + corner)
            .to_vec()
    };
    let fill = |points| {
        painter.add(Shape::convex_polygon(points, colour, Stroke::NONE));
    };
    match icon {
        Icon::Previous => fill(triangle(-1.0)),
        Icon::Next => fill(triangle(1.0)),
        Icon::Down => {
            fill([vec2(0.0, 3.0), vec2(-4.5, -2.5), vec2(4.5, -2.5)].map(|corner| centre + corner).to_vec())
        }
        Icon::Cross => {
            for sign in [-1.0, 1.0] {
                let arm = vec2(4.0, 4.0 * sign);
                painter.line_segment([centre - arm, centre + arm], Stroke::new(1.5, colour));
            }
        }
        Icon::Star => {
            let tip = |i: usize, radius: f32| {
                let angle = PI * i as f32 / 5.0;
                centre + vec2(angle.sin(), -angle.cos()) * radius
            };
            // A star is not convex; five kites from its centre are.
            for i in 0..5 {
                fill(vec![centre, tip(2 * i + 9, 2.8), tip(2 * i, 6.5), tip(2 * i + 1, 2.8)]);
            }
        }
    }
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
