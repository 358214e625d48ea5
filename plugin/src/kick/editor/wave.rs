//! The kick that plays: its name, its waveform with the playhead, and what can be done with it.

use egui::{Align2, CursorIcon, FontId, Painter, Rect, RichText, Sense, Stroke, Ui, pos2, vec2};

use crate::kick::params::KickParams;
use crate::kick::shared::{Peaks, Shared, Shown};
use crate::ui::dragging::CAN_DRAG;
use crate::ui::text;
use crate::ui::theme::{ACCENT, DIM, LINE, OFF, TEXT, WELL};

/// Width of the column of buttons, in points.
const BUTTONS: f32 = 104.0;

/// What the user asks for.
pub(super) enum Asked {
    Play,
    Save,
    /// A copy in the folder of the copies before, or in another.
    Copy {
        elsewhere: bool,
    },
    /// The waveform is dragged out of the window.
    DragOut,
}

/// Draws the panel.
pub(super) fn ui(
    ui: &mut Ui,
    params: &KickParams,
    shared: &Shared,
    shown: &Shown,
    folder: Option<&str>,
) -> Option<Asked> {
    let mut asked = None;
    let size = ui.available_size();
    ui.horizontal_top(|ui| {
        ui.allocate_ui(vec2(size.x - BUTTONS - 12.0, size.y), |ui| {
            ui.vertical(|ui| {
                title(ui, params, shown);
                if waveform(ui, shared, shown).drag_started() {
                    asked = Some(Asked::DragOut);
                }
            });
        });
        ui.add_space(4.0);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 7.0;
            let wide = vec2(BUTTONS, 26.0);
            let play = egui::Button::new(RichText::new("Play").strong());
            if ui.add_sized(wide, play).on_hover_text("Hear the kick").clicked() {
                asked = Some(Asked::Play);
            }
            if ui
                .add_sized(wide, egui::Button::new("Save WAV…"))
                .on_hover_text("24 bits, at the rate of the host")
                .clicked()
            {
                asked = Some(Asked::Save);
            }
            let copy = ui.add_sized(wide, egui::Button::new("To folder"));
            let elsewhere = copy.secondary_clicked();
            if copy.clicked() || elsewhere {
                asked = Some(Asked::Copy { elsewhere });
            }
            copy.on_hover_text(match folder {
                Some(folder) => format!("Put a copy into {folder}. Right click for another folder."),
                None => "Choose a folder; further copies go there at one click".to_owned(),
            });
        });
    });
    asked
}

fn title(ui: &mut Ui, params: &KickParams, shown: &Shown) {
    ui.horizontal(|ui| {
        let wishes = shown.job.map(|job| job.wishes);
        let name = wishes.map_or_else(|| "No kick yet".to_owned(), |wishes| wishes.title());
        let font = FontId::proportional(18.0);
        let name = text::middle(ui, &name, &font, ui.available_width() - 220.0);
        ui.label(RichText::new(name).font(font).strong().color(TEXT));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let about = match wishes {
                Some(wishes) if shown.job == Some(params.job()) => {
                    format!(
                        "seed {}  ·  {:.2} s",
                        wishes.seed,
                        shown.length as f32 / shown.rate_hz.max(1) as f32
                    )
                }
                Some(_) if shown.failed == Some(params.job()) => "not made: the kick before plays".to_owned(),
                Some(_) => "making…".to_owned(),
                None => "Made when the host starts its audio.".to_owned(),
            };
            ui.label(RichText::new(about).small().color(DIM));
        });
    });
}

fn waveform(ui: &mut Ui, shared: &Shared, shown: &Shown) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::click_and_drag());
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 4.0, WELL);
    let inside = rect.shrink2(vec2(8.0, 4.0));
    painter.hline(inside.x_range(), inside.center().y, Stroke::new(1.0, LINE));
    ticks(&painter, inside, shown);
    draw(&painter, inside, &shown.kick, ACCENT);
    let is_alone = !shown.job.is_some_and(|job| job.round_robin);
    if let Some((_, sample)) = shared.playhead.get().filter(|_| is_alone && shown.length > 0) {
        let x = inside.left() + inside.width() * (sample as f32 / shown.length as f32).min(1.0);
        painter.vline(x, inside.y_range(), Stroke::new(1.5, TEXT));
    }
    let response = response.on_hover_cursor(CursorIcon::Grab);
    if CAN_DRAG {
        return response.on_hover_text("Drag the kick into the host, or into a folder");
    }
    response
}

/// Draws lines at round times.
fn ticks(painter: &Painter, rect: Rect, shown: &Shown) {
    let seconds = shown.length as f32 / shown.rate_hz.max(1) as f32;
    let step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0].into_iter().find(|step| seconds / step <= 10.0);
    let Some(step) = step.filter(|_| seconds > 0.0) else { return };
    for index in 1..=(seconds / step) as usize {
        let time = index as f32 * step;
        let x = rect.left() + rect.width() * time / seconds;
        painter.vline(x, rect.y_range(), Stroke::new(1.0, LINE.gamma_multiply(0.5)));
        let text = if step < 1.0 { format!("{:.0} ms", 1000.0 * time) } else { format!("{time:.0} s") };
        let font = FontId::proportional(9.5);
        painter.text(pos2(x - 3.0, rect.bottom()), Align2::RIGHT_BOTTOM, text, font, OFF);
    }
}

/// Draws a waveform of peaks over the width of `rect`.
pub(super) fn draw(painter: &Painter, rect: Rect, peaks: &Peaks, colour: egui::Color32) {
    let width = rect.width() / peaks.len().max(1) as f32;
    let height = rect.height() / 2.0;
    for (index, [low, high]) in peaks.iter().enumerate() {
        let x = rect.left() + (index as f32 + 0.5) * width;
        let (top, bottom) = (rect.center().y - high * height, rect.center().y - low * height);
        // A line even where there is next to nothing.
        let range = top.min(rect.center().y - 0.5)..=bottom.max(rect.center().y + 0.5);
        painter.vline(x, range, Stroke::new(width.max(1.0), colour));
    }
}
