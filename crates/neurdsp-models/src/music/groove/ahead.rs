//! The feel of a beat before it is played, for live use.
//!
//! A hit that is to sound early cannot wait for an answer, so the network is asked ahead: half a beat before a beat begins, about
//! every voice at every step of it. What will be played there is not known. It is expected to be what was played a bar
//! before, and a voice that is not expected is asked about as if it came alone. [`BeatFeel::play`] then gives a hit
//! its place and its velocity at once, without the network.

use std::sync::Arc;

use super::bars::{Accent, Bars, Hit, N_STEPS};
use super::features::{N_INPUTS, N_OUTPUTS, inputs, predicted};
use super::humanise::{Feel, MOST_SIXTEENTHS};
use super::reference::{Described, Estimate, Places, describe, described, places, weigh};
use super::residuals::Residuals;
use super::voices::N_VOICES;
use crate::error::{Error, Result};
use crate::music::networks::{MusicNetwork, MusicPart, MusicRun};
use crate::music::timeline::{Signature, Tempo, Timeline, UNITS};

/// Ticks of a quarter note in a [`BeatQuestion`].
pub const TICKS_PER_QUARTER: u32 = 960;
/// Most hits that a question holds.
pub const MAX_PAST: usize = 96;
/// Most steps of a beat: four sixteenths, or three of a triplet.
pub const BEAT_STEPS: usize = 4;
/// Most hits of a reference that count live; of a longer one the last.
const MAX_REFERENCE: usize = 512;

const TICKS: f64 = TICKS_PER_QUARTER as f64;
/// Bars before the bar of the beat that a question sees.
const BARS_BEFORE: f64 = 2.0;
/// Velocity of a hit that nobody expected: what it will have is not known.
const UNEXPECTED: u8 = 90;
/// A stroke of a roll lies further than this from its step, in sixteenths.
const OFF_STEP: f64 = 0.25;

/// A hit that was played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PastHit {
    /// When, in ticks from the beat of the question.
    pub tick: i32,
    /// Its MIDI note.
    pub key: u8,
    /// 1 to 127.
    pub velocity: u8,
}

/// What is asked about a beat. It is copied between threads, so it has a fixed size.
#[derive(Clone, Copy, Debug)]
pub struct BeatQuestion {
    /// The beat, in quarter notes from the start of the song.
    pub beat: i64,
    /// Quarter notes from the start of its bar to it.
    pub in_bar: f64,
    /// Beats of a bar, and the note of a beat.
    pub meter: (u8, u8),
    /// How long a quarter note lasts.
    pub quarter_us: u32,
    /// What chance depends on.
    pub seed: u64,
    /// The tick at which it is asked, from the beat; what was played later is not known.
    pub now: i32,
    /// The number of `hits` that count.
    pub n_hits: usize,
    /// Hits of the last bars, in the order of time.
    pub hits: [PastHit; MAX_PAST],
}

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

/// Answers questions about beats: the groove network, a reference, or both.
pub struct GrooveAhead {
    run: Option<MusicRun>,
    residuals: Option<Residuals>,
    reference: Vec<Described>,
}

impl GrooveAhead {
    /// Something to ask; without a network the reference alone tells the feel.
    ///
    /// # Errors
    /// The network is another one.
    pub fn new(
        network: Option<Arc<MusicNetwork>>,
        residuals: Option<Residuals>,
        reference: Option<&Bars>,
    ) -> Result<GrooveAhead> {
        if let Some(network) = &network {
            let found = (network.part(), network.n_inputs(), network.n_outputs());
            if found != (MusicPart::Groove, N_INPUTS, N_OUTPUTS) {
                return Err(Error::OutOfRange {
                    name: "the network".into(),
                    got: format!("{} with {} inputs", found.0.name(), found.1),
                    expected: format!("groove with {N_INPUTS} inputs"),
                });
            }
        }
        let reference = reference.map(|bars| describe(bars, MAX_REFERENCE)).unwrap_or_default();
        Ok(GrooveAhead { run: network.map(MusicRun::new), residuals, reference })
    }

