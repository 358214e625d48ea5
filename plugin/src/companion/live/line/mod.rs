//! Notes in, notes out: each is passed on at its own time, with the feel of the groove.
//!
//! Every note is late by the latency, and by its shift; that is below 0 for a hit that is to be early. A hit is decided some
//! milliseconds after it came, so that an answer that was asked at the start of the song is there. Nothing here
//! depends on the size of blocks: a block is run from one moment at which something happens to the next.

mod passing;

use std::collections::VecDeque;
use std::ops::Range;

use neurdsp_rt::{NoteDelay, NoteName, NotePattern, Transport};
use nice_plug::prelude::NoteEvent;

use super::asks;
use super::clock::{Clock, Meter, Part, Spot, Turn};
use super::dynamics::Dynamics;
use super::events::told;
use super::follow::Follow;
use super::hits::{Hit, Hits};
use super::listen::{Listen, Progress, Taken};
use super::modulation::Modulation;
use super::play_on::PlayOn;
use super::settings::{LineShared, Settings};
use super::tables::Ask;
use super::workers::Inferences;

/// The latency with which hits can be early.
const LATENCY_MS: f64 = 40.0;
/// After how long a hit is decided. It can be as early as what is left of the latency.
const DECISION_MS: f64 = 10.0;
/// Most notes at a time, and most other events of the latency.
const MAX_NOTES: usize = 256;
const MAX_EVENTS: usize = 4096;

/// A block of the host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block<'a> {
    pub(crate) transport: &'a Transport,
    pub(crate) meter: Meter,
    pub(crate) n_samples: usize,
    /// The number of its first sample in the sound that is heard.
    pub(crate) heard: u64,
    pub(crate) settings: &'a Settings,
    pub(crate) shared: &'a LineShared,
}

/// Where the song has come to, or where it stopped.
#[derive(Clone, Copy, Debug)]
struct Last {
    sample: u64,
    played: f64,
    beats_per_sample: f64,
}

/// What came and is not decided yet.
#[derive(Clone, Copy, Debug)]
enum Came {
    On {
        name: NoteName,
        velocity: f32,
        /// Where in the song; none without one.
        spot: Option<Spot>,
        /// None for notes that are no drums.
        hit: Option<Hit>,
    },
    Off {
        name: NoteName,
        velocity: f32,
    },
    /// An end that leaves key or channel open.
    OffAll {
        pattern: NotePattern,
        velocity: f32,
    },
    /// The song jumped or stopped.
    Cut,
}

/// The notes of one instance.
pub(crate) struct Line {
    hits: Hits,
    dynamics: Dynamics,
    follow: Follow,
    play_on: PlayOn,
    modulation: Modulation,
    clock: Clock,
    listen: Listen,
    notes: NoteDelay,
    /// With the samples at which they are decided.
    waiting: VecDeque<(u64, Came)>,
    /// Other events, with the samples at which they are passed on.
    others: VecDeque<(u64, NoteEvent<()>)>,
    last: Option<Last>,
    /// The first sample of the block.
    begin: u64,
    sample_rate: f64,
    latency: u64,
    decision: u64,
    releases: bool,
}

impl Line {
    /// A line, and the side that takes what it records. Notes that sound in the line `before` it are ended with the first block.
    pub(crate) fn new(
        inference: Inferences,
        before: Option<Line>,
        sample_rate: f64,
        late_only: bool,
    ) -> (Line, Taken) {
        let (listen, taken) = Listen::new();
        let mut line = Line {
            hits: Hits::new(inference.groove, sample_rate),
            dynamics: Dynamics::new(inference.dynamics),
            follow: Follow::new(inference.chords),
            play_on: PlayOn::new(inference.melody),
            modulation: Modulation::new(inference.mood, sample_rate),
            clock: Clock::default(),
            listen,
            releases: before.is_some(),
            notes: before.map_or_else(|| NoteDelay::new(MAX_NOTES), |before| before.notes),
            waiting: VecDeque::with_capacity(2 * MAX_NOTES),
            others: VecDeque::with_capacity(MAX_EVENTS),
            last: None,
            begin: 0,
            sample_rate,
            latency: 0,
            decision: 0,
        };
        line.set_late_only(late_only);
        (line, taken)
    }

    /// Most samples of latency at a rate in Hz.
    pub(crate) fn max_latency(sample_rate: f64) -> usize {
        (LATENCY_MS * 1e-3 * sample_rate).round() as usize
    }

    /// By how many samples all is late.
    pub(crate) fn latency(&self) -> usize {
        self.latency as usize
    }

    /// Follows the switch; a change ends all notes.
    pub(crate) fn set_late_only(&mut self, late_only: bool) {
        let latency = if late_only { 0 } else { Line::max_latency(self.sample_rate) as u64 };
        if latency != self.latency {
            self.release();
        }
        self.latency = latency;
        self.decision = if late_only { 0 } else { (DECISION_MS * 1e-3 * self.sample_rate).round() as u64 };
    }

    /// Ends every note that sounds at the start of the next block, and forgets what waits.
    pub(crate) fn release(&mut self) {
        self.releases = true;
        self.waiting.clear();
        self.others.clear();
        self.follow.forget();
        self.play_on.forget();
    }

    /// Begins anew, as after a deactivation; notes that sound are ended with the next block.
    pub(crate) fn reset(&mut self) {
        self.release();
        self.clock = Clock::default();
        self.hits.restart();
        self.dynamics.restart();
        self.follow.restart();
        self.play_on.restart();
    }

