//! The feel of a beat before it is played, for live use.
//!
//! A hit that is to sound early cannot wait for an answer, so the network is asked ahead: half a beat before a beat begins, about
//! every voice at every step of it. What will be played there is not known. It is expected to be what was played a bar
//! before, and a voice that is not expected is asked about as if it came alone. [`BeatFeel::play`] then gives a hit
//! its place and its velocity at once, without the network.

mod expected;
mod feel;
mod question;

use std::sync::Arc;

use self::expected::Expected;
pub use self::feel::{BEAT_STEPS, BeatFeel, Change, LiveHit, StepFeel};
pub use self::question::{BeatQuestion, MAX_PAST, PastHit};
use super::bars::Bars;
use super::features::{N_INPUTS, N_OUTPUTS, predicted};
use super::reference::{Described, Estimate, describe, described, weigh};
use super::residuals::Residuals;
use super::voices::N_VOICES;
use crate::error::{Error, Result};
use crate::music::networks::{MusicNetwork, MusicPart, MusicRun};
use crate::music::timeline::UNITS;

/// Most hits of a reference that count live; of a longer one the last.
const MAX_REFERENCE: usize = 512;

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
    let own = question.past().iter().filter(|hit| super::voice_of(hit.key) == Some(voice));
    let (sum, count) =
        own.fold((0.0, 0.0_f32), |(sum, count), hit| (sum + f32::from(hit.velocity), count + 1.0));
    sum / count.max(1.0)
}

#[cfg(test)]
mod tests {
    use super::super::{Feel, Reference, calls, estimate, humanise};
    use super::*;
    use crate::music::timeline::Timeline;

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
            let mut ticks: Vec<u64> = asked.past().iter().map(later).collect();
            let mut keys: Vec<u8> = asked.past().iter().map(|hit| hit.key).collect();
            let mut velocities: Vec<u8> = asked.past().iter().map(|hit| hit.velocity).collect();
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
