//! The parts of every window: bars, panels, sections, the status line, and the hint while files are dragged over it.

use egui::{Frame, Layout, Margin, Panel, RichText, Ui, vec2};

use super::theme::{self, ACCENT, ALERT, DIM};
use crate::loading::Status;

fn bar() -> Frame {
    Frame::new().inner_margin(Margin::symmetric(16, 8))
}

/// The bar at the top.
pub(crate) fn top_bar(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    Panel::top("top")
        .exact_size(48.0)
        .show_separator_line(false)
        .frame(bar())
        .show(ui, |ui| ui.horizontal_centered(contents));
}

/// The bar at the bottom: the last error, what is going on, or else `hint`.
pub(crate) fn status_bar(ui: &mut Ui, status: &Status, hint: &str) {
    Panel::bottom("status").exact_size(32.0).show_separator_line(false).frame(bar()).show(ui, |ui| {
        ui.horizontal_centered(|ui| {
            if let Some(error) = &status.error {
                ui.label(RichText::new(error).small().color(ALERT));
            } else if status.loading {
                ui.add(egui::Spinner::new().size(14.0).color(ACCENT));
                ui.label(RichText::new("Loading").small().color(DIM));
            } else {
                ui.label(RichText::new(hint).small().color(DIM));
            }
        });
    });
}

/// The panel at the left, `width` points wide.
pub(crate) fn side_panel(ui: &mut Ui, width: f32, contents: impl FnOnce(&mut Ui)) {
    let frame = theme::panel().outer_margin(Margin { left: 16, right: 0, top: 0, bottom: 0 });
    Panel::left("side")
        .exact_size(width)
        .resizable(false)
        .show_separator_line(false)
        .frame(frame)
        .show(ui, contents);
}

/// The space beside it.
pub(crate) fn centre(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    let frame = Frame::new().inner_margin(Margin { left: 8, right: 16, top: 0, bottom: 0 });
    egui::CentralPanel::default().frame(frame).show(ui, contents);
}

/// A panel of a given size, in points.
pub(crate) fn section(ui: &mut Ui, width: f32, height: f32, contents: impl FnOnce(&mut Ui)) {
    let (rect, _) = ui.allocate_exact_size(vec2(width, height), egui::Sense::hover());
    let frame = theme::panel();
    let inside = rect - frame.inner_margin;
    ui.painter().add(frame.paint(inside));
    let layout = Layout::top_down(egui::Align::Min);
    let mut inner = ui.new_child(egui::UiBuilder::new().max_rect(inside).layout(layout));
    inner.set_clip_rect(rect);
    inner.spacing_mut().item_spacing.y = 6.0;
    contents(&mut inner);
}

/// The title of a section that cannot be switched off, as high as a switch.
pub(crate) fn heading(ui: &mut Ui, text: &str) {
    let size = vec2(ui.available_width(), ui.spacing().interact_size.y);
    ui.allocate_ui_with_layout(size, Layout::left_to_right(egui::Align::Center), |ui| {
        ui.label(RichText::new(text).small().strong().color(DIM));
    });
}

/// Covers the window while files are dragged over it.
pub(crate) fn drop_hint(ui: &Ui) {
    if ui.ctx().input(|input| input.raw.hovered_files.is_empty()) {
        return;
    }
    let rect = ui.ctx().content_rect().shrink(8.0);
    let painter =
        ui.ctx().layer_painter(egui::LayerId::new(egui::Order::Foreground, ui.scope_id().with("drop")));
    painter.rect_filled(rect, 8.0, theme::BACKGROUND.gamma_multiply(0.85));
    painter.rect_stroke(rect, 8.0, egui::Stroke::new(2.0, ACCENT), egui::StrokeKind::Inside);
    let font = egui::FontId::proportional(24.0);
    painter.text(rect.center(), egui::Align2::CENTER_CENTER, "Drop to load", font, ACCENT);
}
