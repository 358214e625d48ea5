//! Notes in, notes out: each is passed on at its own time, with the feel of the groove.
//!
//! Every note is late by the latency, and by its shift; that is below 0 for a hit that is to be early. A hit is decided some
//! milliseconds after it came, so that an answer that was asked at the start of the song is there. Nothing here
//! depends on the size of blocks.

use std::collections::VecDeque;

use neurdsp_models::music::groove::{Change, Feel, LiveHit, N_VOICES, voice_of};
use neurdsp_rt::inference::Inference;
use neurdsp_rt::{DelayedEvent, NoteDelay, NoteName, Transport};
use nice_plug::midi::{Channel, Key, VoiceID};
use nice_plug::prelude::NoteEvent;

use super::chords::ChordJob;
use super::clock::{Clock, Meter, Part, Turn};
use super::follow::{ChordSettings, ChordView, Follow};
use super::groove::{Ask, Groove, GrooveJob};
use super::listen::{Listen, Progress, Taken};
use super::trace::Trace;
use crate::loading::Requests;

/// The latency with which hits can be early.
const LATENCY_MS: f64 = 40.0;
/// After how long a hit is decided. It can be as early as what is left of the latency.
const DECISION_MS: f64 = 10.0;
/// After how long the answers count that are asked where the song starts.
const START_MS: f64 = 10.0;
/// Beats before a beat at which it is asked about, and after which the answer counts.
const ASK_BEATS: f64 = 0.5;
const DUE_BEATS: f64 = 0.25;
/// Most notes at a time, and most other events of the latency.
const MAX_NOTES: usize = 256;
const MAX_EVENTS: usize = 1024;
/// Strokes of a voice closer than this move together.
const FLAM_MS: f64 = 40.0;
/// Strokes of a voice closer than this, in quarter notes, are of a roll.
const ROLL_QUARTERS: f64 = 0.62 / 4.0;

/// What the line is set to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) feel: Feel,
    /// Whether hits change at all.
    pub(crate) is_on: bool,
    /// The channel of the drums; none for all.
    pub(crate) channel: Option<u8>,
    pub(crate) listens: bool,
    pub(crate) listen_bars: u32,
    pub(crate) chords: ChordSettings,
    pub(crate) is_offline: bool,
}

/// Where in the song a hit came.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The beat that it belongs to, and the next one, if its grid says so.
    beats: [i64; 2],
    /// Quarter notes from the first of them.
    at: f64,
    /// Its place in the bar, 0 to 1.
    in_bar: f64,
    voice: usize,
    quarter_ms: f64,
    rolled: bool,
    is_flam: bool,
}

/// What came and is not decided yet.
#[derive(Clone, Copy, Debug)]
enum Came {
    On {
        name: NoteName,
        velocity: f32,
        place: Option<Place>,
    },
    Off {
        name: NoteName,
        velocity: f32,
    },
    /// The song jumped or stopped.
    Cut,
}

/// What a line shares with other threads.
#[derive(Debug, Default)]
pub(crate) struct LineShared {
    pub(crate) trace: Trace,
    pub(crate) progress: Progress,
    pub(crate) chords: ChordView,
    pub(crate) requests: std::sync::Arc<Requests>,
}

