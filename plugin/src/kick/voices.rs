//! The kicks that sound. Nothing here allocates, frees or waits.

use super::bank::{Bank, Exchange};
use super::varispeed;

/// Kicks that sound at a time. One more makes the oldest fade.
const POLYPHONY: usize = 8;
/// Places for voices, most of which fade.
const PLACES: usize = 32;
/// Places for banks: the one that hits play, and those that voices still sound from.
const BANKS: usize = 12;
/// How long a kick takes to fade when another chokes it, in seconds.
const CHOKE_S: f32 = 0.003;

/// The note of a hit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Note {
    pub(super) key: u8,
    pub(super) channel: u8,
    /// The host's name for it, if it has one.
    pub(super) id: Option<i32>,
}

/// Notes that an event of the host is about. What is none is any.
#[derive(Clone, Copy, Debug)]
pub(super) struct Notes {
    pub(super) key: Option<u8>,
    pub(super) channel: Option<u8>,
    pub(super) id: Option<i32>,
}

impl Notes {
    fn has(&self, note: &Note) -> bool {
        let is = |wanted: Option<u8>, of: u8| wanted.is_none_or(|wanted| wanted == of);
        let is_id = self.id.is_none() || note.id.is_none() || self.id == note.id;
        is_id && is(self.key, note.key) && is(self.channel, note.channel)
    }
}

/// A hit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    /// None for one of the editor.
    pub(super) note: Option<Note>,
    pub(super) gain: f32,
    /// Factor on the speed.
    pub(super) speed: f64,
    /// Whether it makes the others fade.
    pub(super) chokes: bool,
}

#[derive(Clone, Copy, Debug)]
struct Voice {
    note: Option<Note>,
    /// Whether its note has not ended.
    is_held: bool,
    bank: usize,
    kick: usize,
    /// In samples of the kick.
    at: f64,
    step: f64,
    gain: f32,
    fade: Option<Fade>,
    /// Voices are numbered as they begin.
    number: u64,
}

/// The end of a voice that does not sound to the end of its kick.
#[derive(Clone, Copy, Debug)]
struct Fade {
    from: f32,
    left: u32,
    length: u32,
}

impl Fade {
    /// Without a corner at either end.
    fn gain(&self) -> f32 {
        let x = self.left as f32 / self.length as f32;
        self.from * x * x * (3.0 - 2.0 * x)
    }
}

impl Voice {
    /// Fades over so many samples from now on, unless it is over sooner.
    fn fade(&mut self, samples: u32) {
        let samples = samples.max(1);
        if self.fade.is_none_or(|fade| fade.left > samples) {
            let from = self.fade.map_or(1.0, |fade| fade.gain());
            self.fade = Some(Fade { from, left: samples, length: samples });
        }
    }

    /// Adds the voice to `to`. Returns the sample at which it has ended, if it has.
    fn add(&mut self, samples: &[f32], to: &mut [f32]) -> Option<usize> {
        for (index, to) in to.iter_mut().enumerate() {
            if self.at >= samples.len() as f64 {
                return Some(index);
            }
            let mut gain = self.gain;
            if let Some(fade) = &mut self.fade {
                fade.left -= 1;
                if fade.left == 0 {
                    return Some(index);
                }
                gain *= fade.gain();
            }
            let sample = if self.step == 1.0 {
                samples[self.at as usize]
            } else {
                varispeed::read(samples, self.at, self.step)
            };
            *to += gain * sample;
            self.at += self.step;
        }
        (self.at >= samples.len() as f64).then_some(to.len())
    }
}

/// All voices, and the banks that they play from.
#[derive(Debug)]
pub(super) struct Voices {
    voices: [Option<Voice>; PLACES],
    banks: [Option<Box<Bank>>; BANKS],
    /// The bank that hits play.
    current: usize,
    /// Hits since the start.
    hits: u64,
    choke_samples: u32,
}

impl Voices {
    pub(super) fn new() -> Voices {
        varispeed::prepare();
        Voices { voices: [None; PLACES], banks: Default::default(), current: 0, hits: 0, choke_samples: 1 }
    }

    /// Begins at a rate in Hz.
    pub(super) fn start(&mut self, sample_rate: f32) {
        self.choke_samples = (CHOKE_S * sample_rate).ceil() as u32;
        self.reset();
    }

    /// Silences everything, and begins with the first kick of the bank.
    pub(super) fn reset(&mut self) {
        self.voices = [None; PLACES];
        self.hits = 0;
    }

