//! The knob.

use std::f32::consts::PI;

use egui::{CursorIcon, FontId, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, Vec2, vec2};
use nice_plug::params::Param;
use nice_plug::prelude::ParamSetter;

use super::controls::set;
use super::gesture;
use super::scale::Scale;
use super::text::number;
use super::theme::{ACCENT, DIM, LINE, OFF, TEXT, WELL};

/// Points of a drag from one end of a knob to the other.
const TRAVEL: f32 = 180.0;
/// Speed of a knob while shift is held, relative to the usual one.
const FINE: f32 = 0.1;
/// Share of the range that a notch of the wheel moves.
const NOTCH: f32 = 0.02;
/// Width of a knob with its texts, in points.
const KNOB_WIDTH: f32 = 72.0;
/// Angle of the ends of a knob's arc from straight up.
const SWEEP: f32 = 0.75 * PI;

/// How a knob looks, and what it shows.
pub(crate) struct Dial<'a> {
    pub(crate) label: &'a str,
    pub(crate) enabled: bool,
    /// A scale and default in place of the parameter's own.
    pub(crate) scale: Option<&'a Scale>,
    pub(crate) size: KnobSize,
}

/// How large a knob is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum KnobSize {
    /// For many knobs in one place.
    Small,
    Usual,
    /// For the few knobs that matter most.
    Large,
}

impl Dial<'_> {
    fn text<P: Param>(&self, param: &P, with_unit: bool) -> String {
        let value = param.unmodulated_normalized_value();
        match self.scale {
            Some(scale) => scale.text(value),
            None => param.normalized_value_to_string(value, with_unit),
        }
    }

    fn parse<P: Param>(&self, param: &P, text: &str) -> Option<f32> {
        let value = match self.scale {
            Some(scale) => scale.position(text),
            None => param.string_to_normalized_value(&number(text)),
        };
        // "nan" is a number too.
        value.filter(|value| value.is_finite()).map(|value| value.clamp(0.0, 1.0))
    }

    fn default<P: Param>(&self, param: &P) -> f32 {
        self.scale.map_or_else(|| param.default_normalized_value(), |scale| scale.default)
    }
}

/// Draws a knob for `param`, see [`dial`].
pub(crate) fn knob<P: Param>(ui: &mut Ui, label: &str, param: &P, setter: &ParamSetter, enabled: bool) {
    dial(ui, &Dial { label, enabled, scale: None, size: KnobSize::Usual }, param, setter);
}

/// Draws a small knob for `param`, see [`dial`].
pub(crate) fn knob_small<P: Param>(
    ui: &mut Ui,
    label: &str,
    param: &P,
    setter: &ParamSetter,
    enabled: bool,
) -> Response {
    dial(ui, &Dial { label, enabled, scale: None, size: KnobSize::Small }, param, setter)
}

/// Draws a knob for `param`: drag or wheel to turn, shift for fine steps, double click for the default, click on the value to
/// type one. Returns what was done with the knob itself.
pub(crate) fn dial<P: Param>(ui: &mut Ui, look: &Dial, param: &P, setter: &ParamSetter) -> Response {
    let is_small = look.size == KnobSize::Small;
    let (width, height, size, font) = match look.size {
        KnobSize::Small => (60.0, 64.0, 36.0, 12.0),
        KnobSize::Usual => (KNOB_WIDTH, 116.0, 64.0, 14.0),
        KnobSize::Large => (92.0, 126.0, 78.0, 15.0),
    };
    ui.allocate_ui(vec2(width, height), |ui| {
        ui.set_width(width);
        ui.vertical_centered(|ui| {
            ui.spacing_mut().item_spacing.y = if is_small { 0.0 } else { 2.0 };
            let colour = if look.enabled { DIM } else { OFF };
            let label = egui::RichText::new(look.label).size(font).color(colour);
            ui.add(egui::Label::new(label).truncate());
            let (rect, response) = ui.allocate_exact_size(vec2(size, size), Sense::click_and_drag());
            let response = response.on_hover_cursor(CursorIcon::ResizeVertical);
            let by = |moved: Vec2| (moved.x - moved.y) / TRAVEL;
            turn(ui, &response, param, setter, look.default(param), by);
            let lit = response.hovered() || response.dragged();
            paint_knob(ui, rect, param, look.enabled, lit, look.default(param));
            value_field(ui, look, font, param, setter);
            response
        })
        .inner
    })
    .inner
}

