//! The dynamics of a beat before it is played, for live use.
//!
//! As in [`GrooveAhead`](crate::music::groove::GrooveAhead), the network is asked half a beat before a beat, and what will be
//! played is expected to be what was played a bar before. [`BeatShape::play`] then gives a note its velocity at once.

use std::sync::Arc;

use super::condition::{Conditions, N_STEPS, Note, conditions};
use super::reshape::{LOUDEST, spread};
use crate::error::{Error, Result};
use crate::music::bar_ahead::{BarAhead, TICKS};
use crate::music::groove::{group_of, voice_of};
use crate::music::networks::{MusicNetwork, MusicPart, MusicRun};

/// Most notes that a question holds.
pub const MAX_PAST: usize = 96;
/// Steps of a beat.
pub const BEAT_STEPS: usize = 4;
/// Parts of an answer: those of a kit, then the channels of other notes.
pub const N_PARTS: usize = KIT + 16;
const KIT: usize = 7;

/// A note that was played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PastNote {
    /// When, in ticks from the beat of the question.
    pub tick: i32,
    /// 0 to 127.
    pub pitch: u8,
    /// 1 to 127.
    pub velocity: u8,
    /// 0 to 15.
    pub channel: u8,
    /// Whether it is a drum.
    pub drum: bool,
}

impl PastNote {
    /// The number of its part in a [`BeatShape`].
    #[must_use]
    pub fn part(&self) -> usize {
        match self.drum {
            true => usize::from(voice_of(self.pitch).map_or(6, group_of)),
            false => KIT + usize::from(self.channel & 15),
        }
    }
}

/// What is asked about a beat. It is copied between threads, so it has a fixed size.
#[derive(Clone, Copy, Debug)]
pub struct ShapeQuestion {
    /// The beat, in quarter notes from the start of the song.
    pub beat: i64,
    /// Quarter notes from the start of its bar to it.
    pub in_bar: f64,
    /// Beats of a bar, and the note of a beat.
    pub meter: (u8, u8),
    /// How long a quarter note lasts.
    pub quarter_us: u32,
    /// The tick at which it is asked, from the beat.
    pub now: i32,
    /// How much of the shape will be added: 0 to 2.
    pub amount: f32,
    /// The number of `notes` that count.
    pub n_notes: usize,
    /// Notes of the last bars, in the order of time.
    pub notes: [PastNote; MAX_PAST],
}

/// The shape of one part in a beat.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PartShape {
    /// Whether the part was played at all.
    pub is_known: bool,
    /// Its mean velocity.
    pub level: f32,
    /// What keeps its spread: 1 but where the shape cancels what was there.
    pub factor: f32,
    /// What comes to the velocity of each step.
    pub louder: [f32; BEAT_STEPS],
}

/// The dynamics of a beat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BeatShape {
    /// The beat, as it was asked.
    pub beat: i64,
    /// By the number of the part.
    pub parts: [PartShape; N_PARTS],
}

impl BeatShape {
    /// An answer that changes nothing.
    #[must_use]
    pub fn nothing(beat: i64) -> BeatShape {
        BeatShape { beat, parts: [PartShape::default(); N_PARTS] }
    }

    /// The velocity of a note `at` quarter notes after the beat; none if it belongs to the next one. Neither allocates nor fails.
    #[must_use]
    pub fn play(&self, part: usize, at: f64, velocity: f32, amount: f32) -> Option<f32> {
        let step = (at * BEAT_STEPS as f64).round().max(0.0) as usize;
        let (shape, louder) =
            self.parts.get(part).and_then(|shape| Some((shape, shape.louder.get(step)?)))?;
        if !shape.is_known || amount <= 0.0 {
            return Some(velocity);
        }
        let own = velocity - shape.level;
        Some((shape.level + shape.factor * (own + amount * louder)).clamp(1.0, LOUDEST))
    }
}

/// Answers questions about beats.
pub struct DynamicsAhead(MusicRun);

impl DynamicsAhead {
    /// Something to ask.
    ///
    /// # Errors
    /// The network is another one.
    pub fn new(network: Arc<MusicNetwork>) -> Result<DynamicsAhead> {
        if network.part() == MusicPart::Dynamics && network.n_outputs() == N_STEPS {
            return Ok(DynamicsAhead(MusicRun::new(network)));
        }
        Err(Error::OutOfRange {
            name: "the network".into(),
            got: network.part().name().into(),
            expected: format!("dynamics with {N_STEPS} outputs"),
        })
    }

