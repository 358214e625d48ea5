//! When the networks are asked about the beats to come.

use super::clock::{Part, Turn};
use super::tables::Ask;

/// After how long the answers count that are asked where the song starts.
const START_MS: f64 = 10.0;
/// Beats before a beat at which it is asked about, and after which the answer counts.
const ASK_BEATS: f64 = 0.5;
const DUE_BEATS: f64 = 0.25;

/// What is asked at the start of a part, if nobody could ask before. `begin` is the first sample of the block.
pub(super) fn at_start(part: &Part, begin: u64, sample_rate: f64) -> impl Iterator<Item = Ask> + use<> {
    let (here, sample) = (part.segment.beat, part.segment.offset);
    let is_whole = (here + 1e-6).fract() < 2e-6;
    let was_asked = part.turn == Turn::On || part.turn == Turn::Loop && is_whole;
    let first = (here + 0.125).floor() as i64;
    let is_late = here > first as f64 + 1.0 - ASK_BEATS;
    let due_in = (START_MS * 1e-3 * sample_rate).round() as u64;
    let (now, quarter_us) = (begin + sample as u64, part.quarter_us(sample_rate));
    let beats = [(!was_asked).then_some(first), (!was_asked && is_late).then_some(first + 1)];
    beats.into_iter().flatten().map(move |beat| Ask { beat, sample, now, due_in, quarter_us })
}

/// What is asked about a beat half a beat before it, at a sample of the block.
pub(super) fn ahead(part: &Part, beat: i64, sample: usize, begin: u64, sample_rate: f64) -> Ask {
    let due_in = (DUE_BEATS / part.segment.beats_per_sample).round() as u64;
    Ask { beat, sample, now: begin + sample as u64, due_in, quarter_us: part.quarter_us(sample_rate) }
}

/// The first beat that is asked about in a part.
pub(super) fn first_beat(part: &Part) -> i64 {
    let mut beat = (part.segment.beat + ASK_BEATS).floor() as i64;
    while part.segment.first_sample(beat as f64 - ASK_BEATS) < 0.0 {
        beat += 1;
    }
    beat
}

/// The sample of the block at which a beat is asked about; it may lie after the part.
pub(super) fn sample(part: &Part, beat: i64) -> usize {
    part.segment.offset + part.segment.first_sample(beat as f64 - ASK_BEATS).max(0.0) as usize
}