/// The notes of one instance.
pub(crate) struct Line {
    groove: Groove,
    follow: Follow,
    clock: Clock,
    listen: Listen,
    notes: NoteDelay,
    /// With the samples at which they are decided.
    waiting: VecDeque<(u64, Came)>,
    /// Other events, with the samples at which they are passed on.
    others: VecDeque<(u64, NoteEvent<()>)>,
    /// The last change of each voice.
    changes: [Change; N_VOICES],
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
        inference: (Inference<GrooveJob>, Inference<ChordJob>),
        before: Option<Line>,
        sample_rate: f64,
        late_only: bool,
    ) -> (Line, Taken) {
        let (listen, taken) = Listen::new();
        let mut line = Line {
            groove: Groove::new(inference.0),
            follow: Follow::new(inference.1),
            clock: Clock::default(),
            listen,
            releases: before.is_some(),
            notes: before.map_or_else(|| NoteDelay::new(MAX_NOTES), |before| before.notes),
            waiting: VecDeque::with_capacity(2 * MAX_NOTES),
            others: VecDeque::with_capacity(MAX_EVENTS),
            changes: [Change { later_ms: 0.0, velocity: 0.0 }; N_VOICES],
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

    fn samples(&self, ms: f64) -> u64 {
        (ms * 1e-3 * self.sample_rate).round().max(0.0) as u64
    }

    /// Follows the switch; a change ends all notes.
    pub(crate) fn set_late_only(&mut self, late_only: bool) {
        let latency = if late_only { 0 } else { Line::max_latency(self.sample_rate) as u64 };
        if latency != self.latency {
            self.release();
        }
        self.latency = latency;
        self.decision = if late_only { 0 } else { self.samples(DECISION_MS) };
    }

    /// Ends every note that sounds at the start of the next block, and forgets what waits.
    pub(crate) fn release(&mut self) {
        self.releases = true;
        self.waiting.clear();
        self.others.clear();
        self.follow.forget();
    }

    /// Begins anew, as after a deactivation; notes that sound are ended with the next block.
    pub(crate) fn reset(&mut self) {
        self.release();
        self.clock = Clock::default();
        self.groove.restart();
        self.follow.restart();
    }

    /// Plays a block: takes the events that `next` gives, in the order of time, and sends others. `wake` is called when a
    /// recording is complete.
    #[allow(clippy::too_many_arguments, reason = "all of them are of one block")]
    pub(crate) fn process(
        &mut self,
        transport: &Transport,
        meter: Meter,
        n_samples: usize,
        settings: &Settings,
        shared: &LineShared,
        mut next: impl FnMut() -> Option<NoteEvent<()>>,
        mut send: impl FnMut(NoteEvent<()>),
        wake: impl Fn(),
    ) {
        if std::mem::take(&mut self.releases) {
            self.notes.release(&mut |event| send(told(event, 0)));
        }
        self.groove.set_offline(settings.is_offline);
        self.follow.chords.set_offline(settings.is_offline);
        self.listen.switch(settings.listens, &shared.progress);
        let mut coming = next();
        let mut clock = std::mem::take(&mut self.clock);
        let plays = clock.follow(transport, meter, n_samples, |part| {
            let quarter_us = quarter_us(part, self.sample_rate);
            self.turn(part, settings, quarter_us, &shared.progress);
            self.listen.follow(part, settings.listen_bars, &shared.progress);
            let samples = part.segment.offset..part.segment.offset + part.segment.len;
            self.run(samples, Some((part, quarter_us)), settings, shared, &mut coming, &mut next, &mut send);
            self.listen.end(part, quarter_us, &shared.requests, &shared.progress, &wake);
        });
        if !plays {
            if clock.stop() {
                self.interrupt(0, &shared.progress);
            }
            self.run(0..n_samples, None, settings, shared, &mut coming, &mut next, &mut send);
        }
        self.clock = clock;
        self.begin += n_samples as u64;
    }

    /// What a seam or a jump at the start of a part asks for.
    fn turn(&mut self, part: &Part, settings: &Settings, quarter_us: u32, progress: &Progress) {
        let sample = part.segment.offset;
        let is_whole = (part.segment.beat + 1e-6).fract() < 2e-6;
        match part.turn {
            Turn::On => return,
            Turn::Loop => self.wait(sample, Came::Cut),
            Turn::Jump => self.interrupt(sample, progress),
        }
        if part.turn == Turn::Loop && is_whole {
            return; // asked about before the seam
        }
        let here = part.segment.beat;
        let first = (here + 0.125).floor() as i64;
        let is_late = here > first as f64 + 1.0 - ASK_BEATS;
        for beat in [Some(first), is_late.then_some(first + 1)].into_iter().flatten() {
            let due_in = self.samples(START_MS);
            let now = self.begin + sample as u64;
            let ask = Ask { beat, sample, now, due_in, quarter_us, seed: settings.feel.seed };
            self.groove.ask(part, &ask);
        }
    }

    fn interrupt(&mut self, sample: usize, progress: &Progress) {
        self.wait(sample, Came::Cut);
        self.groove.restart();
        self.follow.restart();
        self.listen.interrupt(progress);
    }

    fn wait(&mut self, sample: usize, came: Came) {
        // Never longer than at first: a full queue loses the note rather than allocate.
        if self.waiting.len() < self.waiting.capacity() {
            self.waiting.push_back((self.begin + sample as u64 + self.decision, came));
        }
    }

    /// Runs a part of the block, from one moment at which something happens to the next.
    #[allow(clippy::too_many_arguments, reason = "all of them are of one block")]
    fn run(
        &mut self,
        samples: std::ops::Range<usize>,
        song: Option<(&Part, u32)>,
        settings: &Settings,
        shared: &LineShared,
        coming: &mut Option<NoteEvent<()>>,
        next: &mut impl FnMut() -> Option<NoteEvent<()>>,
        send: &mut impl FnMut(NoteEvent<()>),
    ) {
        let mut beat = song.map(|(part, _)| first_ask(part));
        let mut half = song.map(|(part, _)| Follow::first_half_bar(part));
        let mut at = samples.start;
        loop {
            let ask = song.zip(beat).map(|((part, _), beat)| ask_sample(part, beat));
            let event = coming.as_ref().map(|event| (event.timing() as usize).max(at));
            let inner = [
                self.waiting.front().map(|one| one.0),
                self.notes.next_at(),
                self.others.front().map(|one| one.0),
                self.follow.next_at().filter(|_| song.is_some()),
            ];
            let inner =
                inner.into_iter().flatten().min().map(|moment| moment.saturating_sub(self.begin) as usize);
            let bar = song.zip(half).map(|((part, _), half)| Follow::sample(part, half));
            let Some(moment) = [ask, bar, event, inner].into_iter().flatten().min() else { return };
            at = at.max(moment);
            if at >= samples.end {
                return;
            }
            if let (Some((part, quarter_us)), Some(asked), true) = (song, beat, ask == Some(at)) {
                let due_in = (DUE_BEATS / part.segment.beats_per_sample).round() as u64;
                let now = self.begin + at as u64;
                let ask = Ask { beat: asked, sample: at, now, due_in, quarter_us, seed: settings.feel.seed };
                self.groove.ask(part, &ask);
                beat = Some(asked + 1);
            }
            if let (Some((part, _)), true) = (song, bar == Some(at)) {
                self.follow.begin(part, at, self.begin + at as u64, self.decision);
                half = half.map(|half| half + 1);
            }
            while let Some(event) = coming.filter(|event| event.timing() as usize <= at) {
                self.take(event, at, song, settings);
                *coming = next();
            }
            self.pass(at, song.map(|(part, _)| part), settings, shared, send);
        }
    }

    /// Takes an event that comes at a sample of the block.
    fn take(&mut self, event: NoteEvent<()>, at: usize, song: Option<(&Part, u32)>, settings: &Settings) {
        match event {
            NoteEvent::NoteOn { voice_id, channel, key: Key::Number(pitch), velocity, .. }
                if velocity > 0.0 =>
            {
                let name = named(channel, pitch, voice_id);
                let place = song.and_then(|(part, _)| self.place(part, at, name, velocity, settings));
                if let (None, Some((part, _))) = (place, song) {
                    self.follow.chords.begin(name.channel, name.pitch, part.played(at));
                }
                self.wait(at, Came::On { name, velocity, place });
            }
            NoteEvent::NoteOn { voice_id, channel, key: Key::Number(pitch), velocity, .. }
            | NoteEvent::NoteOff { voice_id, channel, key: Key::Number(pitch), velocity, .. } => {
                let name = named(channel, pitch, voice_id);
                if let Some((part, _)) = song {
                    self.follow.chords.end(name.channel, name.pitch, part.played(at));
                }
                self.wait(at, Came::Off { name, velocity });
            }
            NoteEvent::Choke { voice_id, channel, key: Key::Number(pitch), .. } => {
                self.wait(at, Came::Off { name: named(channel, pitch, voice_id), velocity: 0.0 });
            }
            other if self.others.len() < self.others.capacity() => {
                self.others.push_back((self.begin + at as u64 + self.latency, other));
            }
            _ => {}
        }
    }

    /// Where a hit of the kit comes; none for other notes.
    fn place(
        &mut self,
        part: &Part,
        at: usize,
        name: NoteName,
        velocity: f32,
        settings: &Settings,
    ) -> Option<Place> {
        let voice = voice_of(name.pitch)
            .filter(|_| settings.channel.is_none_or(|channel| channel == name.channel))?;
        let (here, played) = (part.beat(at), part.played(at));
        let quarter_ms = 1e3 / (part.segment.beats_per_sample * self.sample_rate);
        let velocity = (127.0 * velocity).round().clamp(1.0, 127.0) as u8;
        let since = self.groove.hear(voice, name.pitch, velocity, played);
        self.listen.hear(name.pitch, velocity, played);
        let beat = (here + 0.125).floor() as i64;
        Some(Place {
            beats: [part.wrapped(beat), part.wrapped(beat + 1)],
            at: here - beat as f64,
            in_bar: part.meter.in_bar(here) / part.meter.bar(),
            voice,
            quarter_ms,
            rolled: since < ROLL_QUARTERS,
            is_flam: since * quarter_ms < FLAM_MS,
        })
    }

    /// Decides and sends what is due at a sample of the block.
    fn pass(
        &mut self,
        at: usize,
        part: Option<&Part>,
        settings: &Settings,
        shared: &LineShared,
        send: &mut impl FnMut(NoteEvent<()>),
    ) {
        let now = self.begin + at as u64;
        let rest = self.latency - self.decision;
        while let Some((_, came)) = self.waiting.front().copied().filter(|(moment, _)| *moment <= now) {
            self.waiting.pop_front();
            match came {
                Came::On { name, velocity, place } => {
                    let (later, velocity) = self.decide(place, velocity, now, settings, shared);
                    let delay = rest.saturating_add_signed(later);
                    self.notes.begin(name, velocity, now, delay);
                }
                Came::Off { name, velocity } => _ = self.notes.end(name, velocity, now),
                Came::Cut => {
                    self.notes.cut(now, rest);
                    self.follow.forget();
                }
            }
        }
        let part = part.map(|part| (part, at));
        let (rate, chords) = (self.sample_rate, &settings.chords);
        self.follow.run(part, now, rest, rate, chords, &shared.chords, &mut self.notes);
        while let Some((_, event)) = self.others.front().copied().filter(|(moment, _)| *moment <= now) {
            self.others.pop_front();
            send(at_sample(event, at as u32));
        }
        self.notes.send(now, &mut |event| send(told(event, at as u32)));
    }

    /// By how many samples a note is later, and its velocity.
    fn decide(
        &mut self,
        place: Option<Place>,
        velocity: f32,
        now: u64,
        settings: &Settings,
        shared: &LineShared,
    ) -> (i64, f32) {
        let Some(place) = place.filter(|_| settings.is_on) else { return (0, velocity) };
        let [first, second] = place.beats;
        let steps = 127.0 * velocity;
        let hit = LiveHit {
            voice: place.voice,
            at: place.at,
            velocity: steps,
            quarter_ms: place.quarter_ms,
            rolled: place.rolled,
        };
        let played = self.groove.table(first, now).map(|table| table.play(&hit, &settings.feel));
        let change = match played {
            Some(None) => {
                let hit = LiveHit { at: place.at - 1.0, ..hit };
                self.groove.table(second, now).and_then(|table| table.play(&hit, &settings.feel))
            }
            Some(change) => change,
            None => None,
        };
        let Some(mut change) = change else { return (0, velocity) };
        let last = &mut self.changes[place.voice];
        if place.is_flam {
            change.later_ms = last.later_ms;
        }
        *last = change;
        let (before, after) = (steps.round(), change.velocity.round());
        shared.trace.push(
            place.voice,
            place.in_bar as f32,
            change.later_ms as f32,
            [before as u8, after as u8],
        );
        let later = (change.later_ms * 1e-3 * self.sample_rate).round() as i64;
        (later, if after == before { velocity } else { after / 127.0 })
    }
}

fn quarter_us(part: &Part, sample_rate: f64) -> u32 {
    (1e6 / (part.segment.beats_per_sample * sample_rate)).clamp(1.0, f64::from(u32::MAX)) as u32
}

/// The first beat that is asked about in a part.
fn first_ask(part: &Part) -> i64 {
    let mut beat = (part.segment.beat + ASK_BEATS).floor() as i64;
    while part.segment.first_sample(beat as f64 - ASK_BEATS) < 0.0 {
        beat += 1;
    }
    beat
}

/// The sample of the block at which a beat is asked about; it may lie after the part.
fn ask_sample(part: &Part, beat: i64) -> usize {
    part.segment.offset + part.segment.first_sample(beat as f64 - ASK_BEATS).max(0.0) as usize
}

fn named(channel: Channel, pitch: u8, id: VoiceID) -> NoteName {
    NoteName { channel: channel.number().unwrap_or(0), pitch, id: id.id() }
}

/// The event at another sample of the block.
fn at_sample(mut event: NoteEvent<()>, sample: u32) -> NoteEvent<()> {
    match &mut event {
        NoteEvent::PolyPressure { timing, .. }
        | NoteEvent::PolyVolume { timing, .. }
        | NoteEvent::PolyPan { timing, .. }
        | NoteEvent::PolyTuning { timing, .. }
        | NoteEvent::PolyVibrato { timing, .. }
        | NoteEvent::PolyExpression { timing, .. }
        | NoteEvent::PolyBrightness { timing, .. }
        | NoteEvent::MidiChannelPressure { timing, .. }
        | NoteEvent::MidiPitchBend { timing, .. }
        | NoteEvent::MidiCC { timing, .. }
        | NoteEvent::MidiProgramChange { timing, .. } => *timing = sample,
        _ => {}
    }
    event
}

/// What the host is told.
fn told(event: DelayedEvent, timing: u32) -> NoteEvent<()> {
    let (is_on, name, velocity) = match event {
        DelayedEvent::On(name, velocity) => (true, name, velocity),
        DelayedEvent::Off(name, velocity) => (false, name, velocity),
    };
    let voice_id = name.id.map_or(VoiceID::Wildcard, VoiceID::ID);
    let (channel, key) = (Channel::Number(name.channel), Key::Number(name.pitch));
    if is_on {
        NoteEvent::NoteOn { timing, voice_id, channel, key, velocity }
    } else {
        NoteEvent::NoteOff { timing, voice_id, channel, key, velocity }
    }
}
