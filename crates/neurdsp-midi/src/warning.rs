//! What was repaired while a file was read.

use std::fmt;

/// What was repaired while a file was read. Tracks are counted from 0 on.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The header announces another number of tracks than there are.
    TrackCount {
        /// The number in the header.
        announced: u16,
        /// The tracks found.
        found: usize,
    },
    /// A chunk announces another length than it has.
    Length {
        /// The track; `None` for another chunk.
        track: Option<usize>,
        /// The length in its header, in bytes.
        announced: u32,
        /// The length that was read, in bytes.
        found: usize,
    },
    /// A track has no event that ends it.
    NoEnd {
        /// The track.
        track: usize,
    },
    /// A track ends within an event, which is left out.
    Cut {
        /// The track.
        track: usize,
    },
    /// Bytes that are no event; they and the rest of the track are left out.
    Damaged {
        /// The track.
        track: usize,
        /// Where in the file, in bytes.
        at: usize,
    },
    /// System messages stand bare in a track; they are kept as escaped ones.
    BareSystemMessage {
        /// The track.
        track: usize,
    },
    /// Notes that are never released; they end with the track.
    Held {
        /// The track.
        track: usize,
        /// The number of notes.
        notes: usize,
    },
}

impl Warning {
    /// Whether something is missing from what was read.
    #[must_use]
    pub fn is_loss(&self) -> bool {
        matches!(self, Warning::Cut { .. } | Warning::Damaged { .. })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::TrackCount { announced, found } => {
                write!(f, "the header announces {announced} tracks, and {found} are there")
            }
            Warning::Length { track: Some(track), announced, found } => {
                write!(f, "track {track} announces {announced} bytes, and has {found}")
            }
            Warning::Length { track: None, announced, found } => {
                write!(f, "a chunk that is no track announces {announced} bytes, and has {found}")
            }
            Warning::NoEnd { track } => write!(f, "track {track} has no End of Track event; one is added"),
            Warning::Cut { track } => write!(f, "track {track} ends within an event, which is left out"),
            Warning::Damaged { track, at } => {
                write!(f, "track {track} is damaged at byte {at}; the rest of it is left out")
            }
            Warning::BareSystemMessage { track } => {
                write!(f, "track {track} has system messages that are not escaped; they are written escaped")
            }
            Warning::Held { track, notes: 1 } => {
                write!(f, "a note of track {track} is never released; it ends with the track")
            }
            Warning::Held { track, notes } => {
                write!(f, "{notes} notes of track {track} are never released; they end with the track")
            }
        }
    }
}
