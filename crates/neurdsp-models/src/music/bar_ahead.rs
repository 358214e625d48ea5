//! The bar that plays, with what is expected of its rest: what was played a bar before.

use crate::error::Result;
use crate::music::timeline::{Signature, Tempo, Timeline};

/// Ticks of a quarter note in questions about a beat that is yet to be played.
pub const TICKS_PER_QUARTER: u32 = 960;
pub(super) const TICKS: f64 = TICKS_PER_QUARTER as f64;
/// Bars before the bar of the beat that a question sees.
const BARS_BEFORE: f64 = 2.0;

/// The bar of a beat and those before it, in ticks from the start of the first.
pub(super) struct BarAhead {
    pub(super) timeline: Timeline,
    /// The tick of the beat.
    pub(super) beat_tick: f64,
    bar_ticks: f64,
    /// Where the bar ends.
    end: f64,
    /// What was played later is not known.
    now: f64,
}

impl BarAhead {
    /// The bar of a beat that begins `in_bar` quarter notes after it, seen `now` ticks after the beat.
    pub(super) fn new(meter: (u8, u8), quarter_us: u32, in_bar: f64, now: i32) -> Result<BarAhead> {
        let (numerator, denominator) = (u32::from(meter.0), u32::from(meter.1));
        let signature = Signature { tick: 0, numerator, denominator };
        let timeline = Timeline::new(TICKS_PER_QUARTER, &[signature], &[Tempo { tick: 0, quarter_us }])?;
        let bar = 4.0 * f64::from(numerator) / f64::from(denominator);
        let in_bar = if in_bar.is_finite() { in_bar.clamp(0.0, bar) } else { 0.0 };
        let beat_tick = (BARS_BEFORE * bar + in_bar) * TICKS;
        Ok(BarAhead {
            timeline,
            beat_tick,
            bar_ticks: (bar * TICKS).round(),
            end: beat_tick + (bar - in_bar) * TICKS,
            now: beat_tick + f64::from(now),
        })
    }

    /// Where a note counts that was played so many ticks after the beat: there, and once more a bar later, if that is still to come.
    pub(super) fn places(&self, tick: i32) -> impl Iterator<Item = u64> {
        let at = self.beat_tick + f64::from(tick);
        let again = Some(at + self.bar_ticks).filter(|again| *again > self.now);
        let end = self.end;
        [Some(at), again].into_iter().flatten().filter(move |at| (0.0..end).contains(at)).map(|at| at as u64)
    }
}
