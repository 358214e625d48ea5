//! From ticks to bars, beats and milliseconds: the time signatures and tempi of a piece.

use crate::error::{Error, Result};

/// Quarter notes in a window; a longer bar has several.
pub const WINDOW_QUARTERS: f64 = 4.0;

/// Positions are rounded to this part of a quarter note: both sixteenths and triplets fall on it.
pub(super) const UNITS: f64 = 12.0;

/// Largest tick that is taken: years at any tempo.
const MAX_TICK: u64 = 1 << 48;

const EPSILON: f64 = 1e-6;

/// The meter from a tick on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Signature {
    /// Where it begins.
    pub tick: u64,
    /// Beats in a bar, 1 to 255.
    pub numerator: u32,
    /// The note of a beat: 4 for a quarter, a power of two up to 128.
    pub denominator: u32,
}

/// The tempo from a tick on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tempo {
    /// Where it begins.
    pub tick: u64,
    /// Microseconds of a quarter note, above 0.
    pub quarter_us: u32,
}

/// The bars and tempi of a piece.
#[derive(Clone, Debug)]
pub struct Timeline {
    ticks_per_quarter: f64,
    sections: Vec<Section>,
    tempi: Vec<Tempo>,
}

/// A stretch in one meter.
#[derive(Clone, Copy, Debug)]
struct Section {
    tick: f64,
    bar_quarters: f64,
    windows_per_bar: u64,
    /// Windows before this stretch.
    windows: u64,
}

/// A place in a window: a bar, or four quarter notes of a longer one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    /// Number of the window, from 0.
    pub(super) window: u64,
    /// Quarter notes from the start of the window.
    pub(super) quarters: f64,
    /// Quarter notes of the window.
    pub(super) length: f64,
}

impl Timeline {
    /// The timeline of a piece. Without a signature it is in 4/4, without a tempo at 120 quarter notes a minute.
    ///
    /// # Errors
    /// A resolution, a meter or a tempo that is out of range.
    ///
    /// # Example
    /// ```
    /// use neurdsp_models::music::Timeline;
    /// let timeline = Timeline::new(480, &[], &[])?;
    /// assert_eq!(timeline.quarter_ms(960), 500.0);
    /// # Ok::<(), neurdsp_models::Error>(())
    /// ```
    pub fn new(ticks_per_quarter: u32, signatures: &[Signature], tempi: &[Tempo]) -> Result<Timeline> {
        let wrong = |name: &str, got: String, expected: &str| {
            Err(Error::OutOfRange { name: name.into(), got, expected: expected.into() })
        };
        if !(1..=32_767).contains(&ticks_per_quarter) {
            return wrong("ticks_per_quarter", ticks_per_quarter.to_string(), "1 to 32767");
        }
        let resolution = f64::from(ticks_per_quarter);
        let mut signatures = signatures.to_vec();
        signatures.sort_by_key(|signature| signature.tick);
        // The last of several at one tick counts.
        signatures.reverse();
        signatures.dedup_by_key(|signature| signature.tick);
        signatures.reverse();
        if signatures.first().is_none_or(|first| first.tick > 0) {
            signatures.insert(0, Signature { tick: 0, numerator: 4, denominator: 4 });
        }
        let mut sections: Vec<Section> = Vec::with_capacity(signatures.len());
        for Signature { tick, numerator, denominator } in signatures {
            if !(1..=255).contains(&numerator) || !denominator.is_power_of_two() || denominator > 128 {
                let got = format!("{numerator}/{denominator}");
                return wrong(
                    "the meter",
                    got,
                    "1 to 255 beats of a half, quarter, eighth and so on to 1/128",
                );
            }
            if tick > MAX_TICK {
                return wrong("the tick of a meter", tick.to_string(), "at most 2^48");
            }
            let windows = sections.last().map_or(0, |last| {
                let bars = ((tick as f64 - last.tick) / resolution / last.bar_quarters - EPSILON).ceil();
                last.windows + (bars as u64) * last.windows_per_bar
            });
            let bar_quarters = 4.0 * f64::from(numerator) / f64::from(denominator);
            let windows_per_bar = (bar_quarters / WINDOW_QUARTERS).ceil() as u64;
            sections.push(Section { tick: tick as f64, bar_quarters, windows_per_bar, windows });
        }
        let mut tempi = tempi.to_vec();
        tempi.sort_by_key(|tempo| tempo.tick);
        if tempi.iter().any(|tempo| tempo.quarter_us == 0) {
            return wrong("the tempo", "0 microseconds".into(), "above 0");
        }
        if tempi.first().is_none_or(|first| first.tick > 0) {
            tempi.insert(0, Tempo { tick: 0, quarter_us: 500_000 });
        }
        Ok(Timeline { ticks_per_quarter: resolution, sections, tempi })
    }

