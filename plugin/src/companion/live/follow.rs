//! When chords are asked about, and how they are played.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use neurdsp_rt::inference::Inference;
use neurdsp_rt::{NoteDelay, NoteName};

use super::chords::{COMING, ChordAnswer, ChordJob, Chords, FREE, SUGGESTIONS, VOICES};
use super::clock::Part;

/// After how long an answer counts.
const ANSWER_MS: f64 = 15.0;
/// What chord notes are called, so that a host's own end does not mean them.
const ID: i32 = 1 << 20;

/// How chords are played.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChordSettings {
    pub(crate) is_on: bool,
    /// Whether the chord that sounds stays.
    pub(crate) holds: bool,
    /// 0 to 15.
    pub(crate) channel: u8,
    /// 0 to 1.
    pub(crate) velocity: f32,
}

/// What the window shows of the chords, and what it asks for. Numbers of chords are one more than they are, 0 for none.
#[derive(Debug)]
pub(crate) struct ChordView {
    suggestions: [AtomicU64; SUGGESTIONS],
    coming: [AtomicU8; COMING],
    key: AtomicU8,
    /// What the next half bar and those after it shall have.
    wanted: [AtomicU8; COMING],
}

impl Default for ChordView {
    fn default() -> ChordView {
        ChordView {
            suggestions: [const { AtomicU64::new(0) }; SUGGESTIONS],
            coming: [const { AtomicU8::new(0) }; COMING],
            key: AtomicU8::new(0),
            wanted: [const { AtomicU8::new(0) }; COMING],
        }
    }
}

impl ChordView {
    /// The chord that sounds and what else would fit, each with its probability.
    pub(crate) fn suggestions(&self) -> [Option<(u8, f32)>; SUGGESTIONS] {
        self.suggestions.each_ref().map(|one| {
            let bits = one.load(Ordering::Relaxed);
            let chord = (bits >> 32) as u8;
            (chord > 0).then(|| (chord - 1, f32::from_bits(bits as u32)))
        })
    }

    /// The chords of the half bars to come.
    pub(crate) fn coming(&self) -> [Option<u8>; COMING] {
        self.coming.each_ref().map(|one| one.load(Ordering::Relaxed).checked_sub(1))
    }

    /// The tonic, and whether the key is minor.
    pub(crate) fn key(&self) -> Option<(u8, bool)> {
        let key = self.key.load(Ordering::Relaxed).checked_sub(1)?;
        Some((key % 12, key >= 12))
    }

    /// The chords that half bars to come shall have.
    pub(crate) fn wanted(&self) -> [Option<u8>; COMING] {
        self.wanted.each_ref().map(|one| one.load(Ordering::Relaxed).checked_sub(1))
    }

    /// Has a half bar to come, 0 for the next, play a chord; none leaves it free.
    pub(crate) fn want(&self, at: usize, chord: Option<u8>) {
        if let Some(wanted) = self.wanted.get(at) {
            wanted.store(chord.map_or(0, |chord| chord + 1), Ordering::Relaxed);
        }
    }

    /// The wanted chords at the start of a half bar, from which on they are one place nearer.
    fn shift(&self) -> [u8; COMING] {
        let now = self.wanted.each_ref().map(|one| one.load(Ordering::Relaxed));
        for (at, wanted) in self.wanted.iter().enumerate() {
            wanted.store(now.get(at + 1).copied().unwrap_or(0), Ordering::Relaxed);
        }
        now.map(|wanted| wanted.checked_sub(1).unwrap_or(FREE))
    }

    fn show(&self, answer: &ChordAnswer) {
        for (to, (chord, probability)) in self.suggestions.iter().zip(answer.suggestions) {
            let bits = (u64::from(chord) + 1) << 32 | u64::from(probability.to_bits());
            to.store(if chord == FREE { 0 } else { bits }, Ordering::Relaxed);
        }
        for (to, chord) in self.coming.iter().zip(answer.coming) {
            to.store(chord.wrapping_add(1), Ordering::Relaxed);
        }
        let (tonic, minor) = answer.key;
        self.key.store(1 + tonic + if minor { 12 } else { 0 }, Ordering::Relaxed);
    }
}

/// A half bar that has begun.
#[derive(Clone, Copy, Debug)]
struct Begun {
    /// When it is asked about.
    ask_at: u64,
    /// The quarter notes that were played before it.
    start: f64,
}

/// The chords of one instance as they are played.
pub(super) struct Follow {
    pub(super) chords: Chords,
    begun: Option<Begun>,
    due_at: Option<u64>,
    /// What sounds, and on which channel.
    pitches: [u8; VOICES],
    n_pitches: usize,
    channel: u8,
}

