//! The melody network plays on where the player stops for a bar, until they play again.
//!
//! It is asked half a quarter note before a bar, and what it says is played by the sixteenths of the song, so a tempo that changes
//! moves the notes with it.

use std::sync::Arc;
use std::time::Duration;

use neurdsp_models::music::MusicRun;
use neurdsp_models::music::chords::Key;
use neurdsp_models::music::tunes::{
    ContinueOptions, HOLD, LOWEST_PITCH, REST, Surroundings, continue_melody, tokens,
};
use neurdsp_rt::inference::{Inference, InferenceSettings, Job};
use neurdsp_rt::{NoteDelay, NoteName};

use super::chords::{Chords, MAX_NOTES};
use super::clock::Part;
use crate::companion::networks::Network;

/// Most sixteenths of a bar, and of what the network hears.
const MAX_BAR: usize = 64;
const MAX_PROMPT: usize = 128;
/// Most bars that a question holds: a player who is silent for longer has stopped.
const MAX_BARS: usize = 64;
/// Sixteenths before a bar at which it is asked about, and of a quarter note.
const ASK: i64 = 2;
const SIXTEENTHS: f64 = 4.0;
/// Semitones around the melody in which it goes on.
const MARGIN: u8 = 4;
/// What its notes are called, so that a host's own end does not mean them.
const ID: i32 = 1 << 21;

/// What is asked about a bar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MelodyQuestion {
    /// Sixteenths of a bar, and of the melody that is known.
    bar: usize,
    n_prompt: usize,
    compound: bool,
    /// Bars that were played on since.
    bars_before: usize,
    seed: u64,
    n_notes: usize,
    /// Starts and ends in sixteenths, and pitches.
    notes: [(f32, f32, u8); MAX_NOTES],
}

/// A bar, as tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MelodyBar {
    n: usize,
    tokens: [u8; MAX_BAR],
}

const NOTHING: MelodyBar = MelodyBar { n: 0, tokens: [REST; MAX_BAR] };

/// What runs on the worker.
pub(crate) struct MelodyJob {
    run: MusicRun,
    options: ContinueOptions,
}

impl MelodyJob {
    pub(crate) fn new(network: &Network) -> MelodyJob {
        let options = ContinueOptions { mixture: network.mixture(), ..ContinueOptions::default() };
        MelodyJob { run: MusicRun::new(Arc::clone(&network.weights)), options }
    }

    fn answer(&mut self, question: &MelodyQuestion) -> neurdsp_models::Result<MelodyBar> {
        let notes = &question.notes[..question.n_notes.min(MAX_NOTES)];
        let mut durations = [0.0; 12];
        for (start, end, pitch) in notes {
            durations[usize::from(pitch % 12)] += end - start;
        }
        let key = Some(Key::estimate(&durations));
        let times: Vec<(f64, f64, u8)> = notes
            .iter()
            .map(|&(start, end, pitch)| (start.into(), end.into(), pitch.max(LOWEST_PITCH)))
            .collect();
        let prompt = tokens(&times, question.n_prompt)?;
        let pitches = || notes.iter().map(|note| note.2);
        let (low, high) = (pitches().min().unwrap_or(60), pitches().max().unwrap_or(72));
        let options = ContinueOptions {
            seed: question.seed,
            range: (low.saturating_sub(MARGIN).max(LOWEST_PITCH), (high + MARGIN).min(127)),
            ..self.options
        };
        let bar = question.bar;
        let count = question.n_prompt + (question.bars_before + 1) * bar;
        let place = |at: usize| Surroundings {
            place: (at % bar) as u32,
            bar: bar as u8,
            compound: question.compound,
            key,
            chord: None,
        };
        let places: Vec<Surroundings> = (0..count).map(place).collect();
        let found = continue_melody(&prompt, &places, &options, &mut self.run)?;
        let mut answer = MelodyBar { n: bar, ..NOTHING };
        let last = &found[found.len() - bar..];
        answer.tokens[..bar].copy_from_slice(last);
        Ok(answer)
    }
}

impl Job for MelodyJob {
    type Request = MelodyQuestion;
    type Answer = MelodyBar;

    fn run(&mut self, question: &MelodyQuestion) -> MelodyBar {
        // A melody that cannot go on is silent.
        self.answer(question).unwrap_or(NOTHING)
    }
}

impl MelodyJob {
    /// How its worker runs.
    pub(super) fn settings() -> InferenceSettings {
        InferenceSettings {
            capacity: 4,
            deadline: Duration::from_millis(200),
            poll: Duration::from_millis(2),
            ..InferenceSettings::default()
        }
    }
}

/// Where the melody of the player ends, and where it was gone on with, in quarter notes that were played.
#[derive(Clone, Copy, Debug)]
struct Since {
    end: f64,
    resumed: f64,
}

/// What one instance plays on.
pub(super) struct PlayOn {
    inference: Inference<MelodyJob>,
    last_due: i64,
    since: Option<Since>,
    bar: MelodyBar,
    /// A sixteenth of its bar, and when it is played.
    step: Option<(u64, usize)>,
    sounds: Option<NoteName>,
}

impl PlayOn {
    pub(super) fn new(inference: Inference<MelodyJob>) -> PlayOn {
        PlayOn { inference, last_due: i64::MIN, since: None, bar: NOTHING, step: None, sounds: None }
    }

    /// In an offline render every answer is there in time.
    pub(super) fn set_offline(&mut self, is_offline: bool) {
        self.inference.set_offline(is_offline);
    }

    /// The song jumps or stops; what sounds is ended elsewhere.
    pub(super) fn restart(&mut self) {
        self.inference.restart();
        (self.last_due, self.since, self.bar, self.step, self.sounds) = (i64::MIN, None, NOTHING, None, None);
    }

