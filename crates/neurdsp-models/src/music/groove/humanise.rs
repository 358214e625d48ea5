//! Applying a feel: from hits, what the network says of them and four knobs to new ticks and velocities.

use super::bars::{Bars, Hit};
use super::features::{Calls, N_OUTPUTS, predicted};
use super::reference::Estimate;
use super::residuals::Residuals;
use super::voices::N_VOICES;
use crate::error::{Error, Result};

/// Strokes of a voice closer than this are one flam or drag, and move together.
const FLAM_MS: f32 = 40.0;
/// The longest flam.
const FLAM_SPAN_MS: f32 = 80.0;
/// Part of the distance to its neighbours of the same voice that a hit may move, so that none overtakes another.
const ROOM: f64 = 0.49;
/// Part of a drummer's chance that a hit keeps whose velocity the file already tells.
const LEAST_CHANCE: f32 = 0.15;
/// Part of the spread of chance that tells as much of a voice as all of it: chance makes up for all roles of even input.
const TOLD_SPREAD: f32 = 0.5;
/// Most sixteenths that a hit may be off its step.
pub(super) const MOST_SIXTEENTHS: f32 = 0.49;

/// How a groove is to feel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Feel {
    /// From 0, where each hit stays as it is, to 1, where it is played as the network says.
    pub amount: f32,
    /// From 0, with all of a drummer's chance, to 1, with none.
    pub tightness: f32,
    /// Milliseconds by which all is later, −50 to 50; below 0 it pushes.
    pub lean_ms: f32,
    /// Factor on the difference of each velocity from the mean of its voice, 0 to 2.
    pub accents: f32,
    /// What chance depends on.
    pub seed: u64,
    /// Voices that stay as they are.
    pub locked: [bool; N_VOICES],
    /// Whether no hit may be before its step, for live use without latency.
    pub late_only: bool,
}

impl Default for Feel {
    fn default() -> Feel {
        Feel {
            amount: 1.0,
            tightness: 0.0,
            lean_ms: 0.0,
            accents: 1.0,
            seed: 0,
            locked: [false; N_VOICES],
            late_only: false,
        }
    }
}

impl Feel {
    /// Checks all ranges.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] with the name of the value.
    pub fn validate(&self) -> Result<()> {
        let within = |name: &str, got: f32, least: f32, most: f32| {
            if (least..=most).contains(&got) {
                return Ok(());
            }
            let expected = format!("from {least} to {most}");
            Err(Error::OutOfRange { name: name.into(), got: got.to_string(), expected })
        };
        within("amount", self.amount, 0.0, 1.0)?;
        within("tightness", self.tightness, 0.0, 1.0)?;
        within("lean", self.lean_ms, -50.0, 50.0)?;
        within("accents", self.accents, 0.0, 2.0)
    }
}

/// A hit as it is to be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Played {
    /// Number of its note among those that were given.
    pub note: usize,
    /// When.
    pub tick: u64,
    /// 1 to 127.
    pub velocity: u8,
}

/// What [`humanise`] gives.
#[derive(Clone, Debug, Default)]
pub struct Performance {
    /// The hits, in the order of [`Bars::hits`].
    pub hits: Vec<Played>,
    /// The most that a hit is before its step: the latency of live use.
    pub latency_ms: f32,
}

