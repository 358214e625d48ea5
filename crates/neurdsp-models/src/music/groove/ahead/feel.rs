//! The feel of a beat, and what it makes of a hit.

use super::super::humanise::{Feel, MOST_SIXTEENTHS};
use super::super::voices::N_VOICES;

/// Most steps of a beat: four sixteenths, or three of a triplet.
pub const BEAT_STEPS: usize = 4;
/// A stroke of a roll lies further than this from its step, in sixteenths.
const OFF_STEP: f64 = 0.25;

/// What a hit of one voice on one step is meant to be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepFeel {
    /// How much later than its step, in sixteenths.
    pub offset: f32,
    /// What chance adds to that, in milliseconds.
    pub late_ms: f32,
    /// 1 to 127.
    pub velocity: f32,
    /// What chance adds to that.
    pub louder: f32,
}

/// The feel of a beat.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BeatFeel {
    /// The beat, as it was asked.
    pub beat: i64,
    /// Whether its steps are those of a triplet.
    pub triplet: bool,
    /// Whether a reference told it.
    pub referred: bool,
    /// By voice and step.
    pub steps: [[StepFeel; BEAT_STEPS]; N_VOICES],
    /// Mean velocity of each voice in its bar, as it is meant; 0 if it was not expected.
    pub meant: [f32; N_VOICES],
    /// Mean velocity of each voice as it was played; 0 if it was not.
    pub came: [f32; N_VOICES],
}

/// A hit as it is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LiveHit {
    /// Number of its voice.
    pub voice: usize,
    /// Quarter notes from the beat to it; it may be a little before.
    pub at: f64,
    /// 1 to 127, maybe with a fraction.
    pub velocity: f32,
    /// How long a quarter note lasts.
    pub quarter_ms: f64,
    /// Whether the stroke before of its voice is so near that both are of a roll.
    pub rolled: bool,
}

/// How a hit changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// By how much it is to be later.
    pub later_ms: f64,
    /// 1 to 127.
    pub velocity: f32,
}

impl BeatFeel {
    /// Which step of the beat is the nearest to a place in it, in quarter notes; none if that is of the next beat.
    #[must_use]
    pub fn step(&self, at: f64) -> Option<usize> {
        let steps = if self.triplet { 3.0 } else { 4.0 };
        let step = (at * steps).round().max(0.0);
        (step < steps).then_some(step as usize)
    }

    /// What becomes of a hit; none if it belongs to the next beat. Neither allocates nor fails.
    ///
    /// With an amount of 0, and for a locked voice, nothing changes.
    #[must_use]
    pub fn play(&self, hit: &LiveHit, feel: &Feel) -> Option<Change> {
        let step = self.step(hit.at)?;
        let (Some(steps), Some(locked)) = (self.steps.get(hit.voice), feel.locked.get(hit.voice)) else {
            return None;
        };
        if *locked || feel.amount <= 0.0 {
            return Some(Change { later_ms: 0.0, velocity: hit.velocity });
        }
        let aim = steps[step];
        let sixteenth_ms = hit.quarter_ms / 4.0;
        let grid = step as f64 * if self.triplet { 4.0 / 3.0 } else { 1.0 };
        let away = 4.0 * hit.at - grid;
        let halfway: f64 = if self.triplet { 2.0 / 3.0 } else { 0.5 };
        let base = if hit.rolled && away.abs() > OFF_STEP { halfway.copysign(away) } else { 0.0 };
        let loose = 1.0 - feel.tightness;
        let offset_ms = f64::from(aim.offset) * sixteenth_ms + f64::from(loose * aim.late_ms + feel.lean_ms);
        let most = f64::from(MOST_SIXTEENTHS);
        let offset = (offset_ms / sixteenth_ms).clamp(-most, most);
        let offset = if feel.late_only { offset.max(0.0) } else { offset };
        let later_ms = f64::from(feel.amount) * (base + offset - away) * sixteenth_ms;
        Some(Change { later_ms, velocity: self.velocity(hit, &aim, feel) })
    }

    fn velocity(&self, hit: &LiveHit, aim: &StepFeel, feel: &Feel) -> f32 {
        let (meant, came) = (self.meant[hit.voice], self.came[hit.voice]);
        let meant = if meant > 0.0 { meant } else { aim.velocity };
        let came = if came > 0.0 { came } else { hit.velocity };
        let level = if self.referred { meant } else { came };
        let target = level + feel.accents * (aim.velocity - meant) + (1.0 - feel.tightness) * aim.louder;
        (hit.velocity + feel.amount * (target.clamp(1.0, 127.0) - hit.velocity)).clamp(1.0, 127.0)
    }
}
