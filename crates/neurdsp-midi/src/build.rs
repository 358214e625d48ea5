//! Tracks made anew from notes.

use crate::error::{Error, Result};
use crate::event::{Event, Message};
use crate::file::{Chunk, MidiFile, Track};
use crate::meta::{KeySignature, TimeSignature};
use crate::tempo::TempoChange;

/// The longest name of a track, in bytes.
const MAX_NAME_BYTES: usize = 1 << 16;

/// A note to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewNote {
    /// Ticks since the start of the track.
    pub start_ticks: u64,
    /// Where it ends, not before the start.
    pub end_ticks: u64,
    /// 0 to 127.
    pub pitch: u8,
    /// 1 to 127.
    pub velocity: u8,
    /// 0 to 15; drums are on 9.
    pub channel: u8,
}

/// A track to write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTrack {
    /// Its name; none if empty.
    pub name: String,
    /// The instruments of channels, 0 to 127, at the start.
    pub programs: Vec<(u8, u8)>,
    /// Tempo, bars and keys; they belong into the first track of a file.
    pub tempos: Vec<TempoChange>,
    /// Bars.
    pub time_signatures: Vec<TimeSignature>,
    /// Keys.
    pub key_signatures: Vec<KeySignature>,
    /// The notes in any order.
    pub notes: Vec<NewNote>,
    /// Where the track ends; with its last event if that is later.
    pub end_ticks: u64,
}

impl NewTrack {
    /// A track of these notes alone.
    #[must_use]
    pub fn of(notes: Vec<NewNote>) -> NewTrack {
        NewTrack { notes, ..NewTrack::default() }
    }

    fn to_track(&self) -> Result<Track> {
        let mut events = Vec::with_capacity(2 * self.notes.len() + 8);
        if self.name.len() > MAX_NAME_BYTES {
            return Err(Error::parameter(
                "the length of a name",
                self.name.len(),
                "at most 65536 bytes are allowed",
            ));
        }
        let mut meta = |tick, kind, data: &[u8]| {
            events.push(Event::new(tick, Message::Meta { kind, data: data.into() }))
        };
        if !self.name.is_empty() {
            meta(0, 0x03, self.name.as_bytes());
        }
        for change in &self.tempos {
            let [high, data @ ..] = change.microseconds_per_quarter.to_be_bytes();
            if high > 0 || data == [0; 3] {
                let value = change.microseconds_per_quarter;
                return Err(Error::parameter(
                    "a tempo",
                    format!("{value} µs"),
                    "a quarter note lasts 1 to 16777215 µs",
                ));
            }
            meta(change.tick, 0x51, &data);
        }
        for signature in &self.time_signatures {
            let TimeSignature { tick, numerator, denominator } = *signature;
            if numerator == 0 || !denominator.is_power_of_two() {
                let value = format!("{numerator}/{denominator}");
                return Err(Error::parameter(
                    "a time signature",
                    value,
                    "it is 1 to 255 of a power of two, such as 6/8",
                ));
            }
            // 24 clocks in a click of the metronome, 8 notated 32nds in a quarter note.
            meta(tick, 0x58, &[numerator, denominator.trailing_zeros() as u8, 24, 8]);
        }
        for signature in &self.key_signatures {
            if !(-7..=7).contains(&signature.sharps) {
                return Err(Error::parameter("a key signature", signature.sharps, "it has −7 to 7 sharps"));
            }
            meta(signature.tick, 0x59, &[signature.sharps as u8, u8::from(signature.is_minor)]);
        }
        for &(channel, program) in &self.programs {
            if channel > 15 || program > 127 {
                let value = format!("{program} on channel {channel}");
                return Err(Error::parameter("a program", value, "programs are 0 to 127, channels 0 to 15"));
            }
            events.push(Event::new(0, Message::Channel { status: 0xC0 | channel, data: [program, 0] }));
        }
        events.extend(self.note_events()?);
        Ok(Track::new(events, self.end_ticks))
    }

    /// At each tick, notes end before others begin.
    fn note_events(&self) -> Result<impl Iterator<Item = Event>> {
        let mut found = Vec::with_capacity(2 * self.notes.len());
        for (index, note) in self.notes.iter().enumerate() {
            let refused = |name, value, allowed| Err(Error::Note { index, name, value, allowed });
            if note.pitch > 127 {
                return refused("the pitch", u64::from(note.pitch), "must be 0 to 127");
            }
            if !(1..=127).contains(&note.velocity) {
                return refused("the velocity", u64::from(note.velocity), "must be 1 to 127");
            }
            if note.channel > 15 {
                return refused("the channel", u64::from(note.channel), "must be 0 to 15");
            }
            if note.end_ticks < note.start_ticks {
                return refused("the end", note.end_ticks, "must not be before the start");
            }
            let on = Message::Channel { status: 0x90 | note.channel, data: [note.pitch, note.velocity] };
            let off = Message::Channel { status: 0x80 | note.channel, data: [note.pitch, 64] };
            let off_rank = if note.end_ticks == note.start_ticks { 2 } else { 0 };
            found.push((note.start_ticks, 1, on));
            found.push((note.end_ticks, off_rank, off));
        }
        found.sort_by_key(|&(tick, rank, _)| (tick, rank));
        Ok(found.into_iter().map(|(tick, _, message)| Event::new(tick, message)))
    }
}

impl MidiFile {
    /// The file with a further track at its end. A file of format 0 becomes one of format 1.
    ///
    /// # Errors
    /// A note, a name, a tempo or a signature that MIDI cannot express.
    pub fn with_track(&self, track: &NewTrack) -> Result<MidiFile> {
        let mut file = self.clone();
        file.chunks.push(Chunk::Track(track.to_track()?));
        if file.format == 0 && file.tracks().count() > 1 {
            file.format = 1;
        }
        Ok(file)
    }
}