    /// Plays a block: takes the events that `next` gives, in the order of time, and sends others. `wake` is called when a
    /// recording is complete.
    pub(crate) fn process(
        &mut self,
        block: &Block,
        mut next: impl FnMut() -> Option<NoteEvent<()>>,
        mut send: impl FnMut(NoteEvent<()>),
        wake: impl Fn(),
    ) {
        let Block { transport, meter, n_samples, settings, shared, .. } = *block;
        if std::mem::take(&mut self.releases) {
            self.notes.release(&mut |event| send(told(event, 0)));
        }
        self.hits.set_offline(settings.is_offline);
        self.dynamics.set_offline(settings.is_offline);
        self.follow.chords.set_offline(settings.is_offline);
        self.play_on.set_offline(settings.is_offline);
        self.modulation.set_offline(settings.is_offline);
        self.listen.switch(settings.listens, &shared.progress);
        let mut coming = next();
        let mut clock = std::mem::take(&mut self.clock);
        let plays = clock.follow(transport, meter, n_samples, |part| {
            self.turn(part, settings, &shared.progress);
            self.listen.follow(part, settings.listen_bars, &shared.progress);
            let (begin, end) = (part.segment.offset, part.segment.offset + part.segment.len);
            self.last = Some(Last {
                sample: self.begin + end as u64,
                played: part.played(end),
                beats_per_sample: part.segment.beats_per_sample,
            });
            self.run(begin..end, Some(part), block, &mut coming, &mut next, &mut send);
            let quarter_us = part.quarter_us(self.sample_rate);
            self.listen.end(part, quarter_us, &shared.requests, &shared.progress, &wake);
            shared.capture.follow(part, self.sample_rate);
        });
        if !plays {
            if clock.stop() {
                self.interrupt(0, &shared.progress);
            }
            self.run(0..n_samples, None, block, &mut coming, &mut next, &mut send);
        }
        self.clock = clock;
        self.begin += n_samples as u64;
    }

    /// What a seam or a jump at the start of a part asks for.
    fn turn(&mut self, part: &Part, settings: &Settings, progress: &Progress) {
        let sample = part.segment.offset;
        match part.turn {
            Turn::On => return,
            Turn::Loop => self.wait(sample, Came::Cut),
            Turn::Jump => self.interrupt(sample, progress),
        }
        for ask in asks::at_start(part, self.begin, self.sample_rate) {
            self.ask(part, &ask, settings);
        }
    }

    /// Asks about a beat.
    fn ask(&mut self, part: &Part, ask: &Ask, settings: &Settings) {
        self.hits.ask(part, ask, settings.feel.seed);
        self.dynamics.ask(part, ask, settings.dynamics);
    }

    fn interrupt(&mut self, sample: usize, progress: &Progress) {
        self.wait(sample, Came::Cut);
        self.hits.restart();
        self.dynamics.restart();
        self.follow.restart();
        self.play_on.restart();
        self.listen.interrupt(progress);
    }

    fn wait(&mut self, sample: usize, came: Came) {
        // Never longer than at first: a full queue loses the note rather than allocate.
        if self.waiting.len() < self.waiting.capacity() {
            self.waiting.push_back((self.begin + sample as u64 + self.decision, came));
        }
    }

    /// Runs a part of the block, from one moment at which something happens to the next.
    fn run(
        &mut self,
        samples: Range<usize>,
        part: Option<&Part>,
        block: &Block,
        coming: &mut Option<NoteEvent<()>>,
        next: &mut impl FnMut() -> Option<NoteEvent<()>>,
        send: &mut impl FnMut(NoteEvent<()>),
    ) {
        let mut beat = part.map(asks::first_beat);
        let mut half = part.map(Follow::first_half_bar);
        let mut step = part.filter(|_| block.settings.plays_on).map(PlayOn::first_step);
        let mut at = samples.start;
        loop {
            let ask = part.zip(beat).map(|(part, beat)| asks::sample(part, beat));
            let bar = part.zip(half).map(|(part, half)| Follow::sample(part, half));
            let event = coming.as_ref().map(|event| (event.timing() as usize).max(at));
            let own = self.next_at(part.is_some()).map(|moment| moment.saturating_sub(self.begin) as usize);
            let sixteenth = part.zip(step).map(|(part, step)| PlayOn::sample(part, step));
            let Some(moment) = [ask, bar, sixteenth, event, own].into_iter().flatten().min() else { return };
            at = at.max(moment);
            if at >= samples.end {
                return;
            }
            if let (Some(part), Some(asked), true) = (part, beat, ask == Some(at)) {
                let ask = asks::ahead(part, asked, at, self.begin, self.sample_rate);
                self.ask(part, &ask, block.settings);
                beat = Some(asked + 1);
            }
            if let (Some(part), true) = (part, bar == Some(at)) {
                self.follow.begin(part, at, self.begin + at as u64, self.decision);
                half = half.map(|half| half + 1);
            }
            if let (Some(part), Some(number), true) = (part, step, sixteenth == Some(at)) {
                let (now, seed) = (self.begin + at as u64, block.settings.feel.seed);
                self.play_on.begin(part, at, number, now, self.decision, seed, &self.follow.chords);
                step = Some(number + 1);
            }
            while let Some(event) = coming.filter(|event| event.timing() as usize <= at) {
                self.take(event, at, part, block.settings);
                *coming = next();
            }
            self.pass(at, part, block, send);
        }
    }

    /// When something is due next that is known already.
    fn next_at(&self, plays: bool) -> Option<u64> {
        let moments = [
            self.waiting.front().map(|one| one.0),
            self.notes.next_at(),
            self.others.front().map(|one| one.0),
            self.follow.next_at().filter(|_| plays),
            self.play_on.next_at().filter(|_| plays),
            Some(self.modulation.next_at()),
        ];
        moments.into_iter().flatten().min()
    }
}
