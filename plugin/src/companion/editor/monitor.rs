//! What the worker does beside the audio thread, how late the notes are, and the button that ends them all.

use std::sync::atomic::Ordering;

use egui::{RichText, Ui};
use neurdsp_models::music::MusicPart;
use nice_plug::prelude::ParamSetter;

use crate::companion::networks;
use crate::companion::params::CompanionParams;
use crate::companion::shared::Shared;
use crate::ui::controls::set_plain;
use crate::ui::theme::{ALERT, DIM, TEXT};

/// Draws the line.
pub(super) fn ui(ui: &mut Ui, params: &CompanionParams, shared: &Shared, setter: &ParamSetter) {
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 14.0;
        let samples = shared.latency_samples.load(Ordering::Relaxed);
        let rate_hz = shared.sample_rate_hz.load(Ordering::Relaxed).max(1);
        figure(
            ui,
            "Latency",
            format!("{:.1} ms", 1e3 * f64::from(samples) / f64::from(rate_hz)),
            "What the plugin reports to the host",
        );
        let monitor = shared.monitor.lock().clone();
        match monitor.map(|monitor| monitor.report()) {
            _ if networks::network(MusicPart::Groove).is_none() => {
                figure(
                    ui,
                    "Network",
                    "none".to_owned(),
                    "No groove network comes with this build; a reference alone tells the feel",
                );
            }
            None => figure(ui, "Network", "waits".to_owned(), "It answers when the host starts its audio"),
            Some(report) => {
                let time =
                    |us: f64| if us < 1e3 { format!("{us:.0} µs") } else { format!("{:.1} ms", us / 1e3) };
                figure(
                    ui,
                    "Answers",
                    report.answers.to_string(),
                    "Beats that the network was asked about, ahead of time",
                );
                figure(ui, "Median", time(report.median_us), "Half of the answers took at most this long");
                figure(ui, "p99", time(report.p99_us), "99 of 100 answers took at most this long");
                figure(
                    ui,
                    "Queue",
                    format!("{}", report.max_queue_depth),
                    "The most questions that waited at once",
                );
                figure(ui, "Drops", format!("{}", report.dropped()), "Questions without an answer");
                figure(
                    ui,
                    "Late",
                    format!("{}", report.late + report.missed_deadlines),
                    "Answers that came too late: those hits are passed on as played",
                );
            }
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let button = egui::Button::new(RichText::new("Panic").color(ALERT));
            let response = ui.add(button).on_hover_text("End every note that sounds, each on its own");
            if response.is_pointer_button_down_on() != params.panic.value() {
                set_plain(ui, &params.panic, setter, response.is_pointer_button_down_on());
            }
        });
    });
}

fn figure(ui: &mut Ui, name: &str, value: String, help: &str) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 5.0;
        ui.label(RichText::new(name).small().color(DIM)).on_hover_text(help);
        ui.label(RichText::new(value).size(13.0).color(TEXT)).on_hover_text(help);
    });
}