/// Plays hits with a feel.
///
/// A locked voice, and each voice at amount 0, stays as it is. Without a reference each voice keeps its mean velocity and
/// what accents it has: the wider these are, the less is added to them. Hits keep their order within a voice, and none is
/// before tick 0.
///
/// # Arguments
/// * `estimates`, `calls`: of [`super::estimate`] and [`super::calls`].
/// * `outputs`: what the network says to each call.
/// * `residuals`: chance; without it the tightness makes no difference.
/// * `referred`: whether there is a reference.
///
/// # Errors
/// A feel that is out of range, or lists of the wrong lengths.
pub fn humanise(
    bars: &Bars,
    estimates: &[Estimate],
    calls: &Calls,
    outputs: &[[f32; N_OUTPUTS]],
    residuals: Option<&Residuals>,
    referred: bool,
    feel: &Feel,
) -> Result<Performance> {
    feel.validate()?;
    let hits = bars.hits();
    if estimates.len() != hits.len()
        || calls.of_hit.len() != hits.len()
        || outputs.len() != calls.inputs.len()
    {
        return Err(Error::OutOfRange {
            name: "the number of estimates and outputs".into(),
            got: format!("{} and {}", estimates.len(), outputs.len()),
            expected: format!("{} and {}", hits.len(), calls.inputs.len()),
        });
    }
    let aims: Vec<Aim> = (0..hits.len())
        .map(|at| {
            let hit = &hits[at];
            let (offset, velocity) = predicted(hit, &estimates[at], &outputs[calls.of_hit[at]]);
            let (late_ms, louder) =
                residuals.map_or((0.0, 0.0), |chance| chance.draw(feel.seed, hit.unit, hit.voice, referred));
            let loose = 1.0 - feel.tightness;
            Aim {
                offset_ms: offset * hit.sixteenth_ms + loose * late_ms + feel.lean_ms,
                mean: velocity,
                deviation: loose * louder,
                chance: louder,
            }
        })
        .collect();
    let levels = Levels::new(hits, &aims, referred);
    let mut played: Vec<Played> =
        hits.iter().map(|hit| Played { note: hit.note, tick: hit.tick, velocity: hit.velocity }).collect();
    let mut latency_ms = 0.0_f32;
    for voice in (0..N_VOICES).filter(|&voice| !feel.locked[voice] && feel.amount > 0.0) {
        let strokes = strokes(bars, voice);
        for (number, stroke) in strokes.iter().enumerate() {
            let before = number.checked_sub(1).map(|index| hits[strokes[index].main].tick);
            let after = strokes.get(number + 1).map(|next| hits[next.main].tick);
            let hit = &hits[stroke.main];
            let moved = shift(bars, hit, &aims[stroke.main], feel, (before, after));
            let velocity = levels.velocity(hit, &aims[stroke.main], feel);
            let louder = velocity / f32::from(hit.velocity);
            for &at in &stroke.members {
                let tick = hits[at].tick as f64 + moved;
                played[at].tick = tick.round().max(0.0) as u64;
                played[at].velocity = (f32::from(hits[at].velocity) * louder).round().clamp(1.0, 127.0) as u8;
            }
            let per_tick = f64::from(hit.sixteenth_ms) / (bars.timeline().ticks_per_quarter() / 4.0);
            let early = base_tick(bars, hit) - played[stroke.main].tick as f64;
            latency_ms = latency_ms.max((early * per_tick) as f32);
        }
    }
    Ok(Performance { hits: played, latency_ms })
}

/// What a hit is meant to be.
struct Aim {
    offset_ms: f32,
    mean: f32,
    deviation: f32,
    /// The deviation without any tightness.
    chance: f32,
}

/// Strokes that are played as one: a hit, or a flam.
struct Stroke {
    members: Vec<usize>,
    /// The loudest.
    main: usize,
}

/// The strokes of a voice in the order of time.
fn strokes(bars: &Bars, voice: usize) -> Vec<Stroke> {
    let hits = bars.hits();
    let mut own: Vec<usize> = (0..hits.len()).filter(|&at| hits[at].voice == voice).collect();
    own.sort_by_key(|&at| hits[at].tick);
    let mut found: Vec<Stroke> = Vec::new();
    for at in own {
        if let Some(stroke) = found.last_mut() {
            let (first, last) = (&hits[stroke.members[0]], &hits[stroke.members[stroke.members.len() - 1]]);
            let apart_ms = |one: &Hit| {
                let quarters = (hits[at].tick - one.tick) as f64 / bars.timeline().ticks_per_quarter();
                4.0 * quarters as f32 * one.sixteenth_ms
            };
            if apart_ms(last) < FLAM_MS && apart_ms(first) < FLAM_SPAN_MS {
                stroke.members.push(at);
                if hits[at].velocity >= hits[stroke.main].velocity {
                    stroke.main = at;
                }
                continue;
            }
        }
        found.push(Stroke { members: vec![at], main: at });
    }
    found
}

/// Where a hit belongs: its step, or halfway to the next, where rolls in thirty-seconds are.
fn base_tick(bars: &Bars, hit: &Hit) -> f64 {
    hit.grid_tick + f64::from(hit.base_offset()) * bars.timeline().ticks_per_quarter() / 4.0
}

/// How many ticks a stroke moves by.
fn shift(bars: &Bars, hit: &Hit, aim: &Aim, feel: &Feel, around: (Option<u64>, Option<u64>)) -> f64 {
    let sixteenth_ticks = bars.timeline().ticks_per_quarter() / 4.0;
    let offset = (aim.offset_ms / hit.sixteenth_ms).clamp(-MOST_SIXTEENTHS, MOST_SIXTEENTHS);
    let offset = if feel.late_only { offset.max(0.0) } else { offset };
    let base = base_tick(bars, hit);
    let mut target = base + f64::from(offset) * sixteenth_ticks;
    let tick = hit.tick as f64;
    if let Some(before) = around.0 {
        target = target.max(tick - ROOM * (tick - before as f64));
    }
    if let Some(after) = around.1 {
        target = target.min(tick + ROOM * (after as f64 - tick));
    }
    f64::from(feel.amount) * (target - tick)
}

