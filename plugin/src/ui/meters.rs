//! Meters: levels, and the load of the audio thread.

use egui::{Align2, FontId, Rect, Sense, Stroke, Ui, Vec2, pos2, vec2};

use super::fader::VALUE_HEIGHT;
use super::theme::{ACCENT, ALERT, DIM, LEVEL, LINE, OFF, TEXT, WELL};
use crate::audio::{CpuMeter, Level};

/// Size of a meter with its text and numbers where there is room, in points.
pub(crate) const METER_SIZE: Vec2 = vec2(46.0, 136.0);
/// Width of the two bars of a stereo meter together, and of each, in points.
const PAIR_WIDTH: f32 = 20.0;
const BAR_WIDTH: f32 = 9.0;
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
    /// Takes the level since the last frame and draws the meter, `size` points large.
    pub(crate) fn ui(&mut self, ui: &mut Ui, label: &str, level: &Level, size: Vec2) {
        self.follow(level.take());
        // It falls on when the sound that had the window drawn is over.
        if self.peak > 1e-3 {
            ui.ctx().request_repaint();
        }
        if draw(ui, label, self, level.clipped(), size) {
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

/// The levels of left and right beside each other.
#[derive(Debug, Default)]
pub(crate) struct StereoMeter([LevelMeter; 2]);

impl StereoMeter {
    /// Takes the levels since the last frame and draws the meter, with the higher of the peaks as a number below. `size` is in
    /// points; a meter of what is not heard is `dim`.
    pub(crate) fn ui(&mut self, ui: &mut Ui, label: &str, levels: &[Level; 2], size: Vec2, dim: bool) {
        for (meter, level) in self.0.iter_mut().zip(levels) {
            meter.follow(level.take());
        }
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let clipped = levels.iter().any(Level::clipped);
        let painter = ui.painter();
        let light = Rect::from_min_size(rect.left_top(), vec2(PAIR_WIDTH, 5.0));
        painter.rect_filled(light, 2.0, if clipped { ALERT } else { WELL });
        let tracks = [0.0, PAIR_WIDTH - BAR_WIDTH].map(|x| {
            let left = rect.left() + x;
            Rect::from_min_max(
                pos2(left, light.bottom() + 4.0),
                pos2(left + BAR_WIDTH, rect.bottom() - VALUE_HEIGHT - 4.0),
            )
        });
        for (meter, track) in self.0.iter().zip(tracks) {
            bar(painter, track, meter, dim);
        }
        scale(painter, tracks[1], rect.right());
        let peak = self.0[0].peak.max(self.0[1].peak);
        let shown = decibels(peak);
        let colour = if clipped || peak >= 1.0 { ALERT } else { DIM };
        // At the height of the value of a fader beside it.
        let at = pos2(rect.left(), rect.bottom() - VALUE_HEIGHT / 2.0);
        painter.text(at, Align2::LEFT_CENTER, &shown, FontId::proportional(13.0), colour);
        let help = format!("{label}: highest peak {shown} dBFS. Click to clear it and the red light.");
        if response.on_hover_text(help).clicked() {
            levels.iter().for_each(Level::clear_clipped);
            for meter in &mut self.0 {
                (meter.peak, meter.held_frames) = (0.0, 0);
            }
        }
    }
}

/// The height of a level on a track.
fn height(track: Rect, level: f32) -> f32 {
    let db = 20.0 * level.max(1e-9).log10();
    track.bottom() - track.height() * ((db - FLOOR_DB) / -FLOOR_DB).clamp(0.0, 1.0)
}

/// Draws a level and its peak on a track.
fn bar(painter: &egui::Painter, track: Rect, meter: &LevelMeter, dim: bool) {
    painter.rect_filled(track, 2.0, WELL);
    let top = pos2(track.left(), height(track, meter.level));
    let colour = match (meter.level >= 1.0, dim) {
        (_, true) => OFF,
        (true, false) => ALERT,
        (false, false) => LEVEL,
    };
    painter.rect_filled(Rect::from_min_max(top, track.right_bottom()), 2.0, colour);
    if meter.peak > 1e-3 {
        let colour = if meter.peak >= 1.0 { ALERT } else { TEXT };
        painter.hline(track.x_range(), height(track, meter.peak), Stroke::new(1.5, colour));
    }
}

/// Draws the numbers beside a track, up to `right`.
fn scale(painter: &egui::Painter, track: Rect, right: f32) {
    for db in [-48.0f32, -36.0, -24.0, -12.0, 0.0] {
        let y = height(track, 10f32.powf(db / 20.0));
        painter.hline(track.right() + 3.0..=track.right() + 6.0, y, Stroke::new(1.0, OFF));
        let number = FontId::proportional(9.5);
        painter.text(pos2(right, y), Align2::RIGHT_CENTER, format!("{:.0}", db.abs()), number, DIM);
    }
}

/// A level in dB of full scale.
fn decibels(level: f32) -> String {
    let db = 20.0 * level.max(1e-9).log10();
    if db > FLOOR_DB { format!("{db:+.1}") } else { "–∞".to_owned() }
}

/// Draws a level, its peak, and a light; returns whether it was clicked. Levels are linear, and 1 is full scale.
fn draw(ui: &mut Ui, label: &str, meter: &LevelMeter, clipped: bool, size: Vec2) -> bool {
    let peak = meter.peak;
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let painter = ui.painter();
    let light = Rect::from_min_size(rect.left_top(), vec2(18.0, 7.0));
    painter.rect_filled(light, 2.0, if clipped { ALERT } else { WELL });
    let track = Rect::from_min_max(
        pos2(rect.left(), light.bottom() + 4.0),
        pos2(rect.left() + 18.0, rect.bottom() - 18.0),
    );
    bar(painter, track, meter, false);
    scale(painter, track, rect.right());
    let shown = decibels(peak);
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
