//! The fader.

use egui::{Align2, CursorIcon, FontId, Rect, Sense, Stroke, StrokeKind, Ui, Vec2, pos2, vec2};
use nice_plug::params::Param;
use nice_plug::prelude::ParamSetter;

use super::knob::{Dial, KnobSize, turn, value_field};
use super::theme::{ACCENT, DIM, LINE, OFF, TEXT, WELL};

/// Size of the cap, in points.
const CAP: Vec2 = vec2(26.0, 18.0);
/// Height of the value below, in points.
pub(super) const VALUE_HEIGHT: f32 = 20.0;

/// Draws a fader for `param`: drag or wheel to move, shift for fine steps, double click for the default, click on the value below
/// to type one. `size` is in points. `marks` are values with their texts; what the fader moves is `heard`, or not.
pub(crate) fn fader<P: Param<Plain = f32>>(
    ui: &mut Ui,
    size: Vec2,
    param: &P,
    marks: &[(f32, &str)],
    heard: bool,
    setter: &ParamSetter,
) {
    let layout = egui::Layout::top_down(egui::Align::Center);
    ui.allocate_ui_with_layout(size, layout, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let (rect, response) =
            ui.allocate_exact_size(size - vec2(0.0, VALUE_HEIGHT), Sense::click_and_drag());
        let response = response.on_hover_cursor(CursorIcon::ResizeVertical);
        // The cap stays whole at both ends.
        let slot = Rect::from_center_size(
            pos2(rect.right() - CAP.x / 2.0, rect.center().y),
            vec2(4.0, rect.height() - CAP.y),
        );
        turn(ui, &response, param, setter, param.default_normalized_value(), |moved| {
            -moved.y / slot.height()
        });
        let at = |normalized: f32| slot.bottom() - slot.height() * normalized;
        let painter = ui.painter();
        for (value, text) in marks {
            let y = at(param.preview_normalized(*value));
            let reach = slot.left() - 17.0..=slot.left() - 13.0;
            painter.hline(reach, y, Stroke::new(1.0, OFF));
            let number = FontId::proportional(9.5);
            painter.text(pos2(slot.left() - 19.0, y), Align2::RIGHT_CENTER, text, number, DIM);
        }
        painter.rect_filled(slot, 2.0, WELL);
        let y = at(param.unmodulated_normalized_value());
        let filled = Rect::from_min_max(pos2(slot.left(), y), slot.right_bottom());
        painter.rect_filled(filled, 2.0, if heard { ACCENT.gamma_multiply(0.75) } else { LINE });
        let cap = Rect::from_center_size(pos2(slot.center().x, y), CAP);
        let lit = response.hovered() || response.dragged();
        painter.rect_filled(cap.translate(vec2(0.0, 1.5)), 3.0, WELL.gamma_multiply(0.6));
        painter.rect_filled(cap, 3.0, if lit { LINE.gamma_multiply(1.25) } else { LINE });
        painter.rect_stroke(cap, 3.0, Stroke::new(1.0, OFF.gamma_multiply(0.6)), StrokeKind::Inside);
        let line = if heard { TEXT } else { OFF };
        painter.hline(cap.left() + 4.0..=cap.right() - 4.0, y, Stroke::new(2.0, line));
        let label = "";
        let look = Dial { label, enabled: heard, scale: None, size: KnobSize::Small };
        ui.add_space(2.0);
        value_field(ui, &look, 13.0, param, setter);
    });
}
