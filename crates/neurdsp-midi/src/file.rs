//! The parts of a MIDI file: a header, tracks, and chunks of other kinds.

use crate::division::Division;
use crate::event::{Event, Message};
use crate::warning::Warning;

/// A Standard MIDI File.
///
/// Written unchanged it is, byte for byte, what was read: chunks of unknown kinds, bytes after the end of a track, left-out
/// status bytes and numbers longer than they need be are kept. Only what the standard does not allow is
/// repaired, and [`warnings`](MidiFile::warnings) tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MidiFile {
    pub(crate) format: u16,
    pub(crate) division: Division,
    /// What follows the six bytes of the header.
    pub(crate) header_rest: Vec<u8>,
    pub(crate) chunks: Vec<Chunk>,
    /// Bytes after the last chunk that are none.
    pub(crate) rest: Vec<u8>,
    pub(crate) warnings: Vec<Warning>,
}

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// A track.
    Track(Track),
    /// A chunk of another kind, which is kept.
    Other {
        /// Its four letters.
        id: [u8; 4],
        /// Its content.
        data: Vec<u8>,
    },
}

/// The events of a track, in the order of time; the last one ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    pub(crate) events: Vec<Event>,
    /// Bytes of the chunk after the end of the track.
    pub(crate) rest: Vec<u8>,
}

impl Track {
    /// A track of these events, sorted by their ticks; events of one tick keep their order. It ends with the last one, or at
    /// `end_ticks` if that is later.
    #[must_use]
    pub fn new(mut events: Vec<Event>, end_ticks: u64) -> Track {
        events.retain(|event| !event.message.is_end());
        events.sort_by_key(|event| event.tick);
        let end = events.last().map_or(0, |event| event.tick).max(end_ticks);
        events.push(Event::new(end, Message::end()));
        Track { events, rest: Vec::new() }
    }

    /// The events; the last one ends the track.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The tick at which the track ends.
    #[must_use]
    pub fn end_ticks(&self) -> u64 {
        self.events.last().map_or(0, |event| event.tick)
    }
}

impl MidiFile {
    /// The most bytes of a file, 32 MiB: one that is larger is refused, so memory is bounded.
    pub const MAX_BYTES: usize = crate::error::MAX_BYTES;

    /// An empty file of format 1.
    #[must_use]
    pub fn new(division: Division) -> MidiFile {
        MidiFile {
            format: 1,
            division,
            header_rest: Vec::new(),
            chunks: Vec::new(),
            rest: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// 0: one track. 1: tracks that play together. 2: tracks that are pieces of their own.
    #[must_use]
    pub fn format(&self) -> u16 {
        self.format
    }

    /// What a tick is.
    #[must_use]
    pub fn division(&self) -> Division {
        self.division
    }

    /// All chunks in their order.
    #[must_use]
    pub fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }

    /// The tracks in their order.
    pub fn tracks(&self) -> impl Iterator<Item = &Track> {
        self.chunks.iter().filter_map(|chunk| match chunk {
            Chunk::Track(track) => Some(track),
            Chunk::Other { .. } => None,
        })
    }

    pub(crate) fn tracks_mut(&mut self) -> impl Iterator<Item = &mut Track> {
        self.chunks.iter_mut().filter_map(|chunk| match chunk {
            Chunk::Track(track) => Some(track),
            Chunk::Other { .. } => None,
        })
    }

    /// The tick at which the last track ends.
    #[must_use]
    pub fn end_ticks(&self) -> u64 {
        self.tracks().map(Track::end_ticks).max().unwrap_or(0)
    }

    /// What was repaired while the file was read.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}
