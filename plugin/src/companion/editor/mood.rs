//! The meter of emotion: valence and arousal of the cue model in the sound that passes.

use egui::{Rect, RichText, Sense, Ui, pos2, vec2};
use neurdsp_models::music::MusicPart;
use std::sync::atomic::Ordering;

use crate::companion::networks;
use crate::companion::shared::Shared;
use crate::ui::theme::{ACCENT, DIM, LEVEL, LINE, WELL};

/// Seconds between two questions.
const EVERY_S: f64 = 0.5;

/// When the network was asked last.
#[derive(Debug, Default)]
pub(super) struct Mood {
    asked_s: f64,
}

impl Mood {
    /// Draws both bars, from right to left.
    pub(super) fn ui(&mut self, ui: &mut Ui, shared: &Shared) {
        if networks::network(MusicPart::Emotion).is_none() {
            return;
        }
        let now = ui.input(|input| input.time);
        if now - self.asked_s > EVERY_S {
            self.asked_s = now;
            shared.mood.ask(shared.sample_rate_hz.load(Ordering::Relaxed), &shared.repaint);
        }
        let [valence, arousal] = shared.mood.values().map_or([None; 2], |values| values.map(Some));
        let help = "How lively the last four seconds of the sound are, by the cues in them";
        bar(ui, "Arousal", help, arousal);
        ui.add_space(4.0);
        bar(
            ui,
            "Valence",
            "How bright or dark they are, by the cues in them; not what a listener feels",
            valence,
        );
    }
}

/// A value from -1 to 1, drawn from the middle.
fn bar(ui: &mut Ui, name: &str, help: &str, value: Option<f32>) {
    let (rect, response) = ui.allocate_exact_size(vec2(64.0, 8.0), Sense::hover());
    ui.painter().rect_filled(rect, 3.0, WELL);
    let middle = rect.center();
    if let Some(value) = value {
        let end = middle.x + 0.5 * rect.width() * value.clamp(-1.0, 1.0);
        let filled = Rect::from_two_pos(pos2(middle.x, rect.top() + 1.0), pos2(end, rect.bottom() - 1.0));
        ui.painter().rect_filled(filled, 2.0, if value < 0.0 { LEVEL } else { ACCENT });
    }
    ui.painter().vline(middle.x, rect.y_range(), (1.0, LINE));
    response.on_hover_text(help);
    ui.label(RichText::new(name).small().color(DIM)).on_hover_text(help);
}
