//! The dynamics network beside the audio thread: how loud each step of the beats to come is meant to be.

use std::collections::VecDeque;
use std::time::Duration;

use neurdsp_models::music::dynamics::{BeatShape, DynamicsAhead, MAX_PAST, PastNote, ShapeQuestion};
use neurdsp_models::music::groove::TICKS_PER_QUARTER;
use neurdsp_rt::inference::{Inference, InferenceSettings, Job};

use super::clock::{Part, Spot};
use super::tables::{Ask, OfBeat, Tables};

/// Bars that a question looks back.
const BARS: f64 = 2.0;

impl OfBeat for BeatShape {
    fn beat(&self) -> i64 {
        self.beat
    }
}

/// What runs on the worker.
pub(crate) struct DynamicsJob(pub(crate) DynamicsAhead);

impl Job for DynamicsJob {
    type Request = ShapeQuestion;
    type Answer = BeatShape;

    fn run(&mut self, question: &ShapeQuestion) -> BeatShape {
        // A meter that no bar has is answered for no beat: notes stay as they are.
        self.0.ask(question).unwrap_or(BeatShape::nothing(i64::MIN))
    }
}

impl DynamicsJob {
    /// How its worker runs.
    pub(super) fn settings() -> InferenceSettings {
        InferenceSettings {
            capacity: 16,
            deadline: Duration::from_millis(100),
            poll: Duration::from_millis(2),
            ..InferenceSettings::default()
        }
    }
}

/// The dynamics of one instance.
pub(super) struct Dynamics {
    tables: Tables<DynamicsJob>,
    /// Notes with the quarter notes that were played before them.
    past: VecDeque<(f64, PastNote)>,
}

impl Dynamics {
    pub(super) fn new(inference: Inference<DynamicsJob>) -> Dynamics {
        Dynamics { tables: Tables::new(inference), past: VecDeque::with_capacity(MAX_PAST) }
    }

    /// In an offline render every answer is there in time.
    pub(super) fn set_offline(&mut self, is_offline: bool) {
        self.tables.set_offline(is_offline);
    }

    /// Forgets what was asked and played: the song jumps or stops.
    pub(super) fn restart(&mut self) {
        self.tables.restart();
        self.past.clear();
    }

    /// Remembers a note.
    pub(super) fn hear(&mut self, note: PastNote, played: f64) {
        if self.past.len() == MAX_PAST {
            self.past.pop_front();
        }
        self.past.push_back((played, note));
    }

    /// Asks about a beat, if a shape is wanted.
    pub(super) fn ask(&mut self, part: &Part, ask: &Ask, amount: f32) {
        if amount <= 0.0 {
            return;
        }
        let here = part.beat(ask.sample);
        let beat_played = part.played(ask.sample) + ask.beat as f64 - here;
        let beat = part.wrapped(ask.beat);
        let ticks = f64::from(TICKS_PER_QUARTER);
        let mut question = ShapeQuestion {
            beat,
            in_bar: part.meter.in_bar(beat as f64),
            meter: part.meter.beats,
            quarter_us: ask.quarter_us,
            now: ((here - ask.beat as f64) * ticks).round() as i32,
            amount,
            n_notes: 0,
            notes: [PastNote::default(); MAX_PAST],
        };
        let oldest = beat_played - question.in_bar - BARS * part.meter.bar();
        let recent = self.past.iter().filter(|(played, _)| *played >= oldest - 0.125);
        for (to, (played, note)) in question.notes.iter_mut().zip(recent) {
            *to = PastNote { tick: ((played - beat_played) * ticks).round() as i32, ..*note };
            question.n_notes += 1;
        }
        self.tables.ask(&question, ask);
    }

    /// The velocity of a note, 0 to 1, by the shape of its beat; the same bits if nothing changes it.
    pub(super) fn shape(&mut self, spot: &Spot, part: usize, velocity: f32, now: u64, amount: f32) -> f32 {
        if amount <= 0.0 {
            return velocity;
        }
        let steps = 127.0 * velocity;
        let shaped = self.tables.find(spot, now, |shape, at| shape.play(part, at, steps, amount));
        match shaped.map(f32::round) {
            Some(shaped) if shaped != steps.round() => shaped / 127.0,
            _ => velocity,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use neurdsp_models::music::dynamics::{Note, conditions, reshape};
    use neurdsp_models::music::{MusicPart, MusicRun, Timeline};

    use super::*;
    use crate::companion::networks;

    /// Three bars of a tune and hats, as they were played up to half a beat before the second beat of the last.
    fn notes() -> Vec<PastNote> {
        let note = |bar: i32, eighth: i32| {
            let tick = 3_840 * bar + 480 * eighth;
            let velocity = 70 + 4 * (eighth % 3) as u8;
            [
                PastNote { tick, pitch: 60 + eighth as u8, velocity, channel: 0, drum: false },
                PastNote { tick, pitch: 42, velocity: 90, channel: 9, drum: true },
            ]
        };
        (0..3).flat_map(|bar| (0..8).flat_map(move |eighth| note(bar, eighth))).collect()
    }

    #[test]
    fn a_bar_that_repeats_is_shaped_ahead_as_a_file_is() {
        let network = networks::network(MusicPart::Dynamics).unwrap();
        let beat = 2 * 3_840 + 960;
        let mut question = ShapeQuestion {
            beat: 9,
            in_bar: 1.0,
            meter: (4, 4),
            quarter_us: 500_000,
            now: -480,
            amount: 1.0,
            n_notes: 0,
            notes: [PastNote::default(); MAX_PAST],
        };
        for (to, note) in question.notes.iter_mut().zip(notes().iter().filter(|note| note.tick <= beat - 480))
        {
            *to = PastNote { tick: note.tick - beat, ..*note };
            question.n_notes += 1;
        }
        let mut job = DynamicsJob(DynamicsAhead::new(Arc::clone(&network.weights)).unwrap());
        let shape = job.run(&question);
        let file: Vec<Note> = notes()
            .iter()
            .map(|note| Note {
                tick: note.tick as u64,
                pitch: note.pitch,
                velocity: note.velocity,
                part: note.channel.into(),
                drum: note.drum,
                valence: 0.0,
                arousal: 0.0,
            })
            .collect();
        let found = conditions(&Timeline::new(960, &[], &[]).unwrap(), &file).unwrap();
        let mut run = MusicRun::new(Arc::clone(&network.weights));
        let mut says = vec![[0.0; 16]; found.inputs.len()];
        for (inputs, says) in found.inputs.iter().zip(&mut says) {
            run.step(inputs, says);
        }
        let expected = reshape(&file, &found, &says, &says, 1.0).unwrap();
        let mut changed = 0;
        for (note, expected) in
            notes().iter().zip(expected).filter(|(note, _)| (beat..beat + 960).contains(&note.tick))
        {
            let at = f64::from(note.tick - beat) / 960.0;
            let found = shape.play(note.part(), at, note.velocity.into(), 1.0).unwrap();
            assert!((found - f32::from(expected)).abs() <= 1.0, "{note:?}: {found} for {expected}");
            assert_eq!(shape.play(note.part(), at, 0.3, 0.0), Some(0.3));
            changed += i32::from(found.round() != f32::from(note.velocity));
        }
        assert!(changed > 0);
        // A part that was not played, and the beat after.
        assert_eq!(shape.play(20, 0.0, 64.0, 1.0), Some(64.0));
        assert_eq!(shape.play(0, 0.95, 64.0, 1.0), None);
    }
}
