//! The network's card: what it is, how late it is, and buttons for another.

use std::sync::atomic::Ordering;

use egui::{Align, FontId, Layout, RichText, Ui};

use crate::drums::files::ModelCard;
use crate::drums::shared::Shared;
use crate::ui::text;
use crate::ui::theme::{self, DIM, TEXT};

/// Height of the card, in points, without its margins.
const HEIGHT: f32 = 40.0;

/// What the user asks for.
pub(super) enum Asked {
    Open,
    /// The network that comes with the plugin.
    Shipped,
}

/// Draws the card of the network that plays. While none does, `waiting` is the name of the one that will play once the host
/// starts the audio.
pub(super) fn ui(
    ui: &mut Ui,
    shared: &Shared,
    playing: Option<&ModelCard>,
    waiting: Option<String>,
    has_shipped: bool,
) -> Option<Asked> {
    let mut asked = None;
    theme::panel().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.set_height(HEIGHT);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if has_shipped {
                let button =
                    ui.button("Shipped").on_hover_text("Load the network that comes with the plugin");
                if button.clicked() {
                    asked = Some(Asked::Shipped);
                }
            }
            if ui.button("Open…").on_hover_text("Open a network").clicked() {
                asked = Some(Asked::Open);
            }
            ui.add_space(8.0);
            if let Some(card) = playing {
                figures(ui, shared, card);
            }
            ui.with_layout(Layout::top_down(Align::Min), |ui| words(ui, playing, waiting));
        });
    });
    asked
}

fn words(ui: &mut Ui, playing: Option<&ModelCard>, waiting: Option<String>) {
    ui.spacing_mut().item_spacing.y = 2.0;
    let (name, hint) = match (playing, waiting) {
        (Some(card), _) => {
            let about = || {
                let (parameters, rate) = (text::thousands(card.n_parameters), card.sample_rate / 1000.0);
                format!("{}  ·  {parameters} parameters  ·  {rate:.1} kHz", card.architecture)
            };
            (card.name.clone(), card.description.clone().unwrap_or_else(about))
        }
        (None, Some(name)) => (name, "Plays when the host starts its audio.".to_owned()),
        (None, None) => (
            "No network: all of the sound is in the residual".to_owned(),
            "Open a network at the right, or drop its file on this window.".to_owned(),
        ),
    };
    let font = FontId::proportional(18.0);
    let name = text::middle(ui, &name, &font, ui.available_width());
    ui.label(RichText::new(name).font(font).strong().color(TEXT));
    let hint_label = egui::Label::new(RichText::new(&hint).size(13.0).color(DIM)).truncate();
    ui.add(hint_label).on_hover_text(hint);
}

/// How late the outputs are, and the figures of the network when that is pointed at.
fn figures(ui: &mut Ui, shared: &Shared, card: &ModelCard) {
    let samples = shared.latency_samples.load(Ordering::Relaxed);
    let rate_hz = shared.sample_rate_hz.load(Ordering::Relaxed).max(1);
    let late_ms = 1000.0 * f64::from(samples) / f64::from(rate_hz);
    let latency = ui.label(RichText::new(format!("Latency {late_ms:.1} ms")).color(DIM));
    latency.on_hover_ui(|ui| {
        egui::Grid::new("figures").num_columns(2).spacing([16.0, 4.0]).show(ui, |ui| {
            let mut row = |name: &str, value: String| {
                ui.label(RichText::new(name).color(DIM));
                ui.label(value);
                ui.end_row();
            };
            row("Latency", format!("{samples} samples at {:.1} kHz", f64::from(rate_hz) / 1000.0));
            row("Kind", card.architecture.clone());
            row("Parameters", text::thousands(card.n_parameters));
            row("Rate", format!("{:.1} kHz", card.sample_rate / 1000.0));
        });
    });
}
