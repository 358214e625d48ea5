//! Hits of the kit: where in the song they come, what is asked about them ahead, and what becomes of them.

use neurdsp_models::music::groove::{Change, LiveHit, N_VOICES, voice_of};
use neurdsp_rt::NoteName;
use neurdsp_rt::inference::Inference;

use super::clock::{Part, Turn};
use super::groove::{Ask, Groove, GrooveJob};
use super::settings::Settings;
use super::trace::Trace;

/// After how long the answers count that are asked where the song starts.
const START_MS: f64 = 10.0;
/// Beats before a beat at which it is asked about, and after which the answer counts.
const ASK_BEATS: f64 = 0.5;
const DUE_BEATS: f64 = 0.25;
/// Strokes of a voice closer than this move together.
const FLAM_MS: f64 = 40.0;
/// Strokes of a voice closer than this, in quarter notes, are of a roll.
const ROLL_QUARTERS: f64 = 0.62 / 4.0;

/// Where in the song a hit came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The beat that it belongs to, and the next one, if its grid says so.
    beats: [i64; 2],
    /// Quarter notes from the first of them.
    at: f64,
    /// Its place in the bar, 0 to 1.
    in_bar: f64,
    voice: usize,
    quarter_ms: f64,
    rolled: bool,
    is_flam: bool,
}

/// The hits of one instance.
pub(super) struct Hits {
    groove: Groove,
    /// The last change of each voice.
    changes: [Change; N_VOICES],
    sample_rate: f64,
}

impl Hits {
    pub(super) fn new(inference: Inference<GrooveJob>, sample_rate: f64) -> Hits {
        let changes = [Change { later_ms: 0.0, velocity: 0.0 }; N_VOICES];
        Hits { groove: Groove::new(inference), changes, sample_rate }
    }

    /// In an offline render every answer is there in time.
    pub(super) fn set_offline(&mut self, is_offline: bool) {
        self.groove.set_offline(is_offline);
    }

    /// Forgets what was asked and played: the song jumps or stops.
    pub(super) fn restart(&mut self) {
        self.groove.restart();
    }

    /// Asks about the beats at the start of a part, if nobody could ask before. `begin` is the first sample of the block.
    pub(super) fn ask_first(&mut self, part: &Part, begin: u64, seed: u64) {
        let here = part.segment.beat;
        let is_whole = (here + 1e-6).fract() < 2e-6;
        if part.turn == Turn::On || part.turn == Turn::Loop && is_whole {
            return; // asked about before the seam
        }
        let first = (here + 0.125).floor() as i64;
        let is_late = here > first as f64 + 1.0 - ASK_BEATS;
        let due_in = (START_MS * 1e-3 * self.sample_rate).round() as u64;
        for beat in [Some(first), is_late.then_some(first + 1)].into_iter().flatten() {
            self.ask(part, beat, part.segment.offset, begin, due_in, seed);
        }
    }

    /// Asks about a beat, at a sample of the block.
    pub(super) fn ask_ahead(&mut self, part: &Part, beat: i64, sample: usize, begin: u64, seed: u64) {
        let due_in = (DUE_BEATS / part.segment.beats_per_sample).round() as u64;
        self.ask(part, beat, sample, begin, due_in, seed);
    }

    fn ask(&mut self, part: &Part, beat: i64, sample: usize, begin: u64, due_in: u64, seed: u64) {
        let quarter_us = part.quarter_us(self.sample_rate);
        let now = begin + sample as u64;
        self.groove.ask(part, &Ask { beat, sample, now, due_in, quarter_us, seed });
    }

    /// Takes a note that comes, if it is a hit of the kit, and says where; none for other notes.
    pub(super) fn take(
        &mut self,
        part: &Part,
        at: usize,
        name: NoteName,
        velocity: u8,
        channel: Option<u8>,
    ) -> Option<Place> {
        let voice = voice_of(name.pitch).filter(|_| channel.is_none_or(|channel| channel == name.channel))?;
        let (here, played) = (part.beat(at), part.played(at));
        let quarter_ms = 1e3 / (part.segment.beats_per_sample * self.sample_rate);
        let since = self.groove.hear(voice, name.pitch, velocity, played);
        let beat = (here + 0.125).floor() as i64;
        Some(Place {
            beats: [part.wrapped(beat), part.wrapped(beat + 1)],
            at: here - beat as f64,
            in_bar: part.meter.in_bar(here) / part.meter.bar(),
            voice,
            quarter_ms,
            rolled: since < ROLL_QUARTERS,
            is_flam: since * quarter_ms < FLAM_MS,
        })
    }

    /// By how many samples a hit is later, and its velocity.
    pub(super) fn decide(
        &mut self,
        place: &Place,
        velocity: f32,
        now: u64,
        settings: &Settings,
        trace: &Trace,
    ) -> (i64, f32) {
        if !settings.is_on {
            return (0, velocity);
        }
        let [first, second] = place.beats;
        let steps = 127.0 * velocity;
        let hit = LiveHit {
            voice: place.voice,
            at: place.at,
            velocity: steps,
            quarter_ms: place.quarter_ms,
            rolled: place.rolled,
        };
        let played = self.groove.table(first, now).map(|table| table.play(&hit, &settings.feel));
        let change = match played {
            Some(None) => {
                let hit = LiveHit { at: place.at - 1.0, ..hit };
                self.groove.table(second, now).and_then(|table| table.play(&hit, &settings.feel))
            }
            Some(change) => change,
            None => None,
        };
        let Some(mut change) = change else { return (0, velocity) };
        let last = &mut self.changes[place.voice];
        if place.is_flam {
            change.later_ms = last.later_ms;
        }
        *last = change;
        let (before, after) = (steps.round(), change.velocity.round());
        let velocities = [before as u8, after as u8];
        trace.push(place.voice, place.in_bar as f32, change.later_ms as f32, velocities);
        let later = (change.later_ms * 1e-3 * self.sample_rate).round() as i64;
        (later, if after == before { velocity } else { after / 127.0 })
    }
}

/// The first beat that is asked about in a part.
pub(super) fn first_ask(part: &Part) -> i64 {
    let mut beat = (part.segment.beat + ASK_BEATS).floor() as i64;
    while part.segment.first_sample(beat as f64 - ASK_BEATS) < 0.0 {
        beat += 1;
    }
    beat
}

/// The sample of the block at which a beat is asked about; it may lie after the part.
pub(super) fn ask_sample(part: &Part, beat: i64) -> usize {
    part.segment.offset + part.segment.first_sample(beat as f64 - ASK_BEATS).max(0.0) as usize
}
