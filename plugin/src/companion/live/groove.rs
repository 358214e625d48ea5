//! The groove network beside the audio thread: what was played, what is asked, and the answers for the beats to come.

use std::collections::VecDeque;
use std::time::Duration;

use neurdsp_models::music::groove::{
    BeatFeel, BeatQuestion, Change, Feel, GrooveAhead, LiveHit, MAX_PAST, N_VOICES, PastHit,
    TICKS_PER_QUARTER,
};
use neurdsp_rt::inference::{Inference, InferenceSettings, Job};

use super::clock::{Part, Spot};
use super::tables::{Ask, OfBeat, Tables};

/// Bars that a question looks back.
const BARS: f64 = 2.0;

impl OfBeat for BeatFeel {
    fn beat(&self) -> i64 {
        self.beat
    }
}

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

impl GrooveJob {
    /// How its worker runs.
    pub(super) fn settings() -> InferenceSettings {
        // Answers are due half a beat later, so one may take longer than a usual block.
        InferenceSettings {
            capacity: 16,
            deadline: Duration::from_millis(100),
            ..InferenceSettings::default()
        }
    }
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
    tables: Tables<GrooveJob>,
    past: VecDeque<Past>,
    last_of_voice: [f64; N_VOICES],
}

impl Groove {
    pub(super) fn new(inference: Inference<GrooveJob>) -> Groove {
        Groove {
            tables: Tables::new(inference),
            past: VecDeque::with_capacity(MAX_PAST),
            last_of_voice: [f64::NEG_INFINITY; N_VOICES],
        }
    }

    /// In an offline render every answer is there in time.
    pub(super) fn set_offline(&mut self, is_offline: bool) {
        self.tables.set_offline(is_offline);
    }

    /// Forgets what was asked and played: the song jumps or stops.
    pub(super) fn restart(&mut self) {
        self.tables.restart();
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
    pub(super) fn ask(&mut self, part: &Part, ask: &Ask, seed: u64) {
        let here = part.beat(ask.sample);
        let beat_played = part.played(ask.sample) + ask.beat as f64 - here;
        let beat = part.wrapped(ask.beat);
        let ticks = f64::from(TICKS_PER_QUARTER);
        let mut question = BeatQuestion {
            beat,
            in_bar: part.meter.in_bar(beat as f64),
            meter: part.meter.beats,
            quarter_us: ask.quarter_us,
            seed,
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
        self.tables.ask(&question, ask);
    }

    /// What becomes of a hit, by the answers that are due now.
    pub(super) fn play(&mut self, spot: &Spot, now: u64, hit: &LiveHit, feel: &Feel) -> Option<Change> {
        self.tables.find(spot, now, |answer, at| answer.play(&LiveHit { at, ..*hit }, feel))
    }
}
