//! The events of a track: a tick, a message, and how the two were spelt in the file.

/// A message at a tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Ticks since the start of the track.
    pub tick: u64,
    /// What happens.
    pub message: Message,
    pub(crate) spelling: Spelling,
}

/// Choices of whoever wrote the file that mean nothing, kept so that it can be written as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spelling {
    pub(crate) delta_padding: u8,
    pub(crate) length_padding: u8,
    pub(crate) status: Status,
}

/// Whether the status byte of a channel message is left out where it repeats the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Status {
    #[default]
    Written,
    LeftOut,
    /// Left out although a meta event or a system message stands in between, which the standard forbids.
    LeftOutAcross,
}

/// What happens at an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A message to a channel.
    Channel {
        /// Kind and channel, 0x80 to 0xEF.
        status: u8,
        /// Its data, 0 to 127 each; the second is 0 where the kind has only one.
        data: [u8; 2],
    },
    /// A system exclusive message, without its 0xF0, with its 0xF7 if it is there.
    SysEx(Box<[u8]>),
    /// Any bytes to send as they are (0xF7): packets of a divided system exclusive message, or system messages.
    Escape(Box<[u8]>),
    /// A meta event.
    Meta {
        /// Its kind, such as 0x51 for a tempo.
        kind: u8,
        /// Its data.
        data: Box<[u8]>,
    },
}

impl Event {
    /// An event in the plain spelling: every number as short as it can be, every status written.
    #[must_use]
    pub fn new(tick: u64, message: Message) -> Event {
        Event { tick, message, spelling: Spelling::default() }
    }
}

impl Message {
    pub(crate) const END: u8 = 0x2F;

    /// The meta event that ends a track.
    pub(crate) fn end() -> Message {
        Message::Meta { kind: Message::END, data: Box::default() }
    }

    pub(crate) fn is_end(&self) -> bool {
        matches!(self, Message::Meta { kind: Message::END, .. })
    }

    /// Channel, pitch and velocity of a note-on; one of velocity 0 is a note-off.
    #[must_use]
    pub fn note_on(&self) -> Option<(u8, u8, u8)> {
        match *self {
            Message::Channel { status, data: [pitch, velocity] } if status >> 4 == 9 && velocity > 0 => {
                Some((status & 15, pitch, velocity))
            }
            _ => None,
        }
    }

    /// Channel and pitch of a note-off, or of a note-on of velocity 0.
    #[must_use]
    pub fn note_off(&self) -> Option<(u8, u8)> {
        match *self {
            Message::Channel { status, data: [pitch, velocity] }
                if status >> 4 == 8 || (status >> 4 == 9 && velocity == 0) =>
            {
                Some((status & 15, pitch))
            }
            _ => None,
        }
    }

    /// The whole message as bytes: for a channel, those that go over a cable; otherwise with 0xF0, 0xF7 or 0xFF and the kind
    /// in front, and without a length.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Message::Channel { status, data } => [&[*status], &data[..data_len(*status)]].concat(),
            Message::SysEx(data) => [&[0xF0], &data[..]].concat(),
            Message::Escape(data) => [&[0xF7], &data[..]].concat(),
            Message::Meta { kind, data } => [&[0xFF, *kind], &data[..]].concat(),
        }
    }
}

/// Data bytes of a channel message.
pub(crate) fn data_len(status: u8) -> usize {
    if matches!(status >> 4, 0xC | 0xD) { 1 } else { 2 }
}
