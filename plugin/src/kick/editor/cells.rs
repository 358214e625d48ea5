//! The variations: one cell each. A click makes one of them the kick, and plays it.

use egui::{Align2, FontId, Rect, Sense, Stroke, StrokeKind, Ui, vec2};
use nice_plug::prelude::ParamSetter;

use super::wave::draw;
use crate::kick::codes::VARIATIONS;
use crate::kick::params::KickParams;
use crate::kick::shared::{Shared, Shown};
use crate::ui::controls::switch;
use crate::ui::knob::knob_small;
use crate::ui::layout::heading;
use crate::ui::theme::{ACCENT, DIM, LEVEL, LINE, WELL};

const COLUMNS: usize = 4;
const GAP: f32 = 5.0;

/// Draws the cells; returns the one that was clicked.
pub(super) fn ui(
    ui: &mut Ui,
    params: &KickParams,
    shared: &Shared,
    shown: &Shown,
    setter: &ParamSetter,
) -> Option<usize> {
    let in_turn = ui
        .horizontal(|ui| {
            ui.allocate_ui(vec2(90.0, 24.0), |ui| heading(ui, "VARIATIONS"));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let left_to_right = egui::Layout::left_to_right(egui::Align::Center);
                let row = vec2(122.0, 24.0);
                ui.allocate_ui_with_layout(row, left_to_right, |ui| {
                    switch(ui, "Round robin", &params.round_robin, setter)
                })
                .inner
            })
            .inner
        })
        .inner;
    let mut taken = None;
    ui.horizontal_top(|ui| {
        ui.vertical(|ui| {
            ui.set_width(60.0);
            ui.add_space(16.0);
            knob_small(ui, "Amount", &params.amount, setter, true);
        });
        let (rect, _) = ui.allocate_exact_size(ui.available_size(), Sense::hover());
        let rows = VARIATIONS / COLUMNS;
        let size = vec2(
            (rect.width() - (COLUMNS - 1) as f32 * GAP) / COLUMNS as f32,
            (rect.height() - (rows - 1) as f32 * GAP) / rows as f32,
        );
        let sounding = shared.playhead.get().filter(|_| in_turn).map(|(kick, _)| kick);
        for index in 0..VARIATIONS {
            let (column, row) = ((index % COLUMNS) as f32, (index / COLUMNS) as f32);
            let at = rect.min + vec2(column * (size.x + GAP), row * (size.y + GAP));
            let cell = Rect::from_min_size(at, size);
            let response = ui.interact(cell, ui.scope_id().with(index), Sense::click());
            let painter = ui.painter();
            painter.rect_filled(cell, 4.0, if response.hovered() { LINE } else { WELL });
            let colour = if in_turn || response.hovered() { ACCENT } else { DIM };
            if let Some(peaks) = shown.variations.get(index) {
                draw(painter, cell.shrink2(vec2(4.0, 3.0)), peaks, colour);
            }
            if sounding == Some(index) {
                painter.rect_stroke(cell, 4.0, Stroke::new(1.5, LEVEL), StrokeKind::Inside);
            }
            let number = FontId::proportional(9.5);
            let corner = cell.right_bottom() - vec2(4.0, 2.0);
            painter.text(corner, Align2::RIGHT_BOTTOM, (index + 1).to_string(), number, DIM);
            if response.on_hover_text("Make this variation the kick, and hear it").clicked() {
                taken = Some(index);
            }
        }
    });
    taken
}
