//! Why bytes are no Standard MIDI File, or something cannot be written as one.

/// The most bytes of a file.
pub(crate) const MAX_BYTES: usize = 32 << 20;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why bytes are no Standard MIDI File, or something cannot be written as one.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes do not begin as a MIDI file does.
    #[error("not a Standard MIDI File: it begins with {begins}, not with 'MThd'; give a .mid file")]
    NotMidi {
        /// The first bytes, in quotation marks.
        begins: String,
    },
    /// The header is cut off, or its length is impossible.
    #[error("the MIDI header is damaged: {reason}; export the file again")]
    Header {
        /// What is wrong.
        reason: String,
    },
    /// Another format than 0, 1 or 2.
    #[error("MIDI format {format}: only the formats 0, 1 and 2 exist; export the file as format 1")]
    Format {
        /// The number in the header.
        format: u16,
    },
    /// A division that no tick can have.
    #[error(
        "a time division of {value}: allowed are 1 to 32767 ticks in a quarter note, or 24, 25, 29 or 30 frames of 1 to 255 ticks"
    )]
    Division {
        /// What was asked for.
        value: String,
    },
    /// More bytes than a MIDI file may have here.
    #[error("{bytes} bytes: a MIDI file may have at most {max}; split it", max = MAX_BYTES)]
    TooLarge {
        /// The size of the file.
        bytes: usize,
    },
    /// A value of a note that MIDI cannot express.
    #[error("note {index}: {name} is {value}, but {allowed}")]
    Note {
        /// Its place in the list, from 0 on.
        index: usize,
        /// Which value.
        name: &'static str,
        /// The value.
        value: u64,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The notes are not those of the file.
    #[error("{got} notes, but the file has {expected}; change the notes that it gave, and keep their order")]
    NoteCount {
        /// The notes of the file.
        expected: usize,
        /// The notes that were given.
        got: usize,
    },
    /// A value that no meta event can hold.
    #[error("{name} is {value}, but {allowed}")]
    Parameter {
        /// Which value.
        name: &'static str,
        /// The value.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A time between two events that a file cannot express.
    #[error(
        "{ticks} ticks between two events of track {track}: at most 268435455 can be written; use a coarser division"
    )]
    Gap {
        /// The track, from 0 on.
        track: usize,
        /// The time in between.
        ticks: u64,
    },
}

impl Error {
    pub(crate) fn parameter(name: &'static str, value: impl ToString, allowed: &'static str) -> Error {
        Error::Parameter { name, value: value.to_string(), allowed }
    }
}
