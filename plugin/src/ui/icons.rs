//! Icons, and buttons with one.

use std::f32::consts::PI;

use egui::{Color32, Pos2, Response, Sense, Shape, Stroke, Ui, vec2};

use super::theme::{LINE, WELL};

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
