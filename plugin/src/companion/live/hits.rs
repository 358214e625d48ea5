//! Hits of the kit: which notes they are, what is asked about them ahead, and what becomes of them.

use neurdsp_models::music::groove::{Change, LiveHit, N_VOICES, voice_of};
use neurdsp_rt::NoteName;
use neurdsp_rt::inference::Inference;

use super::clock::{Part, Spot};
use super::groove::{Groove, GrooveJob};
use super::settings::Settings;
use super::tables::Ask;
use super::trace::Trace;

/// Strokes of a voice closer than this move together.
const FLAM_MS: f64 = 40.0;
/// Strokes of a voice closer than this, in quarter notes, are of a roll.
const ROLL_QUARTERS: f64 = 0.62 / 4.0;

/// What is known of a hit beside where it comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    /// Its place in the bar, 0 to 1.
    in_bar: f64,
    pub(super) voice: usize,
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

    /// Asks about a beat.
    pub(super) fn ask(&mut self, part: &Part, ask: &Ask, seed: u64) {
        self.groove.ask(part, ask, seed);
    }

    /// Takes a note that comes, if it is a hit of the kit; none for other notes.
    pub(super) fn take(
        &mut self,
        part: &Part,
        at: usize,
        name: NoteName,
        velocity: u8,
        channel: Option<u8>,
    ) -> Option<Hit> {
        let voice = voice_of(name.pitch).filter(|_| channel.is_none_or(|channel| channel == name.channel))?;
        let quarter_ms = 1e3 / (part.segment.beats_per_sample * self.sample_rate);
        let since = self.groove.hear(voice, name.pitch, velocity, part.played(at));
        Some(Hit {
            in_bar: part.meter.in_bar(part.beat(at)) / part.meter.bar(),
            voice,
            quarter_ms,
            rolled: since < ROLL_QUARTERS,
            is_flam: since * quarter_ms < FLAM_MS,
        })
    }

    /// By how many samples a hit is later, and its velocity.
    pub(super) fn decide(
        &mut self,
        hit: &Hit,
        spot: &Spot,
        velocity: f32,
        now: u64,
        settings: &Settings,
        trace: &Trace,
    ) -> (i64, f32) {
        if !settings.is_on {
            return (0, velocity);
        }
        let steps = 127.0 * velocity;
        let Hit { voice, quarter_ms, rolled, .. } = *hit;
        let live = LiveHit { voice, at: spot.at, velocity: steps, quarter_ms, rolled };
        let change = self.groove.play(spot, now, &live, &settings.feel);
        let Some(mut change) = change else { return (0, velocity) };
        let last = &mut self.changes[voice];
        if hit.is_flam {
            change.later_ms = last.later_ms;
        }
        *last = change;
        let (before, after) = (steps.round(), change.velocity.round());
        let velocities = [before as u8, after as u8];
        trace.push(voice, hit.in_bar as f32, change.later_ms as f32, velocities);
        let later = (change.later_ms * 1e-3 * self.sample_rate).round() as i64;
        (later, if after == before { velocity } else { after / 127.0 })
    }
}
