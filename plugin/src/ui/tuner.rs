//! The view of a tuner: a note, and a needle for the cents.

use egui::{Align2, FontId, Stroke, Ui, pos2, vec2};

use super::theme::{ACCENT, DIM, LEVEL, LINE, TEXT, WELL};
use crate::audio::pitch::Note;

/// Draws `note`, or a dash.
pub(crate) fn tuner(ui: &mut Ui, note: Option<Note>) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 80.0), egui::Sense::hover());
    let painter = ui.painter();
    painter.rect_filled(rect, 4.0, WELL);
    let (name, colour) = match note {
        Some(note) => (note.name(), if note.cents.abs() < 3.0 { LEVEL } else { TEXT }),
        None => ("–".to_owned(), DIM),
    };
    painter.text(
        rect.left_center() + vec2(44.0, 0.0),
        Align2::CENTER_CENTER,
        name,
        FontId::proportional(34.0),
        colour,
    );
    let (left, right, y) = (rect.left() + 100.0, rect.right() - 90.0, rect.center().y);
    painter.hline(left..=right, y, Stroke::new(2.0, LINE));
    let x = |cents: f32| left + (right - left) * (cents + 50.0) / 100.0;
    for tick in (-50..=50).step_by(10) {
        let length = if tick == 0 { 16.0 } else { 7.0 };
        painter.vline(x(tick as f32), y - length..=y + length, Stroke::new(1.0, LINE));
    }
    if let Some(note) = note {
        painter.circle_filled(
            pos2(x(note.cents), y),
            7.0,
            if note.cents.abs() < 3.0 { LEVEL } else { ACCENT },
        );
        let text = format!("{:+.0} ct\n{:.1} Hz", note.cents, note.frequency_hz);
        painter.text(
            rect.right_center() - vec2(12.0, 0.0),
            Align2::RIGHT_CENTER,
            text,
            FontId::proportional(13.0),
            DIM,
        );
    }
}