/// Velocities of each voice: as they came, and as they are meant.
struct Levels {
    meant: [f32; N_VOICES],
    came: [f32; N_VOICES],
    /// How much of the spread of chance the file already has, from 0 to 1; 0 where a reference tells the velocities.
    told: [f32; N_VOICES],
    referred: bool,
}

impl Levels {
    fn new(hits: &[Hit], aims: &[Aim], referred: bool) -> Levels {
        let mean_and_spread = |voice, value: &dyn Fn(usize) -> f32| {
            let own = || (0..hits.len()).filter(|&at| hits[at].voice == voice).map(value);
            let count = f32::max(own().count() as f32, 1.0);
            let mean = own().sum::<f32>() / count;
            (mean, (own().map(|value| (value - mean).powi(2)).sum::<f32>() / count).sqrt())
        };
        let (mut meant, mut came, mut told) = ([0.0; N_VOICES], [0.0; N_VOICES], [0.0; N_VOICES]);
        for voice in 0..N_VOICES {
            let spread;
            (came[voice], spread) = mean_and_spread(voice, &|at| f32::from(hits[at].velocity));
            let (_, whole) = mean_and_spread(voice, &|at| aims[at].chance);
            meant[voice] = mean_and_spread(voice, &|at| aims[at].mean).0;
            told[voice] = if referred { 0.0 } else { (spread / (TOLD_SPREAD * whole).max(1.0)).min(1.0) };
        }
        Levels { meant, came, told, referred }
    }

