//! Bars of the input that are recorded as the reference.

use std::sync::atomic::{AtomicU32, Ordering};

use neurdsp_models::music::groove::TICKS_PER_QUARTER;
use rtrb::{Consumer, Producer, RingBuffer};

use super::clock::Part;
use crate::loading::Requests;

/// Most hits of a recording.
const MAX_HITS: usize = 4096;
/// Quarter notes by which a hit may be before the first bar.
const EARLY: f64 = 1.0 / 8.0;

/// What is recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Heard {
    /// A recording begins: what was recorded before is of no use.
    Begin,
    Hit {
        tick: u32,
        key: u8,
        velocity: u8,
    },
    End {
        ticks: u32,
        quarter_us: u32,
        meter: (u8, u8),
    },
}

/// The side that takes the recording.
pub(crate) type Taken = Consumer<Heard>;

/// What the window shows: 0 for nothing, 1 while the next bar is waited for, and 2 and more while bars are recorded, by how many
/// hundredths of them.
#[derive(Debug, Default)]
pub(crate) struct Progress(AtomicU32);

impl Progress {
    /// Parts of the recording that are done; none if there is none, and a negative number while it waits.
    pub(crate) fn get(&self) -> Option<f32> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(-1.0),
            done => Some((done - 2) as f32 / 100.0),
        }
    }

    fn set(&self, value: u32) {
        self.0.store(value, Ordering::Relaxed);
    }
}

#[derive(Clone, Copy, Debug)]
enum State {
    Idle,
    Armed,
    /// From and to which of the quarter notes that were played.
    Records {
        from: f64,
        to: f64,
    },
}

/// The recorder of one instance.
pub(super) struct Listen {
    to: Producer<Heard>,
    state: State,
    n_hits: usize,
    was_on: bool,
}

impl Listen {
    pub(super) fn new() -> (Listen, Taken) {
        let (to, taken) = RingBuffer::new(MAX_HITS + 8);
        (Listen { to, state: State::Idle, n_hits: 0, was_on: false }, taken)
    }

    /// Follows the switch, which begins a recording when it goes on, and ends one when it goes off.
    pub(super) fn switch(&mut self, is_on: bool, progress: &Progress) {
        if is_on != std::mem::replace(&mut self.was_on, is_on) {
            self.state = if is_on { State::Armed } else { State::Idle };
            progress.set(u32::from(is_on));
        }
    }

    /// Begins at a bar, and tells how far it is.
    pub(super) fn follow(&mut self, part: &Part, bars: u32, progress: &Progress) {
        if let State::Armed = self.state {
            let bar = part.meter.bar();
            let until = (bar - part.meter.in_bar(part.segment.beat)).rem_euclid(bar);
            let from = part.played + until;
            self.state = State::Records { from, to: from + f64::from(bars) * bar };
            self.n_hits = 0;
            // Full only if nobody takes what is recorded.
            let _ = self.to.push(Heard::Begin);
        }
        if let State::Records { from, to } = self.state {
            let done = ((part.played - from) / (to - from)).clamp(0.0, 1.0);
            progress.set(if part.played < from { 1 } else { 2 + (100.0 * done) as u32 });
        }
    }

    /// Takes a hit, if it is of the recording.
    pub(super) fn hear(&mut self, key: u8, velocity: u8, played: f64) {
        let State::Records { from, to } = self.state else { return };
        if (from - EARLY..to).contains(&played) && self.n_hits < MAX_HITS {
            let tick = ((played - from).max(0.0) * f64::from(TICKS_PER_QUARTER)).round() as u32;
            self.n_hits += 1;
            let _ = self.to.push(Heard::Hit { tick, key, velocity });
        }
    }

    /// Ends the recording after a part of a block, if it is over.
    pub(super) fn end(
        &mut self,
        part: &Part,
        quarter_us: u32,
        requests: &Requests,
        progress: &Progress,
        wake: &impl Fn(),
    ) {
        let State::Records { from, to } = self.state else { return };
        let end = part.played(part.segment.offset + part.segment.len);
        if end < to {
            return;
        }
        let ticks = ((to - from) * f64::from(TICKS_PER_QUARTER)).round() as u32;
        let _ = self.to.push(Heard::End { ticks, quarter_us, meter: part.meter.beats });
        self.state = State::Idle;
        progress.set(0);
        requests.make();
        wake();
    }

    /// The song jumps or stops: a recording waits for the next bar again.
    pub(super) fn interrupt(&mut self, progress: &Progress) {
        if let State::Records { .. } = self.state {
            self.state = State::Armed;
            progress.set(1);
        }
    }
}