    /// Bytes of the reference.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        size_of::<Described>() * self.reference.len()
    }

    /// Answers a question. It allocates, so it is no work for an audio thread.
    ///
    /// # Errors
    /// A meter or a tempo that is out of range.
    pub fn ask(&mut self, question: &BeatQuestion) -> Result<BeatFeel> {
        let expected = Expected::new(question)?;
        let referred = !self.reference.is_empty();
        let mut feel = BeatFeel {
            beat: question.beat,
            triplet: expected.triplet,
            referred,
            steps: [[StepFeel::default(); BEAT_STEPS]; N_VOICES],
            meant: [0.0; N_VOICES],
            came: [0.0; N_VOICES],
        };
        let estimates: Vec<Estimate> =
            expected.window.iter().map(|query| self.estimate(query, &expected)).collect();
        for voice in 0..N_VOICES {
            let own = expected.own(voice);
            let outputs = self.run(&expected.inputs(&estimates, None, voice));
            if !own.is_empty() {
                let of = |&at: &usize| predicted(&expected.window[at].hit, &estimates[at], &outputs).1;
                feel.meant[voice] = own.iter().map(of).sum::<f32>() / own.len() as f32;
            }
            feel.came[voice] = mean_velocity(question, voice);
            for step in 0..if expected.triplet { 3 } else { BEAT_STEPS } {
                let Some(hit) = expected.hit(voice, step) else { continue };
                let there = own.iter().find(|&&at| expected.window[at].hit.step == hit.step);
                let (offset, velocity) = match there {
                    Some(&at) => predicted(&hit, &estimates[at], &outputs),
                    None => {
                        let estimate = self.estimate(&described(&hit, &expected.places), &expected);
                        let values = expected.inputs(&estimates, Some((hit, estimate)), voice);
                        predicted(&hit, &estimate, &self.run(&values))
                    }
                };
                let unit = question.beat * UNITS as i64 + expected.units(step);
                let (late_ms, louder) = self
                    .residuals
                    .as_ref()
                    .map_or((0.0, 0.0), |chance| chance.draw(question.seed, unit, voice, referred));
                feel.steps[voice][step] = StepFeel { offset, late_ms, velocity, louder };
            }
        }
        Ok(feel)
    }

    fn estimate(&self, query: &Described, expected: &Expected) -> Estimate {
        weigh(query, &self.reference, expected.bars.accents_known(query.hit.voice), false)
    }

    fn run(&mut self, values: &[f32; N_INPUTS]) -> [f32; N_OUTPUTS] {
        let mut outputs = [0.0; N_OUTPUTS];
        if let Some(run) = &mut self.run {
            run.step(values, &mut outputs);
        }
        outputs
    }
}

fn mean_velocity(question: &BeatQuestion, voice: usize) -> f32 {
    let own = past(question).iter().filter(|hit| super::voice_of(hit.key) == Some(voice));
    let (sum, count) =
        own.fold((0.0, 0.0_f32), |(sum, count), hit| (sum + f32::from(hit.velocity), count + 1.0));
    sum / count.max(1.0)
}

fn past(question: &BeatQuestion) -> &[PastHit] {
    &question.hits[..question.n_hits.min(MAX_PAST)]
}

/// The bar of a beat, with what was played of it and what is expected of the rest.
struct Expected {
    bars: Bars,
    places: Places,
    /// The hits of the window of the beat.
    window: Vec<Described>,
    triplet: bool,
    /// The tick of the beat, where it is in its window, and the length of that, in quarter notes.
    beat_tick: f64,
    in_window: f64,
    length: f64,
    number: u64,
    sixteenth_ms: f32,
}

