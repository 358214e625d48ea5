//! Drum hits on a grid: each in a window of up to sixteen steps, straight or triplet by the beat.

use super::voices::{N_VOICES, voice_of};
use crate::error::{Error, Result};
use crate::music::timeline::{Timeline, UNITS};

/// Steps of a window: four for each quarter note.
pub const N_STEPS: usize = 16;

/// Most hits of a piece.
const MAX_HITS: usize = 1 << 18;
/// Quarter notes of a step of the straight grid, and of the triplet grid.
const STRAIGHT: f64 = 0.25;
const TRIPLET: f64 = 1.0 / 3.0;
/// By how much the triplet grid must be nearer, in squared quarter notes of a beat.
const TRIPLET_MARGIN: f64 = 0.02 / 16.0;
/// Hits further than this from a beat, in quarter notes, tell the grids apart.
const OFF_BEAT: f64 = 0.125;
/// Below and above these parts of its voice's mean velocity a hit is a ghost note or an accent.
const GHOST: f32 = 0.7;
const ACCENT: f32 = 1.25;
/// Strokes of one voice nearer than this, in sixteenths, are of a roll: swung sixteenths are further apart.
const ROLL: f64 = 0.62;
/// Part of half a step by which a hit halfway may be off in a quantised file.
const EXACT: f32 = 0.04;
/// Velocities that differ by less than this part of their mean tell nothing of accents.
const FLAT: f32 = 0.05;

/// How loud a hit is meant to be among those of its voice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accent {
    /// A ghost note.
    Ghost,
    /// As most.
    #[default]
    Normal,
    /// An accent.
    Accent,
}

/// A hit and its place on the grid.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    /// Number of its note among those that were given.
    pub note: usize,
    /// When it is played.
    pub tick: u64,
    /// Number of its voice, see [`super::VOICES`].
    pub voice: usize,
    /// 1 to 127.
    pub velocity: u8,
    /// Number of its window; windows without a hit are counted, too.
    pub window: u64,
    /// Its step in the window, below 16.
    pub step: usize,
    /// The tick of its step, maybe with a fraction.
    pub grid_tick: f64,
    /// How much later than its step it is, in sixteenths; early hits are negative.
    pub offset: f32,
    /// How long a sixteenth lasts there.
    pub sixteenth_ms: f32,
    /// Whether another hit of its voice is so near that both are of a roll.
    pub(super) rolled: bool,
    /// Whether its beat has the triplet grid.
    pub triplet: bool,
    /// How loud it is meant to be, as far as its file tells.
    pub accent: Accent,
    pub(super) unit: i64,
    /// Twelfths of a quarter note from the start of the window.
    pub(super) phase: i64,
    /// How many of its voice come before it in the step.
    pub(super) ordinal: u8,
}

impl Hit {
    /// Twelfths of a quarter note from the start of the piece to its step.
    #[must_use]
    pub fn unit(&self) -> i64 {
        self.unit
    }

    /// How much later than its step a quantised file has it, in sixteenths: 0, or half a step for strokes of a roll.
    #[must_use]
    pub fn base_offset(&self) -> f32 {
        let half: f32 = if self.triplet { 2.0 / 3.0 } else { 0.5 };
        let (away, halfway) = (self.offset.abs(), half.copysign(self.offset));
        // A swung hit may be as far from its step: it is one of a roll, or exactly halfway.
        let belongs = (self.rolled && away > half / 2.0) || (away - half).abs() < EXACT * half;
        if belongs { halfway } else { 0.0 }
    }
}

/// The drum hits of a piece, in the order of their windows, steps and ticks.
#[derive(Clone, Debug)]
pub struct Bars {
    hits: Vec<Hit>,
    timeline: Timeline,
    accents_known: [bool; N_VOICES],
    end: u64,
}

