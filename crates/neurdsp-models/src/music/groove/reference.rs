//! What a reference groove says about a hit: the mean of its hits, weighted by how alike they are.
//!
//! Kernel regression (E. A. Nadaraya, "On estimating regression", 1964): each trait in which two hits differ divides the
//! weight. The distances were fitted by gradient descent on the absolute error on Groove MIDI's training takes, with up to
//! eight earlier bars of a take as the reference of each bar.

use std::collections::BTreeSet;

use super::bars::{Bars, Hit};
use super::voices::{N_VOICES, group_of};

/// Bars before a bar that are its reference, if a piece is its own.
pub const EARLIER_WINDOWS: u64 = 8;

/// Most hits of a reference; of a longer one the last count.
const MAX_REFERENCE: usize = 1_024;
/// Most hits of the bars before a bar that count.
const MAX_EARLIER: usize = 200;

/// Traits in which hits can differ.
const N_TRAITS: usize = 17;
/// Neighbours in twelfths of a quarter note: hits of the same voice there are part of a hit's surroundings.
const NEIGHBOURS: [i64; 8] = [-8, -6, -4, -3, 3, 4, 6, 8];

/// Distances of one kernel, and what it falls back to.
struct Kernel {
    traits: [f32; N_TRAITS],
    /// For each bar between the hits.
    age: f32,
    prior_weight: f32,
}

const OFFSET: Kernel = Kernel {
    traits: [
        2.15, 0.14, 0.58, 0.51, 0.82, 6.04, 1.15, 1.48, 1.43, 1.15, 0.65, 0.78, 0.50, 0.18, 0.55, 4.61, 1.04,
    ],
    age: 0.16,
    prior_weight: 0.006_3,
};

const VELOCITY: Kernel = Kernel {
    traits: [
        4.31, 2.68, 1.57, 1.15, 0.47, 0.60, 1.01, 0.09, 1.61, 0.95, 0.19, 0.68, 1.30, 1.25, 0.47, 3.25, 5.82,
    ],
    age: 0.16,
    prior_weight: 0.000_32,
};

/// Velocities without a reference: medians of Groove MIDI's training takes.
const USUAL_VELOCITY: [f32; N_VOICES] = [53.0, 55.0, 65.0, 88.0, 94.0, 93.0, 79.0, 88.0, 67.0];

/// What a reference says about a hit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// How much later than its step (for a stroke of a roll, than halfway to the next), in sixteenths.
    pub offset: f32,
    /// 1 to 127.
    pub velocity: f32,
    /// Weight of the hits that told the offset; 0 without a reference.
    pub weight: f32,
}

/// A hit and what surrounds it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Described {
    pub(super) hit: Hit,
    /// One bit for each of [`NEIGHBOURS`].
    neighbours: u8,
    /// Whether kick, snare, and what keeps time sound in the step.
    together: [bool; 3],
}

/// Where the reference of a hit comes from.
#[derive(Clone, Copy)]
pub enum Reference<'a> {
    /// There is none.
    None,
    /// Other bars.
    Bars(&'a Bars),
    /// The bars of the piece before each bar, up to [`EARLIER_WINDOWS`].
    Earlier,
}

/// What the reference says about each hit of `bars`, in their order.
///
/// # Arguments
/// * `accents`: whether which hits of `bars` are accents may be used.
///
/// # Example
/// ```
/// use neurdsp_models::music::Timeline;
/// use neurdsp_models::music::groove::{Bars, Reference, estimate};
/// let timeline = Timeline::new(480, &[], &[])?;
/// let late = Bars::new(timeline.clone(), &[20, 500], &[36, 38], &[90, 110])?;
/// let straight = Bars::new(timeline, &[1920], &[36], &[100])?;
/// let found = estimate(&straight, Reference::Bars(&late), true)[0];
/// assert!(found.offset > 0.1 && (found.velocity - 90.0).abs() < 4.0);
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
#[must_use]
pub fn estimate(bars: &Bars, reference: Reference<'_>, accents: bool) -> Vec<Estimate> {
    let described = describe(bars, usize::MAX);
    let other = match reference {
        Reference::Bars(other) => describe(other, MAX_REFERENCE),
        _ => Vec::new(),
    };
    // The hits of the windows before that of the query.
    let (mut first, mut end) = (0, 0);
    let mut found = Vec::with_capacity(described.len());
    for (at, query) in described.iter().enumerate() {
        let hits = match reference {
            Reference::None => &[][..],
            Reference::Bars(_) => &other[..],
            Reference::Earlier => {
                let window = query.hit.window;
                while described[first].hit.window + EARLIER_WINDOWS < window {
                    first += 1;
                }
                if at > 0 && described[at - 1].hit.window != window {
                    end = at;
                }
                &described[first.max(end.saturating_sub(MAX_EARLIER))..end.max(first)]
            }
        };
        let earlier = matches!(reference, Reference::Earlier);
        found.push(weigh(query, hits, accents && bars.accents_known(query.hit.voice), earlier));
    }
    found
}

