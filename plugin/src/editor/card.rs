//! What the editor says of the model, and of the time that it takes.

use egui::{RichText, Ui};

use super::theme::{self, ACCENT, ALERT, DIM, LEVEL, LINE, TEXT};
use crate::shared::{ModelCard, Shared, Status};

/// The model's card.
///
/// `waiting` is the model of a project that the host has not started yet.
pub(super) fn model(ui: &mut Ui, status: &Status, waiting: Option<String>) {
    theme::panel().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.set_height(56.0);
        ui.spacing_mut().item_spacing.y = 4.0;
        let Some(card) = &status.model else {
            let (name, hint) = match waiting {
                Some(name) if status.error.is_none() => (name, "Plays when the host starts its audio."),
                _ => ("No model".to_owned(), "Pick one on the left, or drop a file on this window."),
            };
            ui.label(RichText::new(name).heading().color(DIM));
            ui.label(RichText::new(hint).color(DIM));
            return;
        };
        ui.horizontal(|ui| {
            ui.add(egui::Label::new(RichText::new(&card.name).heading().strong()).truncate());
            let by = card.author.as_ref().map(|author| format!("by {author}"));
            let about = [card.gear.clone(), by].into_iter().flatten().collect::<Vec<_>>().join("  ");
            ui.add(egui::Label::new(RichText::new(about).color(DIM)).truncate());
        });
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 16.0;
            fact(ui, "kind", &card.architecture);
            fact(ui, "parameters", &thousands(card.n_parameters));
            fact(ui, "rate", &format!("{:.1} kHz", card.sample_rate / 1000.0));
            if let Some(esr) = card.esr {
                fact(ui, "ESR", &format!("{esr:.4}"));
            }
            self_test(ui, card);
        });
    });
}

fn fact(ui: &mut Ui, name: &str, value: &str) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.label(RichText::new(name).small().color(DIM));
        ui.label(RichText::new(value).small().color(TEXT));
    });
}

fn self_test(ui: &mut Ui, card: &ModelCard) {
    let (text, colour, why) = match card.self_test_db {
        None => return,
        Some(db) if card.self_test_passed => (
            "self-test passed",
            LEVEL,
            format!("Plays as it was trained to: {db:.0} dB from the proof in its file"),
        ),
        Some(db) => (
            "self-test failed",
            ALERT,
            format!("Plays {db:.0} dB from the proof in its file: export it again"),
        ),
    };
    ui.label(RichText::new(text).small().color(colour)).on_hover_text(why);
}

/// The time that the audio thread needs, of what it has.
pub(super) fn load(ui: &mut Ui, shared: &Shared) {
    let timing = shared.timing();
    let share = timing.median;
    let (rect, response) = ui.allocate_exact_size(egui::vec2(72.0, 8.0), egui::Sense::hover());
    ui.painter().rect_filled(rect, 4.0, theme::WELL);
    let filled = egui::Rect::from_min_size(rect.min, egui::vec2(72.0 * share.min(1.0), 8.0));
    ui.painter().rect_filled(filled, 4.0, if timing.worst > 1.0 { ALERT } else { ACCENT });
    let worst = rect.left() + 72.0 * timing.p99.min(1.0);
    ui.painter().vline(worst, rect.y_range(), egui::Stroke::new(1.5, LINE.gamma_multiply(2.0)));
    response.on_hover_text(format!(
        "Share of the time of a block: median {:.1} %, 99 of 100 below {:.1} %, worst {:.1} %; {} missed",
        100.0 * timing.median,
        100.0 * timing.p99,
        100.0 * timing.worst,
        timing.missed
    ));
    ui.label(RichText::new(format!("CPU {:.1} %", 100.0 * share)).small().color(DIM));
}

/// 12146 as `12,146`.
fn thousands(value: usize) -> String {
    let digits = value.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(super::thousands(999), "999");
        assert_eq!(super::thousands(12_146), "12,146");
        assert_eq!(super::thousands(1_000_000), "1,000,000");
    }
}