impl Bars {
    /// Places notes on the grid; those that no voice of the kit plays are left out.
    ///
    /// # Arguments
    /// * `ticks`, `keys`, `velocities`: of each note, in any order.
    ///
    /// # Errors
    /// Lists of different lengths, more than 262,144 notes, or a velocity of 0 or above 127.
    ///
    /// # Example
    /// ```
    /// use neurdsp_models::music::{Timeline, groove::Bars};
    /// let timeline = Timeline::new(480, &[], &[])?;
    /// let bars = Bars::new(timeline, &[0, 115, 470], &[36, 42, 38], &[100, 60, 110])?;
    /// let steps: Vec<_> = bars.hits().iter().map(|hit| hit.step).collect();
    /// assert_eq!(steps, [0, 1, 4]);
    /// # Ok::<(), neurdsp_models::Error>(())
    /// ```
    pub fn new(timeline: Timeline, ticks: &[u64], keys: &[u8], velocities: &[u8]) -> Result<Bars> {
        let wrong = |name: &str, got: String, expected: String| {
            Err(Error::OutOfRange { name: name.into(), got, expected })
        };
        if keys.len() != ticks.len() || velocities.len() != ticks.len() {
            let got = format!("{}, {} and {}", ticks.len(), keys.len(), velocities.len());
            return wrong("the number of ticks, keys and velocities", got, "the same".into());
        }
        if ticks.len() > MAX_HITS {
            return wrong("the number of notes", ticks.len().to_string(), format!("at most {MAX_HITS}"));
        }
        let mut hits = Vec::new();
        for (note, ((&tick, &key), &velocity)) in ticks.iter().zip(keys).zip(velocities).enumerate() {
            if !(1..=127).contains(&velocity) {
                return wrong("the velocity", velocity.to_string(), "1 to 127".into());
            }
            if tick >= 1 << 48 {
                return wrong("the tick", tick.to_string(), "below 2^48".into());
            }
            if let Some(voice) = voice_of(key) {
                hits.push(unplaced(note, tick, voice, velocity));
            }
        }
        hits.sort_by_key(|hit| (hit.tick, hit.note));
        let accents_known = mark_accents(&mut hits);
        place(&mut hits, &timeline);
        mark_rolls(&mut hits, timeline.ticks_per_quarter() / 4.0);
        hits.sort_by_key(|hit| (hit.window, hit.unit, hit.tick, hit.note));
        count_ordinals(&mut hits);
        let end = hits.iter().map(|hit| hit.tick).max().unwrap_or(0);
        Ok(Bars { hits, timeline, accents_known, end })
    }

    /// The hits, by window, step and tick.
    #[must_use]
    pub fn hits(&self) -> &[Hit] {
        &self.hits
    }

    /// The bars and tempi.
    #[must_use]
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// Whether the velocities of a voice differ, so that they tell which of its hits are accents.
    #[must_use]
    pub fn accents_known(&self, voice: usize) -> bool {
        self.accents_known[voice]
    }

    /// The tick of the last hit.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The hits of each window that has some, in order.
    pub(super) fn windows(&self) -> impl Iterator<Item = &[Hit]> {
        self.hits.chunk_by(|one, other| one.window == other.window)
    }
}

fn unplaced(note: usize, tick: u64, voice: usize, velocity: u8) -> Hit {
    Hit {
        note,
        tick,
        voice,
        velocity,
        window: 0,
        step: 0,
        grid_tick: 0.0,
        offset: 0.0,
        sixteenth_ms: 0.0,
        rolled: false,
        triplet: false,
        accent: Accent::Normal,
        unit: 0,
        phase: 0,
        ordinal: 0,
    }
}

/// Tells ghost notes and accents by the mean of each voice; true for voices whose velocities differ.
fn mark_accents(hits: &mut [Hit]) -> [bool; N_VOICES] {
    std::array::from_fn(|voice| {
        let own = || hits.iter().filter(|hit| hit.voice == voice).map(|hit| f32::from(hit.velocity));
        let count = own().count();
        if count == 0 {
            return false;
        }
        let mean = own().sum::<f32>() / count as f32;
        let spread = own().map(|velocity| (velocity - mean).abs()).fold(0.0, f32::max);
        if spread < FLAT * mean {
            return false;
        }
        for hit in hits.iter_mut().filter(|hit| hit.voice == voice) {
            let part = f32::from(hit.velocity) / mean;
            hit.accent = match part {
                part if part < GHOST => Accent::Ghost,
                part if part > ACCENT => Accent::Accent,
                _ => Accent::Normal,
            };
        }
        true
    })
}

