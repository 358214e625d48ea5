//! The parts of every window: bars, panels, sections, the status line, errors, and the hint while files are dragged over it.

use std::path::Path;

use egui::{FontId, Frame, Layout, Margin, Panel, RichText, Ui, vec2};

use super::icons::{Icon, icon_button};
use super::text;
use super::theme::{self, ACCENT, ALERT, DIM, TEXT};
use crate::loading::Tasks;
use crate::state::Refusal;

/// Largest width of an error, in points.
const BANNER_WIDTH: f32 = 668.0;

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

/// The bar at the bottom: what is going on, or else `hint`. The last error covers the top of the window until it is dismissed.
pub(crate) fn status_bar(ui: &mut Ui, tasks: &Tasks, hint: &str) {
    let status = tasks.status();
    Panel::bottom("status").exact_size(32.0).show_separator_line(false).frame(bar()).show(ui, |ui| {
        ui.horizontal_centered(|ui| {
            if status.loading {
                ui.add(egui::Spinner::new().size(14.0).color(ACCENT));
                ui.label(RichText::new("Loading").small().color(DIM));
            } else {
                ui.label(RichText::new(hint).small().color(DIM));
            }
        });
    });
    if let Some(refusal) = &status.error
        && banner(ui, refusal)
    {
        tasks.dismiss();
    }
}

/// Draws an error: its reason, and below it the file; returns whether it was dismissed.
fn banner(ui: &Ui, refusal: &Refusal) -> bool {
    let window = ui.ctx().content_rect();
    let width = (window.width() - 32.0).min(BANNER_WIDTH);
    let frame = Frame::new()
        .fill(theme::PANEL.lerp_to_gamma(ALERT, 0.22))
        .stroke(egui::Stroke::new(1.0, ALERT))
        .corner_radius(6)
        .inner_margin(Margin::symmetric(14, 10));
    let at = egui::pos2(window.right() - 16.0 - width, 48.0);
    let area = egui::Area::new(egui::Id::unique("error")).order(egui::Order::Middle).fixed_pos(at);
    let drawn = area.show(ui.ctx(), |ui| {
        frame
            .show(ui, |ui| {
                ui.set_width(width - 30.0);
                ui.horizontal_top(|ui| {
                    let words = vec2(width - 30.0 - 34.0, 0.0);
                    ui.allocate_ui_with_layout(words, Layout::top_down(egui::Align::Min), |ui| {
                        ui.set_min_size(vec2(words.x, 38.0));
                        ui.spacing_mut().item_spacing.y = 2.0;
                        let reason = RichText::new(sentence(&refusal.reason)).color(TEXT);
                        ui.add(egui::Label::new(reason).wrap());
                        if let Some(file) = &refusal.file {
                            file_name(ui, file);
                        }
                    });
                    icon_button(ui, Icon::Cross, "Dismiss", TEXT).clicked()
                })
                .inner
            })
            .inner
    });
    drawn.inner
}

fn file_name(ui: &mut Ui, file: &Path) {
    let name = file.file_name().map_or_else(|| file.to_string_lossy(), |name| name.to_string_lossy());
    let name = text::middle(ui, &name, &FontId::proportional(12.0), ui.available_width());
    ui.label(RichText::new(name).small().color(DIM)).on_hover_text(file.display().to_string());
}

/// With a capital letter and a full stop.
fn sentence(reason: &str) -> String {
    let mut letters = reason.trim_end_matches('.').chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
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

/// The space of a window without a panel at the left.
pub(crate) fn whole(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    let frame = Frame::new().inner_margin(Margin::symmetric(16, 0));
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

#[cfg(test)]
mod tests {
    #[test]
    fn reasons_become_sentences() {
        assert_eq!(super::sentence("this is not a file"), "This is not a file.");
        assert_eq!(super::sentence("Load another."), "Load another.");
        assert_eq!(super::sentence("'x' is no number"), "'x' is no number.");
    }
}
