//! The view of a tuner: a note, a needle for the cents, the reference pitch, and a switch that silences the output.

use egui::{Align2, Color32, FontId, Layout, RichText, Sense, Stroke, Ui, pos2, vec2};

use super::icons::{Icon, icon_button};
use super::memory::Memory;
use super::theme::{ACCENT, DIM, LEVEL, LINE, PANEL, TEXT, WELL};
use crate::audio::pitch::Note;

/// Cents within which a string is in tune.
const IN_TUNE: f32 = 3.0;
/// The usual pitch of A4, in Hz.
const USUAL_HZ: f32 = 440.0;
/// Pitches of A4 that ensembles tune to.
const LOWEST_HZ: f32 = 415.0;
const HIGHEST_HZ: f32 = 466.0;

/// What the user has set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tuning {
    /// The pitch of A4.
    pub(crate) reference_hz: f32,
    /// Whether the output is silent.
    pub(crate) mutes: bool,
}

impl Default for Tuning {
    fn default() -> Tuning {
        Tuning { reference_hz: USUAL_HZ, mutes: true }
    }
}

impl Tuning {
    /// Takes the reference pitch that any instance has remembered last in the file called `memory`.
    pub(crate) fn recall(&mut self, memory: &str) {
        self.refer_to(Memory::load(memory).reference_hz.unwrap_or(USUAL_HZ));
    }

    /// Remembers the reference pitch in the file called `memory`, for the next project too.
    pub(crate) fn remember(&self, memory: &str) {
        Memory::default().change(memory, |memory| memory.reference_hz = Some(self.reference_hz));
    }

    /// Sets the reference pitch, or the nearest one that can be chosen; a file may hold anything.
    fn refer_to(&mut self, reference_hz: f32) {
        self.reference_hz =
            if reference_hz.is_nan() { USUAL_HZ } else { reference_hz.clamp(LOWEST_HZ, HIGHEST_HZ) };
    }
}

/// Draws the note of a frequency in Hz, or a dash.
pub(crate) fn tuner(ui: &mut Ui, frequency_hz: Option<f32>, tuning: &mut Tuning) {
    let note = frequency_hz.map(|frequency_hz| Note::nearest(frequency_hz, tuning.reference_hz));
    let size = vec2(ui.available_width(), (ui.available_height() - 56.0).max(120.0));
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let painter = ui.painter();
    painter.rect_filled(rect, 6.0, PANEL);
    let is_tuned = note.is_some_and(|note| note.cents.abs() < IN_TUNE);
    let lit = if is_tuned { LEVEL } else { ACCENT };
    let (name, colour) = match note {
        Some(note) => (note.name(), if is_tuned { LEVEL } else { TEXT }),
        None => ("–".to_owned(), DIM),
    };
    let centre = rect.center();
    let big = FontId::proportional((rect.height() * 0.34).min(120.0));
    painter.text(pos2(centre.x, rect.top() + rect.height() * 0.30), Align2::CENTER_CENTER, name, big, colour);

    let (left, right) = (rect.left() + 48.0, rect.right() - 48.0);
    let y = rect.top() + rect.height() * 0.64;
    let x = |cents: f32| left + (right - left) * (cents.clamp(-50.0, 50.0) + 50.0) / 100.0;
    let track = egui::Rect::from_min_max(pos2(left, y - 5.0), pos2(right, y + 5.0));
    painter.rect_filled(track, 5.0, WELL);
    let zone = egui::Rect::from_x_y_ranges(x(-IN_TUNE)..=x(IN_TUNE), track.y_range());
    painter.rect_filled(zone, 2.0, LEVEL.gamma_multiply(if is_tuned { 0.9 } else { 0.35 }));
    for tick in (-50..=50).step_by(10) {
        let at = x(tick as f32);
        let length = if tick == 0 { 16.0 } else { 8.0 };
        painter.vline(at, y + 12.0..=y + 12.0 + length, Stroke::new(1.0, if tick == 0 { DIM } else { LINE }));
        if tick % 50 == 0 {
            let text = if tick == 0 { "0".to_owned() } else { format!("{tick:+}") };
            painter.text(pos2(at, y + 32.0), Align2::CENTER_TOP, text, FontId::proportional(12.0), DIM);
        }
    }
    if let Some(note) = note {
        painter.circle_filled(pos2(x(note.cents), y), 11.0, lit);
        painter.circle_stroke(pos2(x(note.cents), y), 11.0, Stroke::new(2.0, Color32::from_black_alpha(90)));
        let text = format!("{:+.0} cents     {:.1} Hz", note.cents, note.frequency_hz);
        let at = pos2(centre.x, rect.bottom() - 24.0);
        painter.text(at, Align2::CENTER_CENTER, text, FontId::proportional(16.0), DIM);
    } else {
        let at = pos2(centre.x, rect.bottom() - 24.0);
        painter.text(at, Align2::CENTER_CENTER, "Play one string", FontId::proportional(16.0), DIM);
    }
    controls(ui, tuning);
}

fn controls(ui: &mut Ui, tuning: &mut Tuning) {
    super::theme::panel().inner_margin(egui::Margin::symmetric(14, 8)).show(ui, |ui| {
        ui.with_layout(Layout::left_to_right(egui::Align::Center), |ui| {
            ui.set_min_height(24.0);
            ui.label(RichText::new("Reference").color(DIM));
            if icon_button(ui, Icon::Previous, "1 Hz lower", TEXT).clicked() {
                tuning.reference_hz -= 1.0;
            }
            let text = format!("A4 = {:.0} Hz", tuning.reference_hz);
            let label = ui.add(egui::Label::new(text).sense(Sense::click()));
            if label.on_hover_text("Double click for 440 Hz").double_clicked() {
                tuning.reference_hz = USUAL_HZ;
            }
            if icon_button(ui, Icon::Next, "1 Hz higher", TEXT).clicked() {
                tuning.reference_hz += 1.0;
            }
            tuning.refer_to(tuning.reference_hz);
            ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
                let (text, fill) = if tuning.mutes { ("Output muted", ACCENT) } else { ("Output on", WELL) };
                let text = RichText::new(text).color(if tuning.mutes { WELL } else { TEXT });
                let button = egui::Button::new(text).fill(fill).min_size(vec2(120.0, 26.0));
                if ui.add(button).on_hover_text("Silence the output while you tune").clicked() {
                    tuning.mutes = !tuning.mutes;
                }
            });
        });
    });
}

#[cfg(test)]
mod tests {
    use super::Tuning;

    #[test]
    fn a_remembered_pitch_is_one_that_can_be_chosen() {
        let mut tuning = Tuning::default();
        for (remembered, expected) in
            [(442.0, 442.0), (0.0, 415.0), (1e30, 466.0), (f32::NEG_INFINITY, 415.0), (f32::NAN, 440.0)]
        {
            tuning.refer_to(remembered);
            assert_eq!(tuning.reference_hz, expected, "{remembered}");
        }
    }
}
