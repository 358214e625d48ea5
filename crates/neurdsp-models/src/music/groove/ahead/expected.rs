//! What is expected of the bar of a beat: what was played of it, and of the rest what was played a bar before.

use super::super::bars::{Accent, Bars, Hit, N_STEPS};
use super::super::features::{N_INPUTS, inputs};
use super::super::reference::{Described, Estimate, Places, describe, places};
use super::question::BeatQuestion;
use crate::error::Result;
use crate::music::bar_ahead::{BarAhead, TICKS};
use crate::music::timeline::UNITS;

/// Velocity of a hit that nobody expected: what it will have is not known.
const UNEXPECTED: u8 = 90;

/// The bar of a beat, with what was played of it and what is expected of the rest.
pub(super) struct Expected {
    pub(super) bars: Bars,
    pub(super) places: Places,
    /// The hits of the window of the beat.
    pub(super) window: Vec<Described>,
    pub(super) triplet: bool,
    /// The tick of the beat, where it is in its window, and the length of that, in quarter notes.
    beat_tick: f64,
    in_window: f64,
    length: f64,
    number: u64,
    sixteenth_ms: f32,
}

impl Expected {
    pub(super) fn new(question: &BeatQuestion) -> Result<Expected> {
        let bar = BarAhead::new(question.meter, question.quarter_us, question.in_bar, question.now)?;
        let (mut ticks, mut keys, mut velocities) = (Vec::new(), Vec::new(), Vec::new());
        for hit in question.past() {
            for tick in bar.places(hit.tick) {
                ticks.push(tick);
                keys.push(hit.key);
                velocities.push(hit.velocity.clamp(1, 127));
            }
        }
        let BarAhead { timeline, beat_tick, .. } = bar;
        let place = timeline.place(beat_tick);
        let bars = Bars::new(timeline, &ticks, &keys, &velocities)?;
        let all = describe(&bars, usize::MAX);
        let (from, to) = (beat_tick - TICKS / 8.0, beat_tick + 0.875 * TICKS);
        let in_beat: Vec<&Hit> =
            bars.hits().iter().filter(|hit| (from..to).contains(&hit.grid_tick)).collect();
        let off_beat = in_beat.iter().any(|hit| hit.grid_tick > beat_tick + 1.0);
        let triplets = bars.hits().iter().filter(|hit| hit.triplet).count();
        let triplet = if off_beat {
            in_beat.iter().any(|hit| hit.triplet)
        } else {
            // Nothing tells the grid of this beat: it is that of most others.
            2 * triplets > bars.hits().len()
        };
        let window = all.into_iter().filter(|query| query.hit.window == place.window).collect();
        Ok(Expected {
            places: places(&bars),
            window,
            triplet: triplet && place.length - place.quarters > 1.0 - 1e-6,
            beat_tick,
            in_window: place.quarters,
            length: place.length,
            number: place.window,
            sixteenth_ms: (question.quarter_us as f32 / 4_000.0).max(1e-3),
            bars,
        })
    }

    /// Numbers of the hits of a voice in the window.
    pub(super) fn own(&self, voice: usize) -> Vec<usize> {
        (0..self.window.len()).filter(|&at| self.window[at].hit.voice == voice).collect()
    }

    /// Twelfths of a quarter note from the beat to a step.
    pub(super) fn units(&self, step: usize) -> i64 {
        step as i64 * if self.triplet { 4 } else { 3 }
    }

    /// A hit of a voice on a step; none after the end of the bar.
    pub(super) fn hit(&self, voice: usize, step: usize) -> Option<Hit> {
        let units = self.units(step);
        let quarters = self.in_window + units as f64 / UNITS;
        if quarters > self.length - 1e-6 {
            return None;
        }
        let grid_tick = self.beat_tick + units as f64 / UNITS * TICKS;
        Some(Hit {
            note: 0,
            tick: grid_tick as u64,
            voice,
            velocity: UNEXPECTED,
            window: self.number,
            step: (4 * (self.in_window + 1e-6) as usize + step).min(N_STEPS - 1),
            grid_tick,
            offset: 0.0,
            sixteenth_ms: self.sixteenth_ms,
            rolled: false,
            triplet: self.triplet,
            accent: Accent::Normal,
            unit: (grid_tick / TICKS * UNITS).round() as i64,
            phase: (quarters * UNITS).round() as i64,
            ordinal: 0,
        })
    }

    /// What the network sees of the window, maybe with one hit more.
    pub(super) fn inputs(
        &self,
        estimates: &[Estimate],
        more: Option<(Hit, Estimate)>,
        voice: usize,
    ) -> [f32; N_INPUTS] {
        let mut hits: Vec<Hit> = self.window.iter().map(|query| query.hit).collect();
        let mut told = estimates.to_vec();
        if let Some((hit, estimate)) = more {
            hits.push(hit);
            told.push(estimate);
        }
        if hits.is_empty() {
            return [0.0; N_INPUTS];
        }
        inputs(&hits, &told, voice, self.bars.accents_known(voice))
    }
}