    /// Answers a question. It allocates, so it is no work for an audio thread.
    ///
    /// # Errors
    /// A meter, a tempo or a velocity that is out of range.
    pub fn ask(&mut self, question: &ShapeQuestion) -> Result<BeatShape> {
        let bar = BarAhead::new(question.meter, question.quarter_us, question.in_bar, question.now)?;
        let (mut notes, mut parts) = (Vec::new(), Vec::new());
        for past in &question.notes[..question.n_notes.min(MAX_PAST)] {
            for tick in bar.places(past.tick) {
                notes.push(note(past, tick));
                parts.push(past.part());
            }
        }
        let found = conditions(&bar.timeline, &notes)?;
        let says: Vec<[f32; N_STEPS]> = found.inputs.iter().map(|inputs| self.says(inputs)).collect();
        let mut answer = BeatShape::nothing(question.beat);
        for (part, shape) in answer.parts.iter_mut().enumerate() {
            let own: Vec<usize> = (0..notes.len()).filter(|&at| parts[at] == part).collect();
            if own.is_empty() {
                continue;
            }
            let mean = |value: &dyn Fn(usize) -> f32| {
                own.iter().map(|&at| value(at)).sum::<f32>() / own.len() as f32
            };
            let said = |at: usize| LOUDEST * says[found.of_note[at]][found.step_of_note[at]];
            let (level, told) = (mean(&|at| f32::from(notes[at].velocity)), mean(&said));
            let before: Vec<f32> = own.iter().map(|&at| f32::from(notes[at].velocity) - level).collect();
            let after: Vec<f32> = before
                .iter()
                .zip(&own)
                .map(|(before, &at)| before + question.amount * (said(at) - told))
                .collect();
            let (had, has) = (spread(&before), spread(&after));
            if has < had && has <= 0.1 * had {
                continue; // the shape cancels what was there, which prevails
            }
            *shape = PartShape {
                is_known: true,
                level,
                factor: if has < had { had / has } else { 1.0 },
                louder: self
                    .louder(&bar, &mut notes, own[own.len() - 1], &found, &says)
                    .map(|says| says - told),
            };
        }
        Ok(answer)
    }

    /// How loud the network says each step of the beat is, for the part of a note. A step where none is expected is asked about with
    /// one more.
    fn louder(
        &mut self,
        bar: &BarAhead,
        notes: &mut Vec<Note>,
        like: usize,
        found: &Conditions,
        says: &[[f32; N_STEPS]],
    ) -> [f32; BEAT_STEPS] {
        let window = |tick: u64| bar.timeline.place(tick as f64).window;
        std::array::from_fn(|step| {
            let tick = (bar.beat_tick + step as f64 * TICKS / BEAT_STEPS as f64) as u64;
            let one = Note { tick, ..notes[like] };
            let step_of = |found: &Conditions, at: usize| (found.of_note[at], found.step_of_note[at]);
            notes.push(one);
            let with_one = conditions(&bar.timeline, notes);
            notes.pop();
            let Ok(with_one) = with_one else { return LOUDEST / 2.0 };
            let (call, place) = step_of(&with_one, notes.len());
            let is_there = (0..notes.len()).find(|&at| {
                found.part_of_note[at] == found.part_of_note[like]
                    && found.step_of_note[at] == place
                    && window(notes[at].tick) == window(tick)
            });
            LOUDEST
                * match is_there {
                    Some(at) => says[found.of_note[at]][place],
                    None => self.says(&with_one.inputs[call])[place],
                }
        })
    }

    fn says(&mut self, inputs: &[f32]) -> [f32; N_STEPS] {
        let mut outputs = [0.0; N_STEPS];
        self.0.step(inputs, &mut outputs);
        outputs.map(|output| output.clamp(0.0, 1.0))
    }
}

fn note(past: &PastNote, tick: u64) -> Note {
    Note {
        tick,
        pitch: past.pitch,
        velocity: past.velocity.clamp(1, 127),
        part: if past.drum { 0 } else { 1 + u32::from(past.channel & 15) },
        drum: past.drum,
        valence: 0.0,
        arousal: 0.0,
    }
}