/// Marks the strokes of rolls among hits that are in the order of time.
fn mark_rolls(hits: &mut [Hit], sixteenth_ticks: f64) {
    let mut last: [Option<usize>; N_VOICES] = [None; N_VOICES];
    for at in 0..hits.len() {
        let voice = hits[at].voice;
        let near = |before: &usize| ((hits[at].tick - hits[*before].tick) as f64) < ROLL * sixteenth_ticks;
        if let Some(before) = last[voice].filter(near) {
            hits[at].rolled = true;
            hits[before].rolled = true;
        }
        last[voice] = Some(at);
    }
}

/// Chooses the grid of each beat, and places its hits, which are in the order of time.
fn place(hits: &mut [Hit], timeline: &Timeline) {
    let resolution = timeline.ticks_per_quarter();
    let beat_of = |hit: &Hit| {
        let place = timeline.place(hit.tick as f64);
        let beat = (place.quarters + 1e-9).floor();
        (place.window, beat as u64, place.quarters - beat, place.length - beat)
    };
    let mut from = 0;
    while from < hits.len() {
        let (window, beat, ..) = beat_of(&hits[from]);
        let mut to = from;
        let (mut straight, mut triplet, mut told, mut whole) = (0.0, 0.0, false, true);
        while to < hits.len() {
            let (its_window, its_beat, at, left) = beat_of(&hits[to]);
            if (its_window, its_beat) != (window, beat) {
                break;
            }
            straight += squared_distance(at, STRAIGHT);
            triplet += squared_distance(at, TRIPLET);
            told |= at > OFF_BEAT && at < 1.0 - OFF_BEAT;
            whole &= left >= 1.0 - 1e-9;
            to += 1;
        }
        let grid = if told && whole && triplet + TRIPLET_MARGIN < straight { TRIPLET } else { STRAIGHT };
        for hit in &mut hits[from..to] {
            let at = beat_of(hit).2;
            let quarters = (at / grid).round() * grid - at;
            let grid_tick = (hit.tick as f64 + quarters * resolution).max(0.0);
            let found = timeline.place(grid_tick);
            let beat = (found.quarters + 1e-6).floor();
            let step = 4.0 * beat + ((found.quarters - beat) / grid + 0.01).floor().max(0.0);
            hit.window = found.window;
            hit.triplet = grid == TRIPLET;
            hit.step = (step as usize).min(N_STEPS - 1);
            hit.grid_tick = grid_tick;
            hit.offset = ((hit.tick as f64 - grid_tick) / (resolution * STRAIGHT)) as f32;
            hit.sixteenth_ms = (timeline.quarter_ms(grid_tick as u64) * STRAIGHT) as f32;
            hit.unit = (grid_tick / resolution * UNITS).round() as i64;
            hit.phase = (found.quarters * UNITS).round() as i64;
        }
        from = to;
    }
}

fn squared_distance(at: f64, grid: f64) -> f64 {
    ((at / grid).round() * grid - at).powi(2)
}

