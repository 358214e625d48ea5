//! Standard MIDI Files: read, edited and written, and what nobody touched comes back byte for byte.
//!
//! | part | subject |
//! |---|---|
//! | [`MidiFile`] | the chunks of a file; [`from_bytes`](MidiFile::from_bytes), [`to_bytes`](MidiFile::to_bytes) |
//! | [`Track`], [`Event`], [`Message`] | what happens at which tick |
//! | [`Note`] | a note-on paired with its note-off; [`notes`](MidiFile::notes), [`with_notes`](MidiFile::with_notes) |
//! | [`TempoMap`] | ticks to seconds and back, exactly |
//! | [`TimeSignature`], [`KeySignature`] | what meta events say of the music |
//! | [`NewNote`], [`NewTrack`] | files made anew |
//! | [`Warning`] | what was repaired while reading |
//!
//! Source: "Standard MIDI Files 1.0", MIDI Manufacturers Association, RP-001, 1996.
//!
//! # Example
//! ```
//! use neurdsp_midi::{Division, MidiFile, NewNote, NewTrack};
//!
//! let hit = NewNote { start_ticks: 480, end_ticks: 600, pitch: 36, velocity: 90, channel: 9 };
//! let made = MidiFile::new(Division::quarter(480)?).with_track(&NewTrack::of(vec![hit]))?;
//!
//! let read = MidiFile::from_bytes(&made.to_bytes()?)?;
//! let mut notes = read.notes();
//! notes[0] = notes[0].starting_at(470);
//! let moved = read.with_notes(&notes)?;
//! assert_eq!((moved.notes()[0].start_ticks, moved.notes()[0].end_ticks), (470, 590));
//! assert_eq!(read.tempo_map(0).seconds(480), 0.5); // 120 quarter notes a minute, as no event says otherwise
//! # Ok::<(), neurdsp_midi::Error>(())
//! ```

mod build;
mod division;
mod edit;
mod error;
mod event;
mod file;
mod meta;
mod notes;
mod number;
mod read;
mod tempo;
mod warning;
mod write;

pub use build::{NewNote, NewTrack};
pub use division::Division;
pub use error::{Error, Result};
pub use event::{Event, Message};
pub use file::{Chunk, MidiFile, Track};
pub use meta::{KeySignature, TimeSignature};
pub use notes::Note;
pub use tempo::{TempoChange, TempoMap};
pub use warning::Warning;