    fn velocity(&self, hit: &Hit, aim: &Aim, feel: &Feel) -> f32 {
        let (meant, came, told) = (self.meant[hit.voice], self.came[hit.voice], self.told[hit.voice]);
        let velocity = f32::from(hit.velocity);
        let own = if self.referred { 0.0 } else { velocity - came };
        let mean = if self.referred { meant } else { came };
        let shape = own + (1.0 - told) * (aim.mean - meant);
        let target = mean + feel.accents * shape + f32::max(1.0 - told, LEAST_CHANCE) * aim.deviation;
        (velocity + feel.amount * (target.clamp(1.0, 127.0) - velocity)).clamp(1.0, 127.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Reference, calls, estimate};
    use super::*;
    use crate::music::Timeline;

    const STILL: [f32; N_OUTPUTS] = [0.0; N_OUTPUTS];

    fn chance() -> Residuals {
        let wide = std::array::from_fn(|index| 8.0 * (index as f32 / 2.0 - 3.0));
        Residuals {
            offset_ms: [[wide; N_VOICES]; 2],
            velocity: [[wide; N_VOICES]; 2],
            shared: 0.4,
            persistence: 0.6,
        }
    }

    fn play(bars: &Bars, reference: Reference<'_>, outputs: [f32; N_OUTPUTS], feel: &Feel) -> Performance {
        let estimates = estimate(bars, reference, true);
        let asked = calls(bars, &estimates, true);
        let outputs = vec![outputs; asked.inputs.len()];
        let referred = !matches!(reference, Reference::None);
        humanise(bars, &estimates, &asked, &outputs, Some(&chance()), referred, feel).unwrap()
    }

    fn bars(notes: &[(u64, u8, u8)]) -> Bars {
        let ticks: Vec<u64> = notes.iter().map(|note| note.0).collect();
        let keys: Vec<u8> = notes.iter().map(|note| note.1).collect();
        let velocities: Vec<u8> = notes.iter().map(|note| note.2).collect();
        Bars::new(Timeline::new(480, &[], &[]).unwrap(), &ticks, &keys, &velocities).unwrap()
    }

    fn groove() -> Bars {
        let notes: Vec<_> = (0..64_u64)
            .flat_map(|step| {
                let backbeat = step % 8 == 4;
                [(step * 120, 42, 80), (step * 120, if backbeat { 38 } else { 36 }, 100)]
            })
            .collect();
        bars(&notes)
    }

    #[test]
    fn amount_zero_and_a_lock_leave_hits_as_they_are() {
        let bars = groove();
        let same = |played: &Played| {
            bars.hits().iter().any(|hit| {
                hit.note == played.note && hit.tick == played.tick && hit.velocity == played.velocity
            })
        };
        let none = play(&bars, Reference::None, STILL, &Feel { amount: 0.0, ..Feel::default() });
        assert!(none.hits.iter().all(same));
        let mut locked = [false; N_VOICES];
        locked[2] = true;
        let some = play(&bars, Reference::None, STILL, &Feel { locked, ..Feel::default() });
        let moved = |voice| {
            some.hits
                .iter()
                .zip(bars.hits())
                .filter(|(played, hit)| hit.voice == voice && !same(played))
                .count()
        };
        assert_eq!(moved(2), 0);
        assert!(moved(0) > 20);
    }

    #[test]
    fn an_early_hit_at_tick_zero_stays_there_and_hits_of_a_voice_keep_their_order() {
        let bars = groove();
        let found =
            play(&bars, Reference::None, [-1.0; N_OUTPUTS], &Feel { lean_ms: -50.0, ..Feel::default() });
        assert_eq!(found.hits.iter().map(|played| played.tick).min(), Some(0));
        for voice in 0..N_VOICES {
            let own: Vec<u64> = found
                .hits
                .iter()
                .zip(bars.hits())
                .filter(|(_, hit)| hit.voice == voice)
                .map(|(played, _)| played.tick)
                .collect();
            assert!(own.is_sorted());
        }
    }

    #[test]
    fn strokes_of_a_flam_move_together() {
        let bars = bars(&[(0, 36, 100), (455, 38, 40), (480, 38, 110), (960, 36, 100)]);
        let found =
            play(&bars, Reference::None, STILL, &Feel { lean_ms: 20.0, tightness: 1.0, ..Feel::default() });
        let tick = |note| found.hits.iter().find(|played| played.note == note).unwrap().tick;
        assert_eq!(tick(2) - tick(1), 25);
        assert_eq!(tick(2), 480 + 19);
    }

    #[test]
    fn a_roll_of_thirty_seconds_stays_one() {
        let notes: Vec<_> = (0..16_u64).map(|stroke| (stroke * 60, 38, 90)).collect();
        let found = play(&bars(&notes), Reference::None, STILL, &Feel { tightness: 1.0, ..Feel::default() });
        let ticks: Vec<u64> = found.hits.iter().map(|played| played.tick).collect();
        assert_eq!(ticks, notes.iter().map(|note| note.0).collect::<Vec<_>>());
    }

    #[test]
    fn late_only_has_no_latency_and_lean_moves_all() {
        let bars = groove();
        let early = play(&bars, Reference::None, [-0.5; N_OUTPUTS], &Feel::default());
        assert!(early.latency_ms > 10.0);
        let late =
            play(&bars, Reference::None, [-0.5; N_OUTPUTS], &Feel { late_only: true, ..Feel::default() });
        assert_eq!(late.latency_ms, 0.0);
        assert!(late.hits.iter().zip(bars.hits()).all(|(played, hit)| played.tick >= hit.tick));
    }

    #[test]
    fn accents_of_a_file_stay_and_an_even_voice_gets_a_drummers() {
        let accented: Vec<_> =
            (0..64_u64).map(|step| (step * 120, 38, if step % 4 == 0 { 110 } else { 40 })).collect();
        let even: Vec<_> = (0..64_u64).map(|step| (step * 120, 38, 80)).collect();
        let off = |notes: &[(u64, u8, u8)]| {
            let found = play(&bars(notes), Reference::None, STILL, &Feel::default());
            let far = |played: &Played| f32::from(played.velocity.abs_diff(notes[played.note].2));
            found.hits.iter().map(far).sum::<f32>() / 64.0
        };
        assert!(off(&accented) < 4.0, "{}", off(&accented));
        assert!(off(&even) > 4.0, "{}", off(&even));
    }

    #[test]
    fn a_reference_that_drags_makes_the_groove_drag() {
        let dragged: Vec<_> =
            (0..32_u64).map(|step| (step * 120 + 24, 42, 50 + 40 * (step % 2) as u8)).collect();
        let found = play(
            &groove(),
            Reference::Bars(&bars(&dragged)),
            STILL,
            &Feel { tightness: 1.0, ..Feel::default() },
        );
        let hats: Vec<f64> = found
            .hits
            .iter()
            .zip(groove().hits())
            .filter(|(_, hit)| hit.voice == 2)
            .map(|(played, hit)| played.tick as f64 - hit.grid_tick)
            .collect();
        let mean = hats.iter().sum::<f64>() / hats.len() as f64;
        assert!((mean - 24.0).abs() < 3.0, "{mean}");
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let feel = Feel { amount: f32::NAN, ..Feel::default() };
        assert!(feel.validate().unwrap_err().to_string().starts_with("amount is NaN"));
        assert!(Feel { lean_ms: 51.0, ..Feel::default() }.validate().is_err());
    }
}
