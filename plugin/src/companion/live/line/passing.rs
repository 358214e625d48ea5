//! What becomes of each event: it is heard, decided some milliseconds later, and passed on late by the latency.

use neurdsp_models::music::dynamics::PastNote;
use neurdsp_rt::NoteName;
use nice_plug::midi::{Channel, Key};
use nice_plug::prelude::NoteEvent;

use super::{Block, Came, Last, Line};
use crate::companion::live::clock::{Part, Spot};
use crate::companion::live::events::{at_sample, meant, named, told};
use crate::companion::live::hits::Hit;
use crate::companion::live::settings::Settings;

/// The usual channel of drums.
const DRUMS: u8 = 9;

impl Line {
    /// Takes an event that comes at a sample of the block.
    pub(super) fn take(&mut self, event: NoteEvent<()>, at: usize, part: Option<&Part>, settings: &Settings) {
        match event {
            NoteEvent::NoteOn { voice_id, channel, key: Key::Number(pitch), velocity, .. }
                if velocity > 0.0 =>
            {
                let name = named(channel, pitch, voice_id);
                let hit = part.and_then(|part| self.hear(part, at, name, velocity, settings));
                let spot = part.map(|part| part.spot(at));
                self.wait(at, Came::On { name, velocity, spot, hit });
            }
            NoteEvent::NoteOn { voice_id, channel, key: Key::Number(pitch), velocity, .. }
            | NoteEvent::NoteOff {
                voice_id,
                channel: channel @ Channel::Number(_),
                key: Key::Number(pitch),
                velocity,
                ..
            } => {
                let name = named(channel, pitch, voice_id);
                if let Some(part) = part {
                    self.follow.chords.end(name.channel, name.pitch, part.played(at));
                }
                self.wait(at, Came::Off { name, velocity });
            }
            NoteEvent::NoteOff { voice_id, channel, key, .. }
            | NoteEvent::Choke { voice_id, channel, key, .. } => {
                let pattern = meant(channel, key, voice_id);
                if let Some(part) = part {
                    self.follow.chords.end_all(pattern, part.played(at));
                }
                let velocity = if let NoteEvent::NoteOff { velocity, .. } = event { velocity } else { 0.0 };
                self.wait(at, Came::OffAll { pattern, velocity });
            }
            // A note without a key, or what only a plugin tells a host.
            NoteEvent::NoteOn { .. } | NoteEvent::VoiceTerminated { .. } => {}
            other if self.others.len() < self.others.capacity() => {
                self.others.push_back((self.begin + at as u64 + self.latency, other));
            }
            _ => {}
        }
    }

    /// Tells all that listen of a note; says whether it is a hit of the kit.
    fn hear(
        &mut self,
        part: &Part,
        at: usize,
        name: NoteName,
        velocity: f32,
        settings: &Settings,
    ) -> Option<Hit> {
        let steps = (127.0 * velocity).round().clamp(1.0, 127.0) as u8;
        let played = part.played(at);
        let hit = self.hits.take(part, at, name, steps, settings.channel);
        match hit {
            Some(_) => self.listen.hear(name.pitch, steps, played),
            None => self.follow.chords.begin(name.channel, name.pitch, velocity, played),
        }
        self.dynamics.hear(past(name, steps, hit.is_some()), played);
        hit
    }

    /// By how many samples a note is later, and its velocity.
    fn decide(
        &mut self,
        came: (NoteName, f32),
        spot: &Spot,
        hit: Option<Hit>,
        now: u64,
        block: &Block,
    ) -> (i64, f32) {
        let (settings, (name, velocity)) = (block.settings, came);
        let (later, velocity) = hit.map_or((0, velocity), |hit| {
            self.hits.decide(&hit, spot, velocity, now, settings, &block.shared.trace)
        });
        if hit.is_some_and(|hit| settings.feel.locked[hit.voice]) {
            return (later, velocity);
        }
        let part = past(name, 1, hit.is_some()).part();
        (later, self.dynamics.shape(spot, part, velocity, now, settings.dynamics))
    }

    /// Decides and sends what is due at a sample of the block.
    pub(super) fn pass(
        &mut self,
        at: usize,
        part: Option<&Part>,
        block: &Block,
        send: &mut impl FnMut(NoteEvent<()>),
    ) {
        let (settings, shared) = (block.settings, block.shared);
        let now = self.begin + at as u64;
        let rest = self.latency - self.decision;
        while let Some((_, came)) = self.waiting.front().copied().filter(|(moment, _)| *moment <= now) {
            self.waiting.pop_front();
            match came {
                Came::On { name, velocity, spot, hit } => {
                    let (later, velocity) = spot
                        .map_or((0, velocity), |spot| self.decide((name, velocity), &spot, hit, now, block));
                    if hit.is_none() {
                        self.play_on.stop(now, &mut self.notes);
                    }
                    self.notes.begin(name, velocity, now, rest.saturating_add_signed(later));
                }
                Came::OffAll { pattern, velocity } => self.notes.end_all(pattern, velocity, now),
                Came::Off { name, velocity } => _ = self.notes.end(name, velocity, now),
                Came::Cut => {
                    self.notes.cut(now, rest);
                    self.follow.forget();
                    self.play_on.forget();
                }
            }
        }
        let part = part.map(|part| (part, at));
        let (rate, chords) = (self.sample_rate, &settings.chords);
        self.follow.run(part, now, rest, rate, chords, &shared.chords, &mut self.notes);
        self.play_on.run(now, rest, settings.plays_on, &self.follow.chords, &mut self.notes);
        let heard = block.heard + at as u64;
        self.modulation.run(now, heard, &settings.mood, &shared.mood, |event| {
            send(at_sample(event, at as u32));
        });
        while let Some((_, event)) = self.others.front().copied().filter(|(moment, _)| *moment <= now) {
            self.others.pop_front();
            send(at_sample(event, at as u32));
        }
        let played = self.played(now);
        self.notes.send(now, &mut |event| {
            if let Some(played) = played {
                shared.capture.push(event, played);
            }
            send(told(event, at as u32));
        });
    }

    /// The quarter notes that were played before what is passed on now came; none while no song plays.
    fn played(&self, now: u64) -> Option<f64> {
        let Last { sample, played, beats_per_sample } = self.last?;
        let since = now as f64 - sample as f64 - self.latency as f64;
        (since <= 0.0).then_some(played + since * beats_per_sample)
    }
}

/// A note as the dynamics network knows it.
fn past(name: NoteName, velocity: u8, is_hit: bool) -> PastNote {
    let NoteName { channel, pitch, .. } = name;
    PastNote { tick: 0, pitch, velocity, channel, drum: is_hit || channel == DRUMS }
}