    /// The notes were ended elsewhere.
    pub(super) fn forget(&mut self) {
        self.sounds = None;
    }

    /// The player plays, or it is switched off.
    pub(super) fn stop(&mut self, now: u64, notes: &mut NoteDelay) {
        self.end(now, notes);
        (self.since, self.bar) = (None, NOTHING);
    }

    fn end(&mut self, now: u64, notes: &mut NoteDelay) {
        if let Some(name) = self.sounds.take() {
            notes.end(name, 0.0, now);
        }
    }

    /// The first sixteenth in a part: its number from some bar on.
    pub(super) fn first_step(part: &Part) -> i64 {
        let from_bar = (part.segment.beat - part.meter.bar_start) * SIXTEENTHS;
        let mut number = (from_bar - 1e-6).floor() as i64;
        while part.segment.first_sample(beat(part, number)) < 0.0 {
            number += 1;
        }
        number
    }

    /// The sample of the block at which a sixteenth begins; it may lie after the part.
    pub(super) fn sample(part: &Part, number: i64) -> usize {
        part.segment.offset + part.segment.first_sample(beat(part, number)).max(0.0) as usize
    }

    /// A sixteenth begins at a sample of the block; it is played `decision` samples later.
    #[allow(clippy::too_many_arguments, reason = "all of them are of one moment")]
    pub(super) fn begin(
        &mut self,
        part: &Part,
        at: usize,
        number: i64,
        now: u64,
        decision: u64,
        seed: u64,
        chords: &Chords,
    ) {
        let bar = (part.meter.bar() * SIXTEENTHS).round() as i64;
        let is_whole = (part.meter.bar() * SIXTEENTHS - bar as f64).abs() < 1e-6;
        if !is_whole || !(2 * ASK..=MAX_BAR as i64).contains(&bar) {
            return;
        }
        let place = number.rem_euclid(bar);
        if place == 0 {
            let mut found = NOTHING;
            while let Some((_, answer)) = self.inference.due(now as i64) {
                found = answer.unwrap_or(NOTHING);
            }
            self.bar = if self.since.is_some() { found } else { NOTHING };
        }
        self.step = Some((now + decision, place as usize));
        if place == bar - ASK {
            self.ask(part, at, bar as usize, now, seed, chords);
        }
    }

    /// Asks about the next bar, if the player was silent for one.
    fn ask(&mut self, part: &Part, at: usize, bar: usize, now: u64, seed: u64, chords: &Chords) {
        let quarters = part.meter.bar();
        let ahead = ASK as f64 / SIXTEENTHS;
        let next = part.played(at) + ahead;
        let Some((start, end)) = chords.last_played() else { return };
        if end.is_none_or(|end| part.played(at) - end < quarters - ahead - 1e-6) {
            return;
        }
        let silent = ((next - start) / quarters - 1e-6).ceil() - 1.0;
        let since = *self.since.get_or_insert(Since { end: next - silent * quarters, resumed: next });
        let bars_before = ((next - since.resumed) / quarters).round() as usize;
        // From the bar of the first note on: silence before it would be remembered as a part of the melody.
        let first = chords.melody().map(|note| note.0).fold(f64::INFINITY, f64::min);
        let n_bars = ((since.end - first) / quarters - 1e-6).ceil().clamp(1.0, (MAX_PROMPT / bar) as f64);
        let n_prompt = n_bars as usize * bar;
        if bars_before >= MAX_BARS || !first.is_finite() {
            return;
        }
        let from = since.end - n_prompt as f64 / SIXTEENTHS;
        let (beats, beat) = part.meter.beats;
        let mut question = MelodyQuestion {
            bar,
            n_prompt,
            compound: beat == 8 && beats.is_multiple_of(3),
            bars_before,
            seed,
            n_notes: 0,
            notes: [(0.0, 0.0, 0); MAX_NOTES],
        };
        let place = |played: f64| ((played - from) * SIXTEENTHS) as f32;
        for (start, end, pitch) in chords.melody().filter(|note| note.0 >= from - 0.125) {
            question.notes[question.n_notes] = (place(start).max(0.0), place(end), pitch);
            question.n_notes += 1;
        }
        let due_in = (1.0 / SIXTEENTHS / part.segment.beats_per_sample).round() as u64;
        self.last_due = self.last_due.max((now + due_in) as i64);
        self.inference.submit(&question, self.last_due);
    }

    /// When something is to be done next.
    pub(super) fn next_at(&self) -> Option<u64> {
        self.step.map(|step| step.0)
    }

    /// Plays the sixteenth that is due. `rest` is how late a note is that is passed on now.
    pub(super) fn run(&mut self, now: u64, rest: u64, is_on: bool, chords: &Chords, notes: &mut NoteDelay) {
        if !is_on {
            self.stop(now, notes);
        }
        let Some((_, place)) = self.step.filter(|step| step.0 <= now) else { return };
        self.step = None;
        if self.since.is_none() {
            return;
        }
        match self.bar.tokens[..self.bar.n].get(place).copied().unwrap_or(REST) {
            HOLD => {}
            REST => self.end(now, notes),
            pitch => {
                self.end(now, notes);
                let (channel, velocity) = chords.voice();
                let name = NoteName { channel, pitch, id: Some(ID + i32::from(pitch)) };
                notes.begin(name, velocity, now, rest);
                self.sounds = Some(name);
            }
        }
    }
}

fn beat(part: &Part, number: i64) -> f64 {
    part.meter.bar_start + number as f64 / SIXTEENTHS
}
