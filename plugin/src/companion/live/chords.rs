//! Chords that follow a melody: the harmony network beside the audio thread, and the chord that sounds.
//!
//! A chord is asked at the start of each half bar, after the first note of the melody there has come, and begins when that note is passed on.
//! What was played is kept: the chords before are fixed, and the plan goes on from them.

use std::collections::VecDeque;
use std::time::Duration;

use neurdsp_models::music::MusicRun;
use neurdsp_models::music::chords::{
    Chord, Key, MelodyNote, PlanOptions, key_of, plan, segments, total_durations, voice,
};
use neurdsp_rt::inference::{Inference, InferenceSettings, Job};
use neurdsp_rt::{NoteName, NotePattern};

use super::clock::Part;

/// Half bars that a question looks back, and that a plan goes on for.
pub(crate) const PAST: usize = 16;
pub(crate) const COMING: usize = 6;
/// Suggestions for the half bar that begins.
pub(crate) const SUGGESTIONS: usize = 3;
/// Most notes of a chord, and most notes of the melody that count.
pub(crate) const VOICES: usize = 5;
pub(super) const MAX_NOTES: usize = 96;
/// No chord, where one could be.
pub(crate) const FREE: u8 = u8::MAX;

/// A note of the melody, in half bars from the oldest of the question.
#[derive(Clone, Copy, Debug, Default)]
struct Sung {
    start: f32,
    end: f32,
    pitch: u8,
}

/// What is asked about a half bar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChordQuestion {
    /// The number of half bars before it that are known.
    n_past: usize,
    /// Their chords, by number.
    past: [u8; PAST],
    /// Chords that the half bar and those to come shall have.
    wanted: [u8; 1 + COMING],
    /// Whether the half bar begins a bar, and whether bars have two.
    downbeat: bool,
    halves: bool,
    n_notes: usize,
    notes: [Sung; MAX_NOTES],
}

/// The chord of a half bar, what else would fit, and what is planned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ChordAnswer {
    /// The chord, then the others from the likeliest on.
    pub(crate) suggestions: [(u8, f32); SUGGESTIONS],
    pub(crate) coming: [u8; COMING],
    pub(crate) pitches: [u8; VOICES],
    pub(crate) n_pitches: usize,
    /// The tonic, and whether the key is minor.
    pub(crate) key: (u8, bool),
    is_there: bool,
}

const NOTHING: ChordAnswer = ChordAnswer {
    suggestions: [(FREE, 0.0); SUGGESTIONS],
    coming: [FREE; COMING],
    pitches: [0; VOICES],
    n_pitches: 0,
    key: (0, false),
    is_there: false,
};

/// What runs on the worker.
pub(crate) struct ChordJob(pub(crate) MusicRun);

impl Job for ChordJob {
    type Request = ChordQuestion;
    type Answer = ChordAnswer;

    fn run(&mut self, question: &ChordQuestion) -> ChordAnswer {
        // A melody that cannot be cut has no chord.
        self.answer(question).unwrap_or(NOTHING)
    }
}

impl ChordJob {
    fn answer(&mut self, question: &ChordQuestion) -> neurdsp_models::Result<ChordAnswer> {
        let n_past = question.n_past.min(PAST);
        let n = n_past + 1 + COMING;
        let notes: Vec<MelodyNote> = question.notes[..question.n_notes.min(MAX_NOTES)]
            .iter()
            .map(|note| MelodyNote { start: note.start.into(), end: note.end.into(), pitch: note.pitch })
            .collect();
        let bounds: Vec<f64> = (0..=n).map(|at| at as f64).collect();
        let begins =
            |at: usize| !question.halves || at.abs_diff(n_past).is_multiple_of(2) == question.downbeat;
        let downbeats: Vec<bool> = (0..n).map(begins).collect();
        let cut = segments(&notes, &bounds, &downbeats)?;
        let is_silent = total_durations(&cut).iter().all(|length| *length == 0.0);
        if is_silent {
            return Ok(NOTHING);
        }
        let key: Key = key_of(&cut);
        let wanted = question.past[..n_past].iter().chain(&question.wanted);
        let locks: Vec<Option<Chord>> = wanted.map(|&chord| Chord::new(usize::from(chord))).collect();
        // The half bars to come are silent yet, so nothing can be told from them.
        let options = PlanOptions { suggestions: SUGGESTIONS, lookahead: false, ..PlanOptions::default() };
        let made = plan(&cut, key, &locks, &options, &mut self.0)?;
        let voiced = voice(&made.chords, &cut);
        let mut answer = ChordAnswer { key: (key.tonic, key.minor), is_there: true, ..NOTHING };
        for (to, from) in answer.suggestions.iter_mut().zip(&made.suggestions[n_past]) {
            *to = (from.chord.index() as u8, from.probability);
        }
        for (to, from) in answer.coming.iter_mut().zip(&made.chords[n_past + 1..]) {
            *to = from.index() as u8;
        }
        for (to, from) in answer.pitches.iter_mut().zip(&voiced[n_past]) {
            *to = *from;
            answer.n_pitches += 1;
        }
        Ok(answer)
    }
}

