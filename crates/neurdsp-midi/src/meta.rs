//! What meta events say of the music: bars, keys and names.

use crate::event::{Event, Message};
use crate::file::{MidiFile, Track};

/// From this tick on, a bar has so many notes of so large a part of a whole note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeSignature {
    /// Ticks since the start.
    pub tick: u64,
    /// Notes in a bar, at least 1.
    pub numerator: u8,
    /// What a note is: 4 for a quarter note. A power of two.
    pub denominator: u16,
}

/// From this tick on, the music is in this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySignature {
    /// Ticks since the start.
    pub tick: u64,
    /// Sharps if positive, flats if negative, −7 to 7.
    pub sharps: i8,
    /// Whether the key is a minor one.
    pub is_minor: bool,
}

impl MidiFile {
    /// The time signatures of all tracks by their ticks; of those at one tick the last counts. Where none is at tick 0 it is
    /// 4/4, which is not in the list.
    #[must_use]
    pub fn time_signatures(&self) -> Vec<TimeSignature> {
        let found =
            self.tracks().flat_map(Track::events).filter_map(|event| match (&event.message, event.tick) {
                (Message::Meta { kind: 0x58, data }, tick)
                    if data.len() >= 2 && data[0] > 0 && data[1] < 16 =>
                {
                    Some(TimeSignature { tick, numerator: data[0], denominator: 1 << data[1] })
                }
                _ => None,
            });
        last_of_each_tick(found.collect(), |signature| signature.tick)
    }

    /// The key signatures of all tracks by their ticks; of those at one tick the last counts.
    #[must_use]
    pub fn key_signatures(&self) -> Vec<KeySignature> {
        let found =
            self.tracks().flat_map(Track::events).filter_map(|event| match (&event.message, event.tick) {
                (Message::Meta { kind: 0x59, data }, tick) if data.len() >= 2 => {
                    let (sharps, is_minor) = (data[0] as i8, data[1] == 1);
                    (-7..=7).contains(&sharps).then_some(KeySignature { tick, sharps, is_minor })
                }
                _ => None,
            });
        last_of_each_tick(found.collect(), |signature| signature.tick)
    }
}

impl Track {
    /// The bytes of its name, if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&[u8]> {
        self.events().iter().find_map(|Event { message, .. }| match message {
            Message::Meta { kind: 0x03, data } => Some(&data[..]),
            _ => None,
        })
    }
}

fn last_of_each_tick<T>(mut found: Vec<T>, tick: impl Fn(&T) -> u64) -> Vec<T> {
    found.sort_by_key(&tick);
    found.reverse();
    found.dedup_by_key(|one| tick(one));
    found.reverse();
    found
}
