//! What the groove network sees and says: one call for each voice of a window, 64 values in and 32 out.
//!
//! | inputs | hold |
//! |---|---|
//! | 0 to 15 | each step: the voice's own hit, 1 (0.4 a ghost note, 1.6 an accent, where the velocities tell), 0.25 more with others; −0.5 where only others sound |
//! | 16 to 31 | what the reference says of the offset of each own hit, in thirds of a sixteenth |
//! | 32 to 47 | what it says of its velocity, 0 for 64 and 1 for 128 |
//! | 48 to 56 | 1 for the voice |
//! | 57 | quarter notes a minute: 0 for 120, 1 for 240 |
//! | 58 | hits of the window: 0 for 16, 1 for 32 |
//! | 59 | whether there is a reference |
//! | 60 | how well it knows such hits, 0 to 1 |
//! | 61 | part of the hits whose beat is triplet |
//! | 62 | whether the velocities tell which hits are accents |
//! | 63 | mean of 16 to 31 over all voices of the window |
//!
//! Outputs 0 to 15 correct the offset of each step, 16 to 31 its velocity, from what the reference says.

use super::bars::{Accent, Bars, Hit, N_STEPS};
use super::reference::Estimate;
use super::voices::N_VOICES;

/// Values that the network sees.
pub const N_INPUTS: usize = 64;
/// Values that it says.
pub const N_OUTPUTS: usize = 32;

/// Sixteenths that an output of 1 corrects an offset by.
pub const OFFSET_SCALE: f32 = 0.4;
/// What an output of 1 corrects a velocity by.
pub const VELOCITY_SCALE: f32 = 50.0;

const SCALARS: usize = 3 * N_STEPS;

/// The calls for a piece.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    /// Of each call.
    pub inputs: Vec<[f32; N_INPUTS]>,
    /// The number of the call of each hit.
    pub of_hit: Vec<usize>,
}

/// The calls for all hits of a piece.
///
/// # Arguments
/// * `estimates`: what the reference says about each hit, see [`super::estimate`].
/// * `accents`: whether the network may see which hits are accents.
///
/// # Example
/// ```
/// use neurdsp_models::music::Timeline;
/// use neurdsp_models::music::groove::{Bars, Reference, calls, estimate};
/// let bars = Bars::new(Timeline::new(480, &[], &[])?, &[0, 0, 240], &[36, 42, 42], &[99, 80, 80])?;
/// let found = calls(&bars, &estimate(&bars, Reference::None, true), true);
/// assert_eq!((found.inputs.len(), found.of_hit), (2, vec![0, 1, 1]));
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
#[must_use]
pub fn calls(bars: &Bars, estimates: &[Estimate], accents: bool) -> Calls {
    let mut found = Calls::default();
    let mut first = 0;
    for hits in bars.windows() {
        let of_window = &estimates[first..first + hits.len()];
        first += hits.len();
        let mut numbers = [None; N_VOICES];
        for hit in hits {
            let number = *numbers[hit.voice].get_or_insert_with(|| {
                let known = accents && bars.accents_known(hit.voice);
                found.inputs.push(inputs(hits, of_window, hit.voice, known));
                found.inputs.len() - 1
            });
            found.of_hit.push(number);
        }
    }
    found
}

/// Offset in sixteenths from where a quantised file has a hit, and its velocity, before anything is drawn by chance.
#[must_use]
pub fn predicted(hit: &Hit, estimate: &Estimate, outputs: &[f32; N_OUTPUTS]) -> (f32, f32) {
    let offset = estimate.offset + OFFSET_SCALE * outputs[hit.step];
    let velocity = estimate.velocity + VELOCITY_SCALE * outputs[N_STEPS + hit.step];
    (offset, velocity.clamp(1.0, 127.0))
}

/// What the network sees of a voice in a window.
pub(super) fn inputs(hits: &[Hit], estimates: &[Estimate], voice: usize, known: bool) -> [f32; N_INPUTS] {
    let mut values = [0.0; N_INPUTS];
    let (mut own, mut others) = ([None; N_STEPS], [false; N_STEPS]);
    let mut weight = 0.0_f32;
    for (hit, estimate) in hits.iter().zip(estimates) {
        weight = weight.max(estimate.weight);
        if hit.voice != voice {
            others[hit.step] = true;
        } else if own[hit.step].is_none() {
            own[hit.step] = Some((hit, estimate));
        }
    }
    let mut certainty = (0.0, 0.0);
    for step in 0..N_STEPS {
        let Some((hit, estimate)) = own[step] else {
            values[step] = if others[step] { -0.5 } else { 0.0 };
            continue;
        };
        let loudness = match hit.accent {
            Accent::Ghost if known => 0.4,
            Accent::Accent if known => 1.6,
            _ => 1.0,
        };
        values[step] = loudness + if others[step] { 0.25 } else { 0.0 };
        values[N_STEPS + step] = 3.0 * estimate.offset;
        values[2 * N_STEPS + step] = estimate.velocity / 64.0 - 1.0;
        certainty = (certainty.0 + estimate.weight / (estimate.weight + 0.3), certainty.1 + 1.0);
    }
    let count = hits.len() as f32;
    let scalars = &mut values[SCALARS..];
    scalars[voice] = 1.0;
    scalars[9] = 15_000.0 / hits[0].sixteenth_ms.max(1.0) / 120.0 - 1.0;
    scalars[10] = (count / 16.0 - 1.0).min(3.0);
    scalars[11] = f32::from(u8::from(weight > 0.0));
    scalars[12] = certainty.0 / f32::max(certainty.1, 1.0);
    scalars[13] = hits.iter().filter(|hit| hit.triplet).count() as f32 / count;
    scalars[14] = f32::from(u8::from(known));
    scalars[15] = 3.0 * estimates.iter().map(|estimate| estimate.offset).sum::<f32>() / count;
    values
}

#[cfg(test)]
mod tests {
    use super::super::{Reference, estimate};
    use super::*;
    use crate::music::{Tempo, Timeline};

    #[test]
    fn a_call_says_where_its_own_hits_and_those_of_others_are() {
        let timeline = Timeline::new(480, &[], &[]).unwrap();
        let bars = Bars::new(timeline, &[0, 0, 240, 480], &[36, 42, 42, 38], &[100; 4]).unwrap();
        let found = calls(&bars, &estimate(&bars, Reference::None, true), false);
        let hat = found.inputs[found.of_hit[bars.hits().iter().position(|hit| hit.voice == 2).unwrap()]];
        assert_eq!(hat[..5], [1.25, 0.0, 1.0, 0.0, -0.5]);
        assert_eq!((hat[48 + 2], hat[57], hat[59]), (1.0, 0.0, 0.0));
    }

    #[test]
    fn all_inputs_are_finite_at_extreme_tempi() {
        for quarter_us in [1, u32::MAX] {
            let tempo = Tempo { tick: 0, quarter_us };
            let timeline = Timeline::new(1, &[], &[tempo]).unwrap();
            let bars = Bars::new(timeline, &[0, 1, 2], &[36, 38, 36], &[1, 127, 64]).unwrap();
            for reference in [Reference::None, Reference::Earlier, Reference::Bars(&bars)] {
                let found = calls(&bars, &estimate(&bars, reference, true), true);
                assert!(found.inputs.iter().flatten().all(|value| value.is_finite()));
            }
        }
    }
}
