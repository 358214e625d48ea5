//! The groove of a bar: a lane for each voice, with the reference, and the hits as they were played and as they are passed on.

use std::collections::BTreeMap;

use egui::{Align2, FontId, Rect, Sense, Stroke, Ui, pos2, vec2};
use neurdsp_models::music::groove::N_VOICES;
use nice_plug::prelude::ParamSetter;

use crate::companion::live::Traced;
use crate::companion::params::{CompanionParams, TITLES};
use crate::companion::shared::Shared;
use crate::ui::controls::lamp;
use crate::ui::layout::heading;
use crate::ui::theme::{ACCENT, DIM, LEVEL, LINE, OFF, TEXT, WELL};

/// Widths of the name with its lock and of the mean, in points.
const NAME: f32 = 124.0;
const MEAN: f32 = 76.0;
/// Points of a millisecond. They are more than those of the bar, so that a shift is seen.
const PER_MS: f32 = 0.5;
/// How long a hit stays bright, in seconds.
const FADE_S: f64 = 2.5;

/// When each of the last hits was seen first, by its number.
#[derive(Debug, Default)]
pub(super) struct Grid(BTreeMap<u32, f64>);

impl Grid {
    /// Draws the lanes.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        params: &CompanionParams,
        shared: &Shared,
        setter: &ParamSetter,
    ) {
        heading(ui, "Groove of a bar: how late each hit is passed on");
        let now = ui.input(|input| input.time);
        let hits: Vec<Traced> = shared.line.trace.read().collect();
        self.0.retain(|number, _| hits.iter().any(|hit| hit.number == *number));
        for hit in &hits {
            self.0.entry(hit.number).or_insert(now);
        }
        let reference = shared.reference.lock().clone();
        let lane = (ui.available_height() / N_VOICES as f32).floor();
        ui.spacing_mut().item_spacing.y = 0.0;
        for (voice, title) in TITLES.iter().enumerate() {
            let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), lane), Sense::hover());
            let locked = params.locks()[voice].value();
            let name = Rect::from_min_size(rect.min, vec2(NAME, lane));
            let mut child = ui.new_child(egui::UiBuilder::new().max_rect(name.shrink2(vec2(0.0, 1.0))));
            child.push_id(voice, |ui| {
                ui.horizontal_centered(|ui| {
                    let help = "Lock: this voice stays as it is played";
                    lamp(ui, "L", help, ACCENT, &params.locks()[voice], setter);
                    let colour = if locked { OFF } else { TEXT };
                    ui.label(egui::RichText::new(*title).size(13.0).color(colour));
                });
            });
            let track = Rect::from_min_max(
                pos2(name.right(), rect.top() + 2.0),
                pos2(rect.right() - MEAN, rect.bottom() - 2.0),
            );
            steps(ui, track);
            let own = hits.iter().filter(|hit| hit.voice == voice);
            if let Some(card) = &reference {
                for (_, at, late_ms, velocity) in card.hits.iter().filter(|hit| hit.0 == voice) {
                    let x = place(track, *at, *late_ms);
                    let height = 0.45 * track.height() * f32::from(*velocity) / 127.0;
                    let line = track.center().y - height..=track.center().y + height;
                    ui.painter().vline(x, line, Stroke::new(1.0, LINE.gamma_multiply(1.6)));
                }
            }
            let (mut sum, mut count) = (0.0, 0);
            for hit in own {
                let age = now - self.0.get(&hit.number).copied().unwrap_or(now);
                self.hit(ui, track, hit, age, locked);
                (sum, count) = (sum + hit.later_ms, count + 1);
            }
            mean(ui, rect, locked, (count > 0).then(|| sum / count as f32));
        }
    }

    fn hit(&self, ui: &Ui, track: Rect, hit: &Traced, age: f64, locked: bool) {
        let fade = (1.0 - age / FADE_S).clamp(0.15, 1.0) as f32;
        let from = place(track, hit.at, 0.0);
        let to = place(track, hit.at, hit.later_ms);
        let y = track.center().y;
        // A locked voice changes nothing: its hits are no news.
        let colour = match (locked, hit.later_ms < 0.0) {
            (true, _) => OFF,
            (false, true) => LEVEL,
            (false, false) => ACCENT,
        };
        ui.painter()
            .line_segment([pos2(from, y), pos2(to, y)], Stroke::new(1.5, colour.gamma_multiply(fade)));
        let radius = 2.0 + 4.0 * f32::from(hit.velocity[1]) / 127.0;
        ui.painter().circle_filled(pos2(to, y), radius, colour.gamma_multiply(fade));
    }
}

/// Where a place of the bar is on a track, and how much later.
fn place(track: Rect, at: f32, late_ms: f32) -> f32 {
    let inside = track.shrink2(vec2(14.0, 0.0));
    (inside.left() + at * inside.width() + late_ms * PER_MS).clamp(track.left(), track.right())
}

fn steps(ui: &Ui, track: Rect) {
    ui.painter().rect_filled(track, 3.0, WELL);
    for step in 0..=16 {
        let colour = if step % 4 == 0 { LINE.gamma_multiply(1.3) } else { LINE.gamma_multiply(0.55) };
        ui.painter().vline(place(track, step as f32 / 16.0, 0.0), track.y_range(), Stroke::new(1.0, colour));
    }
}

/// Draws the mean shift of a voice.
fn mean(ui: &Ui, rect: Rect, locked: bool, mean_ms: Option<f32>) {
    let (shown, colour) = match (locked, mean_ms) {
        (true, _) => ("locked".to_owned(), OFF),
        (false, Some(ms)) => (format!("{:+.1} ms", ms + 0.0), TEXT),
        (false, None) => ("–".to_owned(), DIM),
    };
    let at = rect.right_center();
    ui.painter().text(at, Align2::RIGHT_CENTER, shown, FontId::proportional(13.0), colour);
}