/// What other hits say about a hit.
pub(super) fn weigh(query: &Described, hits: &[Described], accents: bool, earlier: bool) -> Estimate {
    let voice = query.hit.voice;
    let mut offset = Mean::new(OFFSET.prior_weight, 0.0);
    let mut velocity = Mean::new(VELOCITY.prior_weight, USUAL_VELOCITY[voice]);
    for other in hits {
        let age = if earlier { (query.hit.window - other.hit.window) as f32 } else { 1.0 };
        let differs = differences(query, other, accents);
        let (mut of_offset, mut of_velocity) = (OFFSET.age * age, VELOCITY.age * age);
        for (index, &one) in differs.iter().enumerate() {
            of_offset += OFFSET.traits[index] * one;
            of_velocity += VELOCITY.traits[index] * one;
        }
        // In milliseconds the offsets of two tempi are alike. Strokes of a roll belong halfway between two steps.
        let late = other.hit.offset - other.hit.base_offset();
        let sixteenths = late * other.hit.sixteenth_ms / query.hit.sixteenth_ms;
        offset.add((-of_offset).exp(), sixteenths);
        velocity.add((-of_velocity).exp(), f32::from(other.hit.velocity));
    }
    Estimate {
        offset: offset.value().clamp(-1.0, 1.0),
        velocity: velocity.value(),
        weight: offset.weight - OFFSET.prior_weight,
    }
}

/// A weighted mean.
struct Mean {
    sum: f32,
    weight: f32,
}

impl Mean {
    fn new(weight: f32, value: f32) -> Mean {
        Mean { sum: weight * value, weight }
    }

    fn add(&mut self, weight: f32, value: f32) {
        self.sum += weight * value;
        self.weight += weight;
    }

    fn value(&self) -> f32 {
        self.sum / self.weight
    }
}

/// In which traits two hits differ: 1 where they do, or by how much.
fn differences(one: &Described, other: &Described, accents: bool) -> [f32; N_TRAITS] {
    let apart = one.hit.phase - other.hit.phase;
    let around = one.neighbours ^ other.neighbours;
    let flag = |differs: bool| f32::from(u8::from(differs));
    [
        flag(one.hit.voice != other.hit.voice),
        flag(group_of(one.hit.voice) != group_of(other.hit.voice)),
        flag(apart != 0),
        flag(apart % 24 != 0),
        flag(apart % 12 != 0),
        flag(apart % 6 != 0),
        flag(around & 0b11 != 0),
        flag(around & 0b100 != 0),
        flag(around & 0b1000 != 0),
        flag(around & 0b1_0000 != 0),
        flag(around & 0b10_0000 != 0),
        flag(around & 0b1100_0000 != 0),
        flag(one.together[0] != other.together[0]),
        flag(one.together[1] != other.together[1]),
        flag(one.together[2] != other.together[2]),
        f32::from(one.hit.ordinal.abs_diff(other.hit.ordinal)),
        flag(accents && one.hit.accent != other.hit.accent),
    ]
}

/// Where hits are: twelfths of a quarter note, and voice.
pub(super) type Places = BTreeSet<(i64, usize)>;

/// Where the hits of `bars` are.
pub(super) fn places(bars: &Bars) -> Places {
    bars.hits().iter().map(|hit| (hit.unit, hit.voice)).collect()
}

/// A hit among others.
pub(super) fn described(hit: &Hit, places: &Places) -> Described {
    let sounds = |voices: &[usize]| voices.iter().any(|&voice| places.contains(&(hit.unit, voice)));
    let near = |(bit, apart): (usize, &i64)| u8::from(places.contains(&(hit.unit + apart, hit.voice))) << bit;
    Described {
        hit: *hit,
        neighbours: NEIGHBOURS.iter().enumerate().map(near).sum(),
        together: [sounds(&[0]), sounds(&[1]), sounds(&[2, 3, 7, 8])],
    }
}

/// The last `most` hits of `bars`.
pub(super) fn describe(bars: &Bars, most: usize) -> Vec<Described> {
    let places = places(bars);
    let hits = bars.hits();
    hits[hits.len().saturating_sub(most)..].iter().map(|hit| described(hit, &places)).collect()
}