/// Turns `param` as the pointer does on `response`; `by` is how far a drag moves it, of its whole range.
pub(super) fn turn<P: Param>(
    ui: &Ui,
    response: &Response,
    param: &P,
    setter: &ParamSetter,
    default: f32,
    by: impl Fn(Vec2) -> f32,
) {
    let fine = if ui.input(|input| input.modifiers.shift) { FINE } else { 1.0 };
    let start = response.id.with("start");
    if response.drag_started() {
        setter.begin_set_parameter(param);
        ui.data_mut(|data| data.insert_temp(start, param.unmodulated_normalized_value()));
    }
    if response.dragged() {
        step(ui, response.id, param, setter, by(response.drag_delta()) * fine);
    }
    if response.drag_stopped() {
        setter.end_set_parameter(param);
        let (from, to) = ui.data_mut(|data| (data.remove_temp(start), data.remove_temp(response.id)));
        if let (Some(from), Some(to)) = (from, to) {
            gesture::done(ui, param, from, to, false);
        }
    }
    if response.double_clicked() {
        set(ui, param, setter, default);
    }
    if response.hovered() {
        let notches = ui.input(|input| input.smooth_scroll_delta().y) / 40.0;
        if notches != 0.0 {
            let from = param.unmodulated_normalized_value();
            let to = (from + notches * NOTCH * fine).clamp(0.0, 1.0);
            setter.begin_set_parameter(param);
            setter.set_parameter_normalized(param, to);
            setter.end_set_parameter(param);
            gesture::done(ui, param, from, to, true);
        }
    }
}

/// Adds `change` to the value that the drag has reached, kept apart because a stepped parameter rounds it.
fn step<P: Param>(ui: &Ui, id: egui::Id, param: &P, setter: &ParamSetter, change: f32) {
    let reached = ui.data(|data| data.get_temp(id)).unwrap_or_else(|| param.unmodulated_normalized_value());
    let value = (reached + change).clamp(0.0, 1.0);
    ui.data_mut(|data| data.insert_temp(id, value));
    setter.set_parameter_normalized(param, value);
}

fn paint_knob<P: Param>(ui: &Ui, rect: Rect, param: &P, enabled: bool, lit: bool, default: f32) {
    let painter = ui.painter();
    // Relative to a knob of the usual size.
    let scale = rect.width() / 64.0;
    let (centre, radius) = (rect.center(), rect.width() / 2.0 - 4.0 * scale);
    let width = (4.0 * scale).max(3.0);
    let value = param.unmodulated_normalized_value();
    let colour = if enabled { ACCENT } else { LINE };
    arc(painter, centre, radius, 0.0, 1.0, Stroke::new(width, WELL));
    // From the default, so that a knob at its default shows no arc.
    let from = if default > 0.02 && default < 0.98 { default } else { 0.0 };
    arc(painter, centre, radius, from.min(value), from.max(value), Stroke::new(width, colour));
    let body = if lit { LINE.gamma_multiply(1.15) } else { LINE };
    painter.circle_filled(centre, radius - 7.0 * scale, body);
    let tip = at(centre, radius - 10.0 * scale, value);
    painter.line_segment(
        [centre + (tip - centre) * 0.35, tip],
        Stroke::new(2.5, if enabled { TEXT } else { OFF }),
    );
}

/// Draws a part of the arc; both ends are from 0 to 1.
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

/// A value that is typed.
#[derive(Clone, Default)]
struct Typed {
    text: String,
    /// Whether the field has been drawn, and so has the keyboard.
    is_open: bool,
}

/// Draws the value as text; a click makes it a field to type in.
pub(super) fn value_field<P: Param>(ui: &mut Ui, look: &Dial, font: f32, param: &P, setter: &ParamSetter) {
    let id = ui.scope_id().with(param.name());
    let typed: Option<Typed> = ui.data(|data| data.get_temp(id));
    let Some(Typed { mut text, is_open }) = typed else {
        let colour = if look.enabled { TEXT } else { OFF };
        let shown = egui::RichText::new(look.text(param, true)).size(font).color(colour);
        let label = egui::Label::new(shown).sense(Sense::click());
        if ui.add(label).on_hover_cursor(CursorIcon::Text).clicked() {
            let typed = Typed { text: look.text(param, false), is_open: false };
            ui.data_mut(|data| data.insert_temp(id, typed));
        }
        return;
    };
    let width = if look.size == KnobSize::Small { 44.0 } else { 60.0 };
    let field = egui::TextEdit::singleline(&mut text).desired_width(width).font(FontId::proportional(12.0));
    let response = ui.add(field);
    if !is_open {
        response.request_focus();
    } else if !response.has_focus() {
        // Enter, a click elsewhere, or the host took the keyboard; only Escape gives up.
        if !ui.input(|input| input.key_pressed(egui::Key::Escape))
            && let Some(value) = look.parse(param, &text)
        {
            set(ui, param, setter, value);
        }
        ui.data_mut(|data| data.remove_temp::<Typed>(id));
        return;
    }
    ui.data_mut(|data| data.insert_temp(id, Typed { text, is_open: true }));
}