impl Follow {
    pub(super) fn new(inference: Inference<ChordJob>) -> Follow {
        let chords = Chords::new(inference);
        Follow { chords, begun: None, due_at: None, pitches: [0; VOICES], n_pitches: 0, channel: 0 }
    }

    /// The first half bar that begins in a part: its number from some bar on.
    pub(super) fn first_half_bar(part: &Part) -> i64 {
        let (half, bar_start) = (part.meter.half_bar(), part.meter.bar_start);
        let mut number = ((part.segment.beat - bar_start) / half - 1e-6).floor() as i64;
        while part.segment.first_sample(bar_start + number as f64 * half) < 0.0 {
            number += 1;
        }
        number
    }

    /// The sample of the block at which a half bar begins; it may lie after the part.
    pub(super) fn sample(part: &Part, number: i64) -> usize {
        let beat = part.meter.bar_start + number as f64 * part.meter.half_bar();
        part.segment.offset + part.segment.first_sample(beat).max(0.0) as usize
    }

    /// A half bar begins at a sample of the block; it is asked about `decision` samples later.
    pub(super) fn begin(&mut self, part: &Part, at: usize, now: u64, decision: u64) {
        self.begun = Some(Begun { ask_at: now + decision, start: part.played(at) });
    }

    /// When something is to be done next.
    pub(super) fn next_at(&self) -> Option<u64> {
        [self.begun.map(|begun| begun.ask_at), self.due_at].into_iter().flatten().min()
    }

    /// Asks, and plays what is due. `rest` is how late a note is that is passed on now.
    #[allow(clippy::too_many_arguments, reason = "all of them are of one moment")]
    pub(super) fn run(
        &mut self,
        part: Option<(&Part, usize)>,
        now: u64,
        rest: u64,
        sample_rate: f64,
        settings: &ChordSettings,
        view: &ChordView,
        notes: &mut NoteDelay,
    ) {
        if let (Some(begun), Some((part, at))) = (self.begun.filter(|begun| begun.ask_at <= now), part) {
            self.begun = None;
            let due_in = (ANSWER_MS * 1e-3 * sample_rate).round() as u64;
            let mut wanted = [FREE; 1 + COMING];
            wanted[..COMING].copy_from_slice(&view.shift());
            if let (true, FREE, Some((chord, _))) = (settings.holds, wanted[0], view.suggestions()[0]) {
                wanted[0] = chord;
            }
            self.chords.ask(part, begun.start, part.played(at), now, due_in, wanted);
            self.due_at = Some(now + due_in);
        }
        if self.due_at.is_some_and(|due| due <= now) {
            self.due_at = None;
            if let Some(answer) = self.chords.answer(now) {
                view.show(&answer);
                let due_in = (ANSWER_MS * 1e-3 * sample_rate).round() as u64;
                self.play(
                    &answer.pitches[..answer.n_pitches],
                    now,
                    rest.saturating_sub(due_in),
                    settings,
                    notes,
                );
            }
        }
        if !settings.is_on {
            self.end(now, notes);
        }
    }

    /// Changes the chord. What both chords have goes on.
    fn play(
        &mut self,
        pitches: &[u8],
        now: u64,
        delay: u64,
        settings: &ChordSettings,
        notes: &mut NoteDelay,
    ) {
        let same = self.channel == settings.channel && pitches == &self.pitches[..self.n_pitches];
        if same || !settings.is_on {
            return;
        }
        self.end(now, notes);
        self.channel = settings.channel;
        for (to, &pitch) in self.pitches.iter_mut().zip(pitches) {
            *to = pitch;
            notes.begin(name(settings.channel, pitch), settings.velocity, now, delay);
        }
        self.n_pitches = pitches.len().min(VOICES);
    }

    /// Ends the chord.
    fn end(&mut self, now: u64, notes: &mut NoteDelay) {
        for &pitch in &self.pitches[..self.n_pitches] {
            notes.end(name(self.channel, pitch), 0.0, now);
        }
        self.n_pitches = 0;
    }

    /// The notes were ended elsewhere.
    pub(super) fn forget(&mut self) {
        self.n_pitches = 0;
    }

    /// The song jumps or stops.
    pub(super) fn restart(&mut self) {
        self.chords.restart();
        (self.begun, self.due_at) = (None, None);
    }
}

fn name(channel: u8, pitch: u8) -> NoteName {
    NoteName { channel, pitch, id: Some(ID + i32::from(pitch)) }
}
