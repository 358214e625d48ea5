//! Meters: levels, and the load of the audio thread.

use egui::{Align2, FontId, Rect, Sense, Stroke, Ui, pos2, vec2};

use super::theme::{ACCENT, ALERT, DIM, LEVEL, LINE, OFF, TEXT, WELL};
use crate::audio::{CpuMeter, Level};

/// Height of a meter with its text, in points.
const METER_HEIGHT: f32 = 136.0;
/// Width of a meter with its numbers, in points.
const METER_WIDTH: f32 = 46.0;
/// The lowest level that a meter shows, in dB relative to full scale.
const FLOOR_DB: f32 = -60.0;
/// Factor by which a meter falls in each frame.
const FALL: f32 = 0.85;
/// Frames for which a peak is held.
const HOLD_FRAMES: u32 = 45;

/// A level as it is shown: it falls slower than the sound, its peak is held for a while, and a light stays on after clipping
/// until it is clicked.
#[derive(Debug, Default)]
pub(crate) struct LevelMeter {
    level: f32,
    peak: f32,
    held_frames: u32,
}

impl LevelMeter {
    /// Takes the level since the last frame and draws the meter.
    pub(crate) fn ui(&mut self, ui: &mut Ui, label: &str, level: &Level) {
        self.follow(level.take());
        if draw(ui, label, self.level, self.peak, level.clipped()) {
            level.clear_clipped();
            (self.peak, self.held_frames) = (0.0, 0);
        }
    }

    fn follow(&mut self, now: f32) {
        self.level = now.max(self.level * FALL);
        if now >= self.peak || self.held_frames == 0 {
            (self.peak, self.held_frames) = (now.max(self.level), HOLD_FRAMES);
        } else {
            self.held_frames -= 1;
        }
    }
}

/// Draws a level, its peak, and a light; returns whether it was clicked. Levels are linear, and 1 is full scale.
fn draw(ui: &mut Ui, label: &str, level: f32, peak: f32, clipped: bool) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(METER_WIDTH, METER_HEIGHT), Sense::click());
    let painter = ui.painter();
    let light = Rect::from_min_size(rect.left_top(), vec2(18.0, 7.0));
    painter.rect_filled(light, 2.0, if clipped { ALERT } else { WELL });
    let track = Rect::from_min_max(
        pos2(rect.left(), light.bottom() + 4.0),
        pos2(rect.left() + 18.0, rect.bottom() - 18.0),
    );
    painter.rect_filled(track, 2.0, WELL);
    let height = |level: f32| {
        let db = 20.0 * level.max(1e-9).log10();
        track.bottom() - track.height() * ((db - FLOOR_DB) / -FLOOR_DB).clamp(0.0, 1.0)
    };
    let bar = Rect::from_min_max(pos2(track.left(), height(level)), track.right_bottom());
    painter.rect_filled(bar, 2.0, if level >= 1.0 { ALERT } else { LEVEL });
    if peak > 1e-3 {
        let y = height(peak);
        painter.hline(track.x_range(), y, Stroke::new(1.5, if peak >= 1.0 { ALERT } else { TEXT }));
    }
    for db in [-48.0f32, -36.0, -24.0, -12.0, 0.0] {
        let y = height(10f32.powf(db / 20.0));
        painter.hline(track.right() + 3.0..=track.right() + 6.0, y, Stroke::new(1.0, OFF));
        let number = FontId::proportional(9.5);
        painter.text(pos2(rect.right(), y), Align2::RIGHT_CENTER, format!("{:.0}", db.abs()), number, DIM);
    }
    let db = 20.0 * peak.max(1e-9).log10();
    let shown = if db > FLOOR_DB { format!("{db:+.1}") } else { "–∞".to_owned() };
    let colour = if clipped || peak >= 1.0 { ALERT } else { TEXT };
    painter.text(rect.left_bottom(), Align2::LEFT_BOTTOM, &shown, FontId::proportional(11.5), colour);
    let help = format!("{label}: highest peak {shown} dBFS. Click to clear it and the red light.");
    response.on_hover_text(help).clicked()
}

/// Draws the share of its time that the audio thread needs; a click forgets it.
pub(crate) fn cpu(ui: &mut Ui, meter: &CpuMeter) {
    let load = meter.load();
    let share = load.median;
    let (rect, response) = ui.allocate_exact_size(vec2(72.0, 8.0), Sense::click());
    ui.painter().rect_filled(rect, 4.0, WELL);
    let filled = Rect::from_min_size(rect.min, vec2(72.0 * share.min(1.0), 8.0));
    ui.painter().rect_filled(filled, 4.0, if load.worst > 1.0 { ALERT } else { ACCENT });
    let p99 = rect.left() + 72.0 * load.p99.min(1.0);
    ui.painter().vline(p99, rect.y_range(), Stroke::new(1.5, LINE.gamma_multiply(2.0)));
    let response = response.on_hover_text(format!(
        "Share of the time of a block: median {:.1} %, 99 of 100 below {:.1} %, worst {:.1} %; {} missed. Click to start \
         anew.",
        100.0 * load.median,
        100.0 * load.p99,
        100.0 * load.worst,
        load.missed
    ));
    if response.clicked() {
        meter.reset();
    }
    ui.label(egui::RichText::new(format!("CPU {:.1} %", 100.0 * share)).small().color(DIM));
}

#[cfg(test)]
mod tests {
    use super::{HOLD_FRAMES, LevelMeter};

    #[test]
    fn the_level_falls_at_once_and_the_peak_after_a_while() {
        let mut meter = LevelMeter::default();
        meter.follow(1.0);
        for _ in 0..HOLD_FRAMES {
            meter.follow(0.0);
        }
        assert!(meter.level < 1e-3 && meter.peak == 1.0);
        meter.follow(0.0);
        assert!(meter.peak < 1e-3);
    }
}