impl ChordJob {
    /// How its worker runs.
    pub(super) fn settings() -> InferenceSettings {
        InferenceSettings {
            capacity: 8,
            deadline: Duration::from_millis(100),
            ..InferenceSettings::default()
        }
    }
}

/// A note of the melody, by the quarter notes that were played before it began and ended.
#[derive(Clone, Copy, Debug)]
struct Played {
    from: f64,
    to: Option<f64>,
    channel: u8,
    pitch: u8,
    velocity: f32,
}

/// The melody of one instance, and its chords.
pub(super) struct Chords {
    inference: Inference<ChordJob>,
    melody: VecDeque<Played>,
    /// The chord of each half bar before, and where it began.
    past: VecDeque<(f64, u8)>,
    last_due: i64,
}

impl Chords {
    pub(super) fn new(inference: Inference<ChordJob>) -> Chords {
        Chords {
            inference,
            melody: VecDeque::with_capacity(MAX_NOTES),
            past: VecDeque::with_capacity(PAST),
            last_due: i64::MIN,
        }
    }

    pub(super) fn set_offline(&mut self, is_offline: bool) {
        self.inference.set_offline(is_offline);
    }

    /// Forgets what was asked and played: the song jumps or stops.
    pub(super) fn restart(&mut self) {
        self.inference.restart();
        self.melody.clear();
        self.past.clear();
        self.last_due = i64::MIN;
    }

    /// Takes a note of the melody that begins.
    pub(super) fn begin(&mut self, channel: u8, pitch: u8, velocity: f32, played: f64) {
        if self.melody.len() == MAX_NOTES {
            self.melody.pop_front();
        }
        self.melody.push_back(Played { from: played, to: None, channel, pitch, velocity });
    }

    /// Takes its end.
    pub(super) fn end(&mut self, channel: u8, pitch: u8, played: f64) {
        let is_meant =
            |note: &&mut Played| note.to.is_none() && (note.channel, note.pitch) == (channel, pitch);
        if let Some(note) = self.melody.iter_mut().find(is_meant) {
            note.to = Some(played);
        }
    }

    /// Takes the end of every note that is meant.
    pub(super) fn end_all(&mut self, pattern: NotePattern, played: f64) {
        let is_meant = |note: &&mut Played| {
            note.to.is_none()
                && pattern.means(NoteName { channel: note.channel, pitch: note.pitch, id: None })
        };
        self.melody.iter_mut().filter(is_meant).for_each(|note| note.to = Some(played));
    }

    /// The notes of the melody that have ended: from which of the quarter notes that were played, to which, and the pitch.
    pub(super) fn melody(&self) -> impl Iterator<Item = (f64, f64, u8)> {
        self.melody.iter().filter_map(|note| Some((note.from, note.to?, note.pitch)))
    }

    /// Where the last note began and where the last one ended, which it has not if one is held; none without a melody.
    pub(super) fn last_played(&self) -> Option<(f64, Option<f64>)> {
        let last = self.melody.back()?;
        let is_held = self.melody.iter().any(|note| note.to.is_none());
        let end = self.melody.iter().filter_map(|note| note.to).fold(last.from, f64::max);
        Some((last.from, (!is_held).then_some(end)))
    }

    /// The channel of the melody, and its velocity in the mean.
    pub(super) fn voice(&self) -> (u8, f32) {
        let sum: f32 = self.melody.iter().map(|note| note.velocity).sum();
        let channel = self.melody.back().map_or(0, |note| note.channel);
        (channel, sum / self.melody.len().max(1) as f32)
    }

