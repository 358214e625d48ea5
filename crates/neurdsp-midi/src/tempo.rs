//! From ticks to seconds and back, as fractions, so that no rounding adds up.

use crate::division::Division;
use crate::event::Message;
use crate::file::{MidiFile, Track};

/// The tempo of a file, or of one track of a file of format 2.
///
/// Where no event says otherwise, a quarter note lasts half a second. If ticks are parts of frames, tempo events mean nothing.
///
/// # Example
/// ```
/// use neurdsp_midi::{Division, TempoChange, TempoMap};
///
/// let slower = TempoChange { tick: 480, microseconds_per_quarter: 1_000_000 };
/// let map = TempoMap::new(Division::quarter(480)?, [slower]);
/// assert_eq!(map.seconds(960), 1.5);
/// assert_eq!(map.exact_seconds(481), (241_000_000, 480_000_000));
/// assert_eq!(map.ticks(1.5), 960.0);
/// # Ok::<(), neurdsp_midi::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TempoMap {
    parts: Vec<Part>,
    /// Units of time in a second.
    units_per_second: u64,
    changes: Vec<TempoChange>,
}

/// From this tick on, a quarter note lasts so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TempoChange {
    /// Ticks since the start.
    pub tick: u64,
    /// Microseconds, 1 to 16 777 215.
    pub microseconds_per_quarter: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    tick: u64,
    /// Units of time since the start.
    begin: u128,
    units_per_tick: u32,
}

impl TempoMap {
    /// The map of these changes, in any order; of those at one tick the last counts, and a tempo of 0 does not.
    #[must_use]
    pub fn new(division: Division, changes: impl IntoIterator<Item = TempoChange>) -> TempoMap {
        let mut changes: Vec<TempoChange> =
            changes.into_iter().filter(|change| change.microseconds_per_quarter > 0).collect();
        changes.sort_by_key(|change| change.tick);
        changes.reverse();
        changes.dedup_by_key(|change| change.tick);
        changes.reverse();
        if changes.first().is_none_or(|first| first.tick > 0) {
            changes.insert(0, TempoChange { tick: 0, microseconds_per_quarter: 500_000 });
        }
        let Some(ticks_per_quarter) = division.ticks_per_quarter() else {
            let (units_per_tick, units_per_second) = division.seconds_per_tick().unwrap_or((1, 1));
            let parts = vec![Part { tick: 0, begin: 0, units_per_tick }];
            return TempoMap { parts, units_per_second: u64::from(units_per_second), changes };
        };
        // A unit is a microsecond divided by the ticks of a quarter note.
        let mut parts: Vec<Part> = Vec::with_capacity(changes.len());
        for change in &changes {
            let begin = parts.last().map_or(0, |last| last.at(change.tick));
            parts.push(Part { tick: change.tick, begin, units_per_tick: change.microseconds_per_quarter });
        }
        TempoMap { parts, units_per_second: 1_000_000 * u64::from(ticks_per_quarter), changes }
    }

    /// The changes by their ticks; the first is at tick 0.
    #[must_use]
    pub fn changes(&self) -> &[TempoChange] {
        &self.changes
    }

    /// The seconds of a tick as a fraction, numerator and denominator, not reduced.
    #[must_use]
    pub fn exact_seconds(&self, tick: u64) -> (u128, u64) {
        let index = self.parts.partition_point(|part| part.tick <= tick) - 1;
        (self.parts[index].at(tick), self.units_per_second)
    }

    /// The seconds of a tick.
    #[must_use]
    pub fn seconds(&self, tick: u64) -> f64 {
        let (units, per_second) = self.exact_seconds(tick);
        self.whole_and_part(units, per_second)
    }

    /// The tick at a time, with its fraction; 0 for times before the start.
    #[must_use]
    pub fn ticks(&self, seconds: f64) -> f64 {
        let begin = |part: &Part| self.whole_and_part(part.begin, self.units_per_second);
        let index = self.parts.partition_point(|part| begin(part) <= seconds).max(1) - 1;
        let part = self.parts[index];
        let units = (seconds - begin(&part)).max(0.0) * self.units_per_second as f64;
        part.tick as f64 + units / f64::from(part.units_per_tick)
    }

    fn whole_and_part(&self, units: u128, per_second: u64) -> f64 {
        let per_second = u128::from(per_second);
        (units / per_second) as f64 + (units % per_second) as f64 / per_second as f64
    }
}

impl Part {
    fn at(&self, tick: u64) -> u128 {
        self.begin + u128::from(tick - self.tick) * u128::from(self.units_per_tick)
    }
}

impl MidiFile {
    /// The tempo that a track plays at: that of all tracks together, or in format 2 that of the track alone. A track that does
    /// not exist has the tempo of none.
    #[must_use]
    pub fn tempo_map(&self, track: usize) -> TempoMap {
        let changes = |track: &Track| {
            let found = track.events().iter().filter_map(|event| match &event.message {
                Message::Meta { kind: 0x51, data } if data.len() == 3 => Some(TempoChange {
                    tick: event.tick,
                    microseconds_per_quarter: u32::from_be_bytes([0, data[0], data[1], data[2]]),
                }),
                _ => None,
            });
            found.collect::<Vec<_>>()
        };
        if self.format() == 2 {
            return TempoMap::new(self.division(), self.tracks().nth(track).map(changes).unwrap_or_default());
        }
        TempoMap::new(self.division(), self.tracks().flat_map(changes))
    }
}
