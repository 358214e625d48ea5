//! The model's card.

use egui::{RichText, Ui};

use crate::amp::files::ModelCard;
use crate::ui::theme::{self, ALERT, DIM, LEVEL, TEXT};

/// Draws the card of the model that plays. While none does, `waiting` is the name of the model that will play once the host
/// starts the audio.
pub(super) fn model(ui: &mut Ui, model: Option<&ModelCard>, waiting: Option<String>) {
    theme::panel().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.set_height(56.0);
        ui.spacing_mut().item_spacing.y = 4.0;
        let Some(card) = model else {
            let (name, hint) = match waiting {
                Some(name) => (name, "Plays when the host starts its audio."),
                None => ("No model".to_owned(), "Pick one on the left, or drop a file on this window."),
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
    fn thousands_are_separated() {
        assert_eq!(super::thousands(999), "999");
        assert_eq!(super::thousands(12_146), "12,146");
        assert_eq!(super::thousands(1_000_000), "1,000,000");
    }
}