    /// Ticks of a quarter note.
    #[must_use]
    pub fn ticks_per_quarter(&self) -> f64 {
        self.ticks_per_quarter
    }

    /// How long a quarter note lasts at a tick.
    #[must_use]
    pub fn quarter_ms(&self, tick: u64) -> f64 {
        let after = self.tempi.partition_point(|tempo| tempo.tick <= tick);
        f64::from(self.tempi[after.saturating_sub(1)].quarter_us) / 1_000.0
    }

    /// Where a tick lies in its window.
    pub(super) fn place(&self, tick: f64) -> Place {
        let nudged = tick + EPSILON * self.ticks_per_quarter;
        let after = self.sections.partition_point(|section| section.tick <= nudged);
        let section = self.sections[after.saturating_sub(1)];
        let quarters = ((tick - section.tick) / self.ticks_per_quarter).max(0.0);
        let bar = (quarters / section.bar_quarters + EPSILON).floor();
        let in_bar = (quarters - bar * section.bar_quarters).max(0.0);
        let part = ((in_bar + EPSILON) / WINDOW_QUARTERS).floor().min((section.windows_per_bar - 1) as f64);
        let start = part * WINDOW_QUARTERS;
        Place {
            window: section.windows + (bar as u64) * section.windows_per_bar + part as u64,
            quarters: (in_bar - start).max(0.0),
            length: (section.bar_quarters - start).min(WINDOW_QUARTERS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(numerator: u32, denominator: u32) -> Signature {
        Signature { tick: 0, numerator, denominator }
    }

    #[test]
    fn a_bar_of_up_to_four_quarters_is_one_window_and_a_longer_one_several() {
        for (numerator, denominator, tick, window, quarters) in [
            (4, 4, 1_920, 1, 0.0),
            (3, 4, 1_920, 1, 1.0),
            (7, 8, 1_680, 1, 0.0),
            (5, 4, 1_920, 1, 0.0),
            (5, 4, 2_400, 2, 0.0),
            (12, 8, 2_400, 1, 1.0),
        ] {
            let timeline = Timeline::new(480, &[meter(numerator, denominator)], &[]).unwrap();
            let place = timeline.place(f64::from(tick));
            assert_eq!((place.window, place.quarters), (window, quarters), "{numerator}/{denominator}");
        }
    }

    #[test]
    fn a_new_meter_begins_a_new_bar() {
        let signatures = [meter(4, 4), Signature { tick: 1_000, numerator: 3, denominator: 4 }];
        let timeline = Timeline::new(480, &signatures, &[]).unwrap();
        assert_eq!(timeline.place(999.0).window, 0);
        assert_eq!(timeline.place(1_000.0).window, 1);
        assert_eq!(timeline.place(1_000.0 + 3.0 * 480.0).window, 2);
    }

    #[test]
    fn a_tempo_holds_from_its_tick_on() {
        let tempi = [Tempo { tick: 0, quarter_us: 500_000 }, Tempo { tick: 480, quarter_us: 1_000_000 }];
        let timeline = Timeline::new(480, &[], &tempi).unwrap();
        assert_eq!((timeline.quarter_ms(479), timeline.quarter_ms(480)), (500.0, 1_000.0));
    }

    #[test]
    fn what_is_out_of_range_is_refused_with_its_value() {
        assert!(Timeline::new(0, &[], &[]).unwrap_err().to_string().contains("is 0"));
        assert!(Timeline::new(480, &[meter(4, 3)], &[]).unwrap_err().to_string().contains("4/3"));
        let tempo = Tempo { tick: 0, quarter_us: 0 };
        assert!(Timeline::new(480, &[], &[tempo]).is_err());
    }
}
