//! The groove network beside the audio thread: what was played, what is asked, and the answers for the beats to come.

use std::collections::VecDeque;
use std::time::Duration;

use neurdsp_models::music::groove::{
    BeatFeel, BeatQuestion, GrooveAhead, MAX_PAST, N_VOICES, PastHit, TICKS_PER_QUARTER,
};
use neurdsp_rt::inference::{self, Inference, InferenceHandle, InferenceMode, InferenceSettings, Job};

use super::clock::Part;

/// Answers that are kept: those of the beat that plays, of its neighbours, and of a loop's start.
const TABLES: usize = 4;
/// Bars that a question looks back.
const BARS: f64 = 2.0;

/// What runs on the worker.
pub(crate) struct GrooveJob(pub(crate) GrooveAhead);

impl Job for GrooveJob {
    type Request = BeatQuestion;
    type Answer = BeatFeel;

    fn run(&mut self, question: &BeatQuestion) -> BeatFeel {
        // A meter that no bar has is answered for no beat: hits stay as they are.
        self.0.ask(question).unwrap_or(BeatFeel { beat: i64::MIN, ..BeatFeel::default() })
    }

    fn memory_bytes(&self) -> usize {
        self.0.memory_bytes()
    }
}

/// Both sides of a worker for one instance.
///
/// # Errors
///
/// The system cannot create a thread.
pub(crate) fn inference() -> neurdsp_rt::Result<(Inference<GrooveJob>, InferenceHandle<GrooveJob>)> {
    // Answers are due half a beat later, so one may take longer than a usual block.
    let settings = InferenceSettings {
        capacity: 16,
        deadline: Duration::from_millis(100),
        ..InferenceSettings::default()
    };
    inference::inference(InferenceMode::Worker, settings)
}

/// A hit that was played, by the quarter notes that were played before it.
#[derive(Clone, Copy, Debug)]
struct Past {
    played: f64,
    key: u8,
    velocity: u8,
}

/// The groove of one instance.
pub(super) struct Groove {
    inference: Inference<GrooveJob>,
    past: VecDeque<Past>,
    tables: [Option<BeatFeel>; TABLES],
    next_table: usize,
    last_due: i64,
    last_of_voice: [f64; N_VOICES],
}

/// When and about what to ask.
pub(super) struct Ask {
    /// The beat, counted on through the end of a loop.
    pub(super) beat: i64,
    /// The sample of the block at which it is asked, and that of the whole stream.
    pub(super) sample: usize,
    pub(super) now: u64,
    /// Samples after which the answer counts.
    pub(super) due_in: u64,
    pub(super) quarter_us: u32,
    pub(super) seed: u64,
}

impl Groove {
    pub(super) fn new(inference: Inference<GrooveJob>) -> Groove {
        Groove {
            inference,
            past: VecDeque::with_capacity(MAX_PAST),
            tables: [None; TABLES],
            next_table: 0,
            last_due: i64::MIN,
            last_of_voice: [f64::NEG_INFINITY; N_VOICES],
        }
    }

    /// In an offline render every answer is there in time.
    pub(super) fn set_offline(&mut self, is_offline: bool) {
        self.inference.set_offline(is_offline);
    }

    /// Forgets what was asked and played: the song jumps or stops.
    pub(super) fn restart(&mut self) {
        self.inference.restart();
        self.tables = [None; TABLES];
        self.last_due = i64::MIN;
        self.past.clear();
        self.last_of_voice = [f64::NEG_INFINITY; N_VOICES];
    }

    /// Remembers a hit; returns how many quarter notes ago the one before of its voice was.
    pub(super) fn hear(&mut self, voice: usize, key: u8, velocity: u8, played: f64) -> f64 {
        if self.past.len() == MAX_PAST {
            self.past.pop_front();
        }
        self.past.push_back(Past { played, key, velocity });
        played - std::mem::replace(&mut self.last_of_voice[voice], played)
    }

    /// Asks about a beat.
    pub(super) fn ask(&mut self, part: &Part, ask: &Ask) {
        let here = part.beat(ask.sample);
        let beat_played = part.played(ask.sample) + ask.beat as f64 - here;
        let beat = part.wrapped(ask.beat);
        let ticks = f64::from(TICKS_PER_QUARTER);
        let mut question = BeatQuestion {
            beat,
            in_bar: part.meter.in_bar(beat as f64),
            meter: part.meter.beats,
            quarter_us: ask.quarter_us,
            seed: ask.seed,
            now: ((here - ask.beat as f64) * ticks).round() as i32,
            n_hits: 0,
            hits: [PastHit::default(); MAX_PAST],
        };
        let oldest = beat_played - question.in_bar - BARS * part.meter.bar();
        for (to, hit) in
            question.hits.iter_mut().zip(self.past.iter().filter(|hit| hit.played >= oldest - 0.125))
        {
            let tick = ((hit.played - beat_played) * ticks).round() as i32;
            *to = PastHit { tick, key: hit.key, velocity: hit.velocity };
            question.n_hits += 1;
        }
        // Steps must not fall, whatever the tempo does.
        self.last_due = self.last_due.max((ask.now + ask.due_in) as i64);
        self.inference.submit(&question, self.last_due);
    }

    /// The answer about a beat, of those that are due now.
    pub(super) fn table(&mut self, beat: i64, now: u64) -> Option<&BeatFeel> {
        while let Some((_, answer)) = self.inference.due(now as i64) {
            let Ok(answer) = answer else { continue };
            let same =
                self.tables.iter().position(|table| table.is_some_and(|table| table.beat == answer.beat));
            let to = same.unwrap_or(self.next_table);
            self.tables[to] = Some(answer);
            if same.is_none() {
                self.next_table = (self.next_table + 1) % TABLES;
            }
        }
        self.tables.iter().flatten().find(|table| table.beat == beat)
    }
}