impl Expected {
    fn new(question: &BeatQuestion) -> Result<Expected> {
        let (numerator, denominator) = (u32::from(question.meter.0), u32::from(question.meter.1));
        let signature = Signature { tick: 0, numerator, denominator };
        let tempo = Tempo { tick: 0, quarter_us: question.quarter_us };
        let timeline = Timeline::new(TICKS_PER_QUARTER, &[signature], &[tempo])?;
        let bar = 4.0 * f64::from(numerator) / f64::from(denominator);
        let in_bar = if question.in_bar.is_finite() { question.in_bar.clamp(0.0, bar) } else { 0.0 };
        let beat_tick = (BARS_BEFORE * bar + in_bar) * TICKS;
        let bar_ticks = (bar * TICKS).round();
        let end = beat_tick + (bar - in_bar) * TICKS;
        let (mut ticks, mut keys, mut velocities) = (Vec::new(), Vec::new(), Vec::new());
        let now = beat_tick + f64::from(question.now);
        for hit in past(question) {
            let at = beat_tick + f64::from(hit.tick);
            // As it was played, and once more a bar later, if that is still to come.
            let again = Some(at + bar_ticks).filter(|again| *again > now);
            for at in [Some(at), again].into_iter().flatten().filter(|at| (0.0..end).contains(at)) {
                ticks.push(at as u64);
                keys.push(hit.key);
                velocities.push(hit.velocity.clamp(1, 127));
            }
        }
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
    fn own(&self, voice: usize) -> Vec<usize> {
        (0..self.window.len()).filter(|&at| self.window[at].hit.voice == voice).collect()
    }

    /// Twelfths of a quarter note from the beat to a step.
    fn units(&self, step: usize) -> i64 {
        step as i64 * if self.triplet { 4 } else { 3 }
    }

    /// A hit of a voice on a step; none after the end of the bar.
    fn hit(&self, voice: usize, step: usize) -> Option<Hit> {
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
    fn inputs(&self, estimates: &[Estimate], more: Option<(Hit, Estimate)>, voice: usize) -> [f32; N_INPUTS] {
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

#[cfg(test)]
mod tests {
    use super::super::{Reference, calls, estimate, humanise};
    use super::*;

    /// Two bars of a beat at 120, asked about a beat of the bar after them.
    fn question(beat_of_bar: i32) -> BeatQuestion {
        let mut hits = [PastHit::default(); MAX_PAST];
        let mut n_hits = 0;
        let start = -(8 + beat_of_bar) * 960;
        for eighth in 0..(16 + 2 * beat_of_bar - 1) {
            let mut add = |key, velocity| {
                hits[n_hits] = PastHit { tick: start + 480 * eighth, key, velocity };
                n_hits += 1;
            };
            add(42, if eighth % 2 == 0 { 90 } else { 60 });
            match eighth % 8 {
                0 | 5 => add(36, 100),
                2 | 6 => add(38, 110),
                _ => {}
            }
        }
        BeatQuestion {
            beat: i64::from(8 + beat_of_bar),
            in_bar: f64::from(beat_of_bar),
            meter: (4, 4),
            quarter_us: 500_000,
            seed: 3,
            now: -480,
            n_hits,
            hits,
        }
    }

    fn hit(voice: usize, at: f64) -> LiveHit {
        LiveHit { voice, at, velocity: 100.0, quarter_ms: 500.0, rolled: false }
    }

    fn reference(late_ticks: u64) -> Bars {
        let ticks: Vec<u64> = (0..32).map(|step| 480 * step + late_ticks).collect();
        let keys: Vec<u8> = (0..32).map(|step| if step % 4 == 2 { 38 } else { 42 }).collect();
        let timeline = Timeline::new(960, &[], &[]).unwrap();
        Bars::new(timeline, &ticks, &keys, &[80; 32]).unwrap()
    }

    #[test]
    fn a_reference_that_drags_makes_each_voice_drag_by_as_much() {
        let mut ahead = GrooveAhead::new(None, None, Some(&reference(48))).unwrap();
        let tight = Feel { tightness: 1.0, ..Feel::default() };
        for beat in 0..4 {
            let feel = ahead.ask(&question(beat)).unwrap();
            for (voice, at) in [(2, 0.0), (2, 0.5), (1, 0.0)] {
                let change = feel.play(&hit(voice, at), &tight).unwrap();
                assert!((change.later_ms - 25.0).abs() < 3.0, "{beat} {voice} {at}: {}", change.later_ms);
                assert!((change.velocity - 80.0).abs() < 6.0, "{}", change.velocity);
            }
        }
    }

    #[test]
    fn what_is_known_of_a_whole_bar_is_told_ahead_as_for_a_file() {
        // The beat repeats, so what is expected is what comes: the same answers as for the notes of a file.
        let asked = question(1);
        let bars = {
            let later = |hit: &PastHit| (9 * 960 + i64::from(hit.tick)) as u64;
            let mut ticks: Vec<u64> = past(&asked).iter().map(later).collect();
            let mut keys: Vec<u8> = past(&asked).iter().map(|hit| hit.key).collect();
            let mut velocities: Vec<u8> = past(&asked).iter().map(|hit| hit.velocity).collect();
            for at in 0..ticks.len() {
                let again = ticks[at] + 4 * 960;
                if again > 8 * 960 + 480 && again < 12 * 960 {
                    ticks.push(again);
                    keys.push(keys[at]);
                    velocities.push(velocities[at]);
                }
            }
            Bars::new(Timeline::new(960, &[], &[]).unwrap(), &ticks, &keys, &velocities).unwrap()
        };
        let reference = reference(30);
        let estimates = estimate(&bars, Reference::Bars(&reference), true);
        let asked_of = calls(&bars, &estimates, true);
        let feel = Feel { tightness: 1.0, ..Feel::default() };
        let outputs = vec![[0.0; N_OUTPUTS]; asked_of.inputs.len()];
        let file = humanise(&bars, &estimates, &asked_of, &outputs, None, true, &feel).unwrap();
        let answer = GrooveAhead::new(None, None, Some(&reference)).unwrap().ask(&asked).unwrap();
        for (played, hit) in
            file.hits.iter().zip(bars.hits()).filter(|(_, hit)| (9 * 960..10 * 960).contains(&hit.tick))
        {
            let live = LiveHit {
                voice: hit.voice,
                at: hit.tick as f64 / 960.0 - 9.0,
                velocity: f32::from(hit.velocity),
                quarter_ms: 500.0,
                rolled: false,
            };
            let change = answer.play(&live, &feel).unwrap();
            let moved_ms = (played.tick as f64 - hit.tick as f64) * 500.0 / 960.0;
            assert!((change.later_ms - moved_ms).abs() < 1.0, "{} {moved_ms}", change.later_ms);
        }
    }

    #[test]
    fn amount_zero_and_a_lock_change_nothing_and_late_only_is_never_early() {
        let mut ahead = GrooveAhead::new(None, None, Some(&reference(0))).unwrap();
        let feel = ahead.ask(&question(0)).unwrap();
        let late = hit(2, 0.04);
        let same = Change { later_ms: 0.0, velocity: 100.0 };
        assert_eq!(feel.play(&late, &Feel { amount: 0.0, ..Feel::default() }), Some(same));
        let mut locked = [false; N_VOICES];
        locked[2] = true;
        assert_eq!(feel.play(&late, &Feel { locked, ..Feel::default() }), Some(same));
        assert!(feel.play(&late, &Feel { tightness: 1.0, ..Feel::default() }).unwrap().later_ms < -15.0);
        let pushed = Feel { lean_ms: -30.0, late_only: true, ..Feel::default() };
        assert!(feel.play(&hit(2, 0.0), &pushed).unwrap().later_ms.abs() < 1e-6);
        // A hit just before the next beat is for the answer to that.
        assert_eq!(feel.play(&hit(2, 0.95), &Feel::default()), None);
    }

    #[test]
    fn triplets_are_told_from_what_was_played_a_bar_before() {
        let mut asked = question(0);
        asked.n_hits = 24;
        for (at, hit) in asked.hits[..24].iter_mut().enumerate() {
            *hit = PastHit { tick: -8 * 960 + 320 * at as i32, key: 42, velocity: 80 };
        }
        let feel = GrooveAhead::new(None, None, None).unwrap().ask(&asked).unwrap();
        assert!(
            feel.triplet && !GrooveAhead::new(None, None, None).unwrap().ask(&question(0)).unwrap().triplet
        );
        let change = feel.play(&hit(2, 0.35), &Feel { tightness: 1.0, ..Feel::default() }).unwrap();
        assert!((change.later_ms + 500.0 * (0.35 - 1.0 / 3.0)).abs() < 1.0, "{}", change.later_ms);
    }

    #[test]
    fn odd_questions_have_an_answer_or_an_error() {
        let mut ahead = GrooveAhead::new(None, None, None).unwrap();
        let empty = BeatQuestion { n_hits: 0, ..question(0) };
        assert!(ahead.ask(&empty).is_ok());
        assert!(ahead.ask(&BeatQuestion { meter: (7, 8), in_bar: 3.0, ..empty }).is_ok());
        assert!(ahead.ask(&BeatQuestion { in_bar: f64::NAN, n_hits: 5_000, ..question(2) }).is_ok());
        assert!(ahead.ask(&BeatQuestion { meter: (4, 3), ..empty }).is_err());
        assert!(ahead.ask(&BeatQuestion { quarter_us: 0, ..empty }).is_err());
    }
}
