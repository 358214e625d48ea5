//! The model's card: what it is and of what, in the words of its file; its figures in a tooltip.

use egui::{Align, FontId, Layout, RichText, Ui};

use crate::amp::files::ModelCard;
use crate::ui::text;
use crate::ui::theme::{self, ALERT, DIM, LEVEL, TEXT};

/// Height of the card, in points, without its margins.
const HEIGHT: f32 = 62.0;

/// Draws the card of the model that plays. While none does, `waiting` is the name of the model that will play once the host
/// starts the audio.
pub(super) fn model(ui: &mut Ui, model: Option<&ModelCard>, waiting: Option<String>) {
    theme::panel().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.set_height(HEIGHT);
        ui.spacing_mut().item_spacing.y = 3.0;
        let Some(card) = model else {
            let (name, hint) = match waiting {
                Some(name) => (name, "Plays when the host starts its audio."),
                None => (
                    "No model: the sound passes unchanged".to_owned(),
                    "Recall a factory preset above, pick a model at the left, or drop a file on this window.",
                ),
            };
            ui.add_space(6.0);
            ui.label(RichText::new(name).heading().color(TEXT));
            ui.label(RichText::new(hint).color(DIM));
            return;
        };
        ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
            figures(ui, card);
            ui.add_space(8.0);
            ui.with_layout(Layout::top_down(Align::Min), |ui| words(ui, card));
        });
    });
}

/// What the file says: name, description, gear, maker and date.
fn words(ui: &mut Ui, card: &ModelCard) {
    let font = FontId::proportional(20.0);
    let name = text::middle(ui, &card.name, &font, ui.available_width());
    ui.label(RichText::new(name).font(font).strong().color(TEXT));
    let by = card.author.as_ref().map(|author| format!("by {author}"));
    let about = [card.gear.clone(), by, card.date.clone()].into_iter().flatten().collect::<Vec<_>>();
    let about = about.join("  ·  ");
    let line = |ui: &mut Ui, text: &str, colour| {
        let label = egui::Label::new(RichText::new(text).size(13.0).color(colour)).truncate();
        ui.add(label).on_hover_text(text);
    };
    match &card.description {
        Some(description) => {
            line(ui, description, TEXT.gamma_multiply(0.85));
            line(ui, &about, DIM);
        }
        None if about.is_empty() => line(ui, "Its file says nothing about the device.", DIM),
        None => line(ui, &about, TEXT.gamma_multiply(0.85)),
    }
}

/// The self-test, if the file has one, and the figures when it is pointed at.
fn figures(ui: &mut Ui, card: &ModelCard) {
    let (text, colour) = match card.self_test_db {
        None => ("Details", DIM),
        Some(_) if card.self_test_passed => ("Self-test passed", LEVEL),
        Some(_) => ("Self-test failed", ALERT),
    };
    let badge = ui.label(RichText::new(text).small().color(colour));
    badge.on_hover_ui(|ui| {
        egui::Grid::new("figures").num_columns(2).spacing([16.0, 4.0]).show(ui, |ui| {
            let mut row = |name: &str, value: String| {
                ui.label(RichText::new(name).color(DIM));
                ui.label(value);
                ui.end_row();
            };
            row("Kind", card.architecture.clone());
            row("Parameters", text::thousands(card.n_parameters));
            row("Rate", format!("{:.1} kHz", card.sample_rate / 1000.0));
            if let Some(esr) = card.esr {
                row("Error (ESR)", format!("{esr:.4}"));
            }
            let levels = &card.levels;
            let mut level = |name: &str, level: Option<f64>, unit: &str| {
                row(
                    name,
                    level.map_or_else(|| "not in the file".to_owned(), |level| format!("{level:.1} {unit}")),
                );
            };
            level("Loudness", levels.loudness_db, "dB");
            level("Input level", levels.input_level_dbu, "dBu");
            level("Output level", levels.output_level_dbu, "dBu");
            if let Some(db) = card.self_test_db {
                let what = if card.self_test_passed {
                    format!("plays as it was trained to: {db:.0} dB from the proof in its file")
                } else {
                    format!("plays {db:.0} dB from the proof in its file: export it again")
                };
                row("Self-test", what);
            }
        });
    });
}