    /// Asks about the half bar that began at `start` of the quarter notes that were played.
    pub(super) fn ask(
        &mut self,
        part: &Part,
        start: f64,
        played: f64,
        now: u64,
        due_in: u64,
        wanted: [u8; 1 + COMING],
    ) {
        let half = part.meter.half_bar();
        // A past that is not of half bars of this length is none.
        let fits = |(at, (from, _)): (usize, &(f64, u8))| {
            (start - from - (at + 1) as f64 * half).abs() < 0.01 * half
        };
        let n_past = self.past.iter().rev().enumerate().take_while(|&one| fits(one)).count();
        let begin = start - n_past as f64 * half;
        let mut question = ChordQuestion {
            n_past,
            past: [FREE; PAST],
            wanted,
            downbeat: part.meter.in_bar(part.segment.beat + start - part.played) < 0.01,
            halves: half < part.meter.bar() - 1e-6,
            n_notes: 0,
            notes: [Sung::default(); MAX_NOTES],
        };
        for (to, (_, chord)) in question.past.iter_mut().zip(self.past.iter().skip(self.past.len() - n_past))
        {
            *to = *chord;
        }
        let at = |played: f64| ((played - begin) / half) as f32;
        for note in self.melody.iter().filter(|note| note.to.is_none_or(|to| to > begin)) {
            // A note that is held counts as long as the half bar that it is in.
            let end = note.to.unwrap_or_else(|| played.max(start + half));
            question.notes[question.n_notes] = Sung { start: at(note.from), end: at(end), pitch: note.pitch };
            question.n_notes += 1;
        }
        if self.past.len() == PAST {
            self.past.pop_front();
        }
        self.past.push_back((start, wanted[0]));
        self.last_due = self.last_due.max((now + due_in) as i64);
        self.inference.submit(&question, self.last_due);
    }

    /// The answer about the half bar that was asked about last, once it is due.
    pub(super) fn answer(&mut self, now: u64) -> Option<ChordAnswer> {
        let mut newest = None;
        while let Some((_, answer)) = self.inference.due(now as i64) {
            newest = answer.ok().filter(|answer| answer.is_there);
            if let (Some(answer), Some(last)) = (&newest, self.past.back_mut()) {
                last.1 = answer.suggestions[0].0;
            }
        }
        newest
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use neurdsp_models::music::chords::Chord;
    use neurdsp_models::music::{MusicPart, MusicRun};

    use super::*;
    use crate::companion::networks;

    fn question(pitches: &[u8]) -> ChordQuestion {
        let mut notes = [Sung::default(); MAX_NOTES];
        for (at, (note, pitch)) in notes.iter_mut().zip(pitches).enumerate() {
            *note = Sung { start: at as f32 / 2.0, end: at as f32 / 2.0 + 0.4, pitch: *pitch };
        }
        ChordQuestion {
            n_past: pitches.len() / 2,
            past: [FREE; PAST],
            wanted: [FREE; 1 + COMING],
            downbeat: true,
            halves: true,
            n_notes: pitches.len(),
            notes,
        }
    }

    #[test]
    fn a_melody_gets_a_chord_of_its_key_and_wanted_chords_are_kept() {
        let network = networks::network(MusicPart::Harmony).unwrap();
        let mut job = ChordJob(MusicRun::new(Arc::clone(&network.weights)));
        let tune = [60, 64, 67, 64, 65, 69, 72, 69, 67, 71, 74, 71, 72, 67, 64, 60];
        let answer = job.run(&question(&tune));
        assert_eq!(answer.key, (0, false));
        assert!((3..=VOICES).contains(&answer.n_pitches));
        let tones = Chord::new(usize::from(answer.suggestions[0].0)).unwrap().tones();
        // All of it lies in C major.
        assert_eq!(tones & !0b1010_1011_0101, 0, "{tones:b}");
        let wanted = Chord::parse("Fm7").unwrap().index() as u8;
        let mut asked = question(&tune);
        (asked.wanted[0], asked.wanted[2]) = (wanted, wanted);
        let answer = job.run(&asked);
        assert_eq!((answer.suggestions[0].0, answer.coming[1]), (wanted, wanted));
        assert_eq!(job.run(&question(&[])), NOTHING);
    }
}
