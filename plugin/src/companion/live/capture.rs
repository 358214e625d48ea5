//! The notes that were passed on last, so that a window can make a clip of them.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use neurdsp_models::music::groove::TICKS_PER_QUARTER;
use neurdsp_rt::DelayedEvent;

use super::clock::Part;

/// Beginnings and ends of notes that are kept.
const KEPT: usize = 1 << 13;
const TICKS: f64 = TICKS_PER_QUARTER as f64;
/// Ticks by which a note may be before the bar that it belongs to.
const EARLY: u64 = 120;

/// A note that was passed on, in ticks from the start of the bars that were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) channel: u8,
    pub(crate) pitch: u8,
    pub(crate) velocity: u8,
}

/// A note with its channel and pitch, and the ticks where it began and where it ended, if it has.
struct Found {
    name: (u8, u8),
    velocity: u8,
    on: u64,
    off: Option<u64>,
}

/// Bars that were played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bars {
    pub(crate) notes: Vec<Passed>,
    pub(crate) ticks: u64,
    pub(crate) meter: (u8, u8),
    pub(crate) quarter_us: u32,
}

/// What one instance passed on last. The audio thread writes, the window reads; nobody waits.
#[derive(Debug)]
pub(crate) struct Capture {
    events: Box<[AtomicU64]>,
    written: AtomicU64,
    /// Bits of the quarter notes that were played before the bar that plays.
    bar: AtomicU64,
    /// Beats of a bar, and the note of a beat, as two bytes.
    meter: AtomicU32,
    quarter_us: AtomicU32,
}

impl Default for Capture {
    fn default() -> Capture {
        Capture {
            events: (0..KEPT).map(|_| AtomicU64::new(0)).collect(),
            written: AtomicU64::new(0),
            bar: AtomicU64::new(0),
            meter: AtomicU32::new(4 << 8 | 4),
            quarter_us: AtomicU32::new(500_000),
        }
    }
}

impl Capture {
    /// Notes where the bar began that plays at the end of a part.
    pub(super) fn follow(&self, part: &Part, sample_rate: f64) {
        let end = part.segment.offset + part.segment.len;
        let bar = part.played(end) - part.meter.in_bar(part.beat(end));
        self.bar.store(bar.to_bits(), Ordering::Relaxed);
        let (beats, beat) = part.meter.beats;
        self.meter.store(u32::from(beats) << 8 | u32::from(beat), Ordering::Relaxed);
        self.quarter_us.store(part.quarter_us(sample_rate), Ordering::Relaxed);
    }

    /// Keeps what is passed on after so many quarter notes.
    pub(super) fn push(&self, event: DelayedEvent, played: f64) {
        let (is_on, name, velocity) = match event {
            DelayedEvent::On(name, velocity) => (true, name, velocity),
            DelayedEvent::Off(name, velocity) => (false, name, velocity),
        };
        let velocity = (127.0 * velocity).round().clamp(1.0, 127.0) as u64;
        let tick = (played * TICKS).round().clamp(0.0, f64::from(u32::MAX)) as u64;
        // 32 bits of the tick; 1 that it is there; 1 for a beginning; 4 of the channel; 7 and 7 of the pitch and the velocity.
        let bits = tick << 32
            | 1 << 19
            | u64::from(is_on) << 18
            | u64::from(name.channel & 15) << 14
            | u64::from(name.pitch & 127) << 7
            | velocity;
        let at = self.written.load(Ordering::Relaxed);
        self.events[(at % KEPT as u64) as usize].store(bits, Ordering::Relaxed);
        self.written.store(at + 1, Ordering::Release);
    }

    /// The notes of the last whole bars; none if none was played in them.
    pub(crate) fn last(&self, bars: u32) -> Option<Bars> {
        let meter = self.meter.load(Ordering::Relaxed);
        let (beats, beat) = ((meter >> 8) as u8, meter as u8);
        let bar = TICKS * 4.0 * f64::from(beats) / f64::from(beat);
        let end = f64::from_bits(self.bar.load(Ordering::Relaxed)) * TICKS;
        let count = f64::from(bars).min((end / bar + 1e-3).floor());
        let ticks = (count * bar).round() as u64;
        let begin = (end.round() as u64).saturating_sub(ticks);
        let written = self.written.load(Ordering::Acquire);
        let mut found: Vec<Found> = Vec::new();
        for at in written.saturating_sub(KEPT as u64)..written {
            let bits = self.events[(at % KEPT as u64) as usize].load(Ordering::Relaxed);
            let (tick, is_on) = (bits >> 32, bits >> 18 & 1 == 1);
            let name = ((bits >> 14 & 15) as u8, (bits >> 7 & 127) as u8);
            if is_on {
                found.push(Found { name, velocity: (bits & 127) as u8, on: tick, off: None });
            } else if let Some(note) = found.iter_mut().find(|note| note.name == name && note.off.is_none()) {
                note.off = Some(tick);
            }
        }
        let end = begin + ticks;
        // What sounds when the bars begin is theirs, too. A file has no time before its start.
        let is_theirs = |on: u64, off: Option<u64>| {
            on + EARLY < end && (on + EARLY >= begin || off.is_none_or(|off| off > begin))
        };
        let notes: Vec<Passed> = found
            .into_iter()
            .filter(|note| is_theirs(note.on, note.off))
            .map(|Found { name: (channel, pitch), velocity, on, off }| {
                let start = on.saturating_sub(begin);
                let end = off.unwrap_or(end).saturating_sub(begin).clamp(start + 1, ticks.max(start + 1));
                Passed { start, end, channel, pitch, velocity }
            })
            .collect();
        let quarter_us = self.quarter_us.load(Ordering::Relaxed);
        (!notes.is_empty()).then_some(Bars { notes, ticks, meter: (beats, beat), quarter_us })
    }
}

#[cfg(test)]
mod tests {
    use neurdsp_rt::{DelayedEvent, NoteName};

    use super::{Capture, KEPT, Passed};

    #[test]
    fn the_last_whole_bars_come_back_with_early_hits_and_ends() {
        let capture = Capture::default();
        assert_eq!(capture.last(4), None);
        let name = |pitch| NoteName { channel: 9, pitch, id: None };
        for at in 0..KEPT {
            let beat = at as f64 / 2.0;
            capture.push(DelayedEvent::On(name(36), 0.5), beat - 0.01);
            capture.push(DelayedEvent::Off(name(36), 0.0), beat + 0.25);
        }
        let end = KEPT as f64 / 2.0;
        // One that began before, and sounds for a beat of them.
        capture.push(DelayedEvent::On(name(60), 1.0), end - 20.0);
        capture.push(DelayedEvent::Off(name(60), 0.0), end - 7.0);
        capture.push(DelayedEvent::On(name(38), 1.0), end - 1.2);
        capture.bar.store(end.to_bits(), std::sync::atomic::Ordering::Relaxed);
        let bars = capture.last(2).unwrap();
        assert_eq!((bars.ticks, bars.notes.len()), (8 * 960, 18));
        let note = |start, end, pitch, velocity| Passed { start, end, channel: 9, pitch, velocity };
        assert_eq!(bars.notes[0], note(0, 240, 36, 64));
        assert_eq!(bars.notes[1], note(480 - 10, 720, 36, 64));
        assert_eq!(bars.notes[16], note(0, 960, 60, 127));
        // One that nobody ended ends with the bars.
        assert_eq!(bars.notes[17], note(6_528, 8 * 960, 38, 127));
    }
}