    /// Takes a new bank for the hits to come. Voices that sound go on with theirs. Returns whether it is to be heard at once.
    pub(super) fn update(&mut self, exchange: &Exchange) -> bool {
        self.retire(exchange);
        let Some(free) = self.banks.iter().position(Option::is_none) else { return false };
        let Some(bank) = exchange.take() else { return false };
        let is_heard = bank.is_heard_at_once;
        self.banks[free] = Some(bank);
        self.current = free;
        self.retire(exchange);
        is_heard
    }

    /// Hands back the banks that nothing sounds from.
    fn retire(&mut self, exchange: &Exchange) {
        for index in (0..BANKS).filter(|index| *index != self.current) {
            let is_used = self.voices.iter().flatten().any(|voice| voice.bank == index);
            if !is_used && let Some(bank) = self.banks[index].take() {
                exchange.give_back(bank);
            }
        }
    }

    /// Begins a kick; the voices that it ends early are told by `ended`.
    pub(super) fn hit(&mut self, hit: &Hit, mut ended: impl FnMut(Note)) {
        let Some(bank) = &self.banks[self.current] else { return };
        let Some(kicks) = u64::try_from(bank.kicks.len()).ok().filter(|count| *count > 0) else { return };
        let samples = self.choke_samples;
        if hit.chokes {
            self.voices.iter_mut().flatten().for_each(|voice| voice.fade(samples));
        } else {
            let sounding = || self.voices.iter().flatten().filter(|voice| voice.fade.is_none());
            if sounding().count() >= POLYPHONY {
                let oldest = sounding().map(|voice| voice.number).min();
                let oldest = self.voices.iter_mut().flatten().find(|voice| Some(voice.number) == oldest);
                oldest.into_iter().for_each(|voice| voice.fade(samples));
            }
        }
        let left = |voice: &Option<Voice>| match voice {
            None => 0,
            Some(voice) => voice.fade.map_or(u32::MAX, |fade| fade.left),
        };
        // There is a free place, unless there were dozens of hits within the time of a fade.
        let Some(place) = self.voices.iter_mut().min_by_key(|voice| left(voice)) else { return };
        if let Some(note) = place.and_then(|voice| voice.note) {
            ended(note);
        }
        *place = Some(Voice {
            note: hit.note,
            is_held: true,
            bank: self.current,
            kick: (self.hits % kicks) as usize,
            at: 0.0,
            step: hit.speed * bank.step,
            gain: hit.gain,
            fade: None,
            number: self.hits,
        });
        self.hits += 1;
    }

    /// Ends notes: their kicks fade over so many samples, or sound on.
    pub(super) fn release(&mut self, notes: Notes, fade_samples: Option<u32>) {
        for voice in self.voices.iter_mut().flatten() {
            if voice.is_held && voice.note.is_some_and(|note| notes.has(&note)) {
                voice.is_held = false;
                if let Some(samples) = fade_samples {
                    voice.fade(samples.max(self.choke_samples));
                }
            }
        }
    }

    /// Ends the kicks of notes, without a click.
    pub(super) fn choke(&mut self, notes: Notes) {
        for voice in self.voices.iter_mut().flatten() {
            if voice.note.is_none_or(|note| notes.has(&note)) {
                voice.fade(self.choke_samples);
            }
        }
    }

    /// Adds what sounds to `to`; `ended` is told of each note whose kick is over, with the sample, in the order of time.
    pub(super) fn play(&mut self, to: &mut [f32], mut ended: impl FnMut(usize, Note)) {
        let mut over = [None; PLACES];
        for (place, over) in self.voices.iter_mut().zip(&mut over) {
            let Some(voice) = place else { continue };
            let samples = self.banks[voice.bank].as_ref().and_then(|bank| bank.kicks.get(voice.kick));
            if let Some(at) = voice.add(samples.map_or(&[], Vec::as_slice), to) {
                *over = voice.note.map(|note| (at, note));
                *place = None;
            }
        }
        over.sort_unstable_by_key(|one| one.map_or(usize::MAX, |(at, _)| at));
        over.into_iter().flatten().for_each(|(at, note)| ended(at, note));
    }

    /// Whether nothing sounds.
    pub(super) fn are_silent(&self) -> bool {
        self.voices.iter().all(Option::is_none)
    }

    /// Where the latest hit is: the kick of its bank, and the sample of the kick.
    pub(super) fn playhead(&self) -> Option<(usize, usize)> {
        let latest = self.voices.iter().flatten().max_by_key(|voice| voice.number)?;
        Some((latest.kick, latest.at as usize))
    }

    /// Samples of the longest kick, at the rate of the host.
    pub(super) fn longest(&self) -> usize {
        let bank = self.banks[self.current].as_ref();
        let longest = bank.map_or(0, |bank| bank.kicks.iter().map(Vec::len).max().unwrap_or(0));
        bank.map_or(0, |bank| (longest as f64 / bank.step).ceil() as usize)
    }
}