fn count_ordinals(hits: &mut [Hit]) {
    let (mut unit, mut counts) = (i64::MIN, [0_u8; N_VOICES]);
    for hit in hits {
        if hit.unit != unit {
            (unit, counts) = (hit.unit, [0; N_VOICES]);
        }
        hit.ordinal = counts[hit.voice];
        counts[hit.voice] = counts[hit.voice].saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Signature;

    fn bars(ticks: &[u64], signatures: &[Signature]) -> Bars {
        let timeline = Timeline::new(480, signatures, &[]).unwrap();
        Bars::new(timeline, ticks, &vec![42; ticks.len()], &vec![90; ticks.len()]).unwrap()
    }

    fn steps(bars: &Bars) -> Vec<(u64, usize, u64)> {
        bars.hits().iter().map(|hit| (hit.window, hit.step, hit.grid_tick.round() as u64)).collect()
    }

    #[test]
    fn a_beat_of_triplets_has_the_triplet_grid_and_its_neighbours_the_straight_one() {
        let found = steps(&bars(&[0, 120, 240, 360, 480, 640, 800, 960, 1_200], &[]));
        let straight = [(0, 0, 0), (0, 1, 120), (0, 2, 240), (0, 3, 360)];
        let triplet = [(0, 4, 480), (0, 5, 640), (0, 6, 800), (0, 8, 960), (0, 10, 1_200)];
        assert_eq!(found, [&straight[..], &triplet[..]].concat());
    }

    #[test]
    fn an_early_hit_belongs_to_the_bar_that_it_leads_to() {
        let placed = bars(&[1_910, 1_925], &[]);
        assert_eq!(steps(&placed), [(1, 0, 1_920), (1, 0, 1_920)]);
        assert!((placed.hits()[0].offset + 10.0 / 120.0).abs() < 1e-6);
        assert_eq!(placed.hits()[1].ordinal, 1);
    }

    #[test]
    fn bars_of_three_quarters_and_of_seven_eighths_have_twelve_and_fourteen_steps() {
        for (numerator, denominator, n_steps) in [(3, 4, 12), (7, 8, 14)] {
            let signature = Signature { tick: 0, numerator, denominator };
            let ticks: Vec<u64> = (0..2 * n_steps).map(|step| step * 120).collect();
            let expected: Vec<_> = ticks
                .iter()
                .map(|tick| (tick / 120 / n_steps, (tick / 120 % n_steps) as usize, *tick))
                .collect();
            assert_eq!(steps(&bars(&ticks, &[signature])), expected);
        }
    }

    #[test]
    fn velocities_that_hardly_differ_tell_nothing_of_accents() {
        let timeline = Timeline::new(480, &[], &[]).unwrap();
        let keys = [38, 38, 38, 42, 42];
        let placed = Bars::new(timeline, &[0, 480, 960, 0, 480], &keys, &[40, 90, 120, 80, 82]).unwrap();
        assert!(placed.accents_known(1) && !placed.accents_known(2));
        let snare: Vec<_> = placed.hits().iter().filter(|hit| hit.voice == 1).map(|hit| hit.accent).collect();
        assert_eq!(snare, [Accent::Ghost, Accent::Normal, Accent::Accent]);
    }

    #[test]
    fn a_swung_hit_belongs_to_its_step_and_a_stroke_of_a_roll_halfway() {
        let swung = bars(&[0, 160, 240, 400, 480, 640, 720, 880, 960], &[]);
        assert!(swung.hits().iter().all(|hit| hit.base_offset() == 0.0 || hit.triplet));
        let loose = bars(&[0, 156, 240, 396], &[]);
        assert!(loose.hits().iter().all(|hit| hit.base_offset() == 0.0));
        let roll = bars(&[0, 63, 118, 183, 240], &[]);
        let bases: Vec<f32> = roll.hits().iter().map(|hit| hit.base_offset().abs()).collect();
        assert_eq!(bases.iter().filter(|&&base| base == 0.5).count(), 2);
        let alone = bars(&[0, 60, 480], &[]);
        assert_eq!(alone.hits()[1].base_offset().abs(), 0.5);
    }

    #[test]
    fn hits_out_of_range_are_refused() {
        let new = |velocity| Bars::new(Timeline::new(480, &[], &[]).unwrap(), &[0], &[36], &[velocity]);
        assert!(new(0).unwrap_err().to_string().contains("velocity is 0"));
        assert!(new(128).is_err());
    }

    #[test]
    fn hits_at_one_tick_take_no_time_in_proportion_to_their_square() {
        let n = 200_000;
        let timeline = Timeline::new(480, &[], &[]).unwrap();
        let placed = Bars::new(timeline, &vec![0; n], &vec![36; n], &vec![100; n]).unwrap();
        assert_eq!(placed.hits()[n - 1].ordinal, 255);
    }
}
