//! Reading: what exists is read, whatever lengths are announced, and what had to be repaired is told.

use crate::division::Division;
use crate::error::{Error, Result};
use crate::event::{Event, Message, Spelling, Status, data_len};
use crate::file::{Chunk, MidiFile, Track};
use crate::number::{self, NoNumber};
use crate::warning::Warning;

const TRACK: &[u8] = b"MTrk";
const MAX_TRACKS: usize = 65_535;

impl MidiFile {
    /// Reads a file. Memory is in proportion to the bytes that exist, whatever they announce.
    ///
    /// # Errors
    /// Bytes that are no MIDI file, a damaged header, or more than [`MAX_BYTES`](Self::MAX_BYTES). Damage further on is a
    /// [`Warning`].
    pub fn from_bytes(bytes: &[u8]) -> Result<MidiFile> {
        if bytes.len() > MidiFile::MAX_BYTES {
            return Err(Error::TooLarge { bytes: bytes.len() });
        }
        let Some(header) = bytes.strip_prefix(b"MThd") else {
            let first = &bytes[..bytes.len().min(4)];
            let begins =
                if first.is_empty() { "nothing".to_owned() } else { format!("'{}'", first.escape_ascii()) };
            return Err(Error::NotMidi { begins });
        };
        let damaged = |reason: String| Error::Header { reason };
        if header.len() < 10 {
            return Err(damaged(format!("the file ends after {} bytes", bytes.len())));
        }
        let len = be32(header);
        if len < 6 || len as usize > header.len() - 4 {
            let there = header.len() - 4;
            return Err(damaged(format!(
                "it announces {len} bytes, but must have 6 to the {there} that are there"
            )));
        }
        let field = |index: usize| u16::from_be_bytes([header[4 + 2 * index], header[5 + 2 * index]]);
        let (format, announced) = (field(0), field(1));
        if format > 2 {
            return Err(Error::Format { format });
        }
        let division = Division::from_bits(field(2))?;
        let mut file = MidiFile::new(division);
        let begin = 8 + len as usize;
        (file.format, file.header_rest) = (format, bytes[14..begin].to_vec());
        let mut reader = Reader { bytes, n_tracks: 0, file };
        reader.chunks(begin)?;
        let Reader { n_tracks, mut file, .. } = reader;
        if usize::from(announced) != n_tracks {
            file.warnings.insert(0, Warning::TrackCount { announced, found: n_tracks });
        }
        Ok(file)
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    n_tracks: usize,
    file: MidiFile,
}

/// Why there is no event.
enum Stop {
    Cut,
    Damaged,
}

impl From<NoNumber> for Stop {
    fn from(reason: NoNumber) -> Stop {
        match reason {
            NoNumber::Cut => Stop::Cut,
            NoNumber::TooLong => Stop::Damaged,
        }
    }
}

/// The status that a message without one has.
#[derive(Clone, Copy, Default)]
struct Running {
    status: Option<u8>,
    /// Whether another kind of event came in between.
    interrupted: bool,
}

impl Reader<'_> {
    fn chunks(&mut self, mut at: usize) -> Result<()> {
        while at < self.bytes.len() {
            let rest = &self.bytes[at..];
            if !begins_chunk(rest) {
                self.file.rest = rest.to_vec();
                return Ok(());
            }
            let (announced, body) = (be32(&rest[4..]), at + 8);
            if &rest[..4] == TRACK {
                if self.n_tracks == MAX_TRACKS {
                    return Err(Error::parameter(
                        "the number of tracks",
                        "above 65535",
                        "a file has at most 65535",
                    ));
                }
                at = self.track(body, announced);
                continue;
            }
            let end = body.saturating_add(announced as usize).min(self.bytes.len());
            if end - body < announced as usize {
                self.file.warnings.push(Warning::Length { track: None, announced, found: end - body });
            }
            let id = [rest[0], rest[1], rest[2], rest[3]];
            self.file.chunks.push(Chunk::Other { id, data: self.bytes[body..end].to_vec() });
            at = end;
        }
        Ok(())
    }

    /// Reads the track that begins at `body`, and gives where the next chunk begins.
    fn track(&mut self, body: usize, announced: u32) -> usize {
        let index = self.n_tracks;
        self.n_tracks += 1;
        let announced_end = body.saturating_add(announced as usize);
        let mut limit = announced_end.min(self.bytes.len());
        let (mut at, mut tick) = (body, 0u64);
        let (mut events, mut running, mut bare) = (Vec::new(), Running::default(), false);
        let mut held = Held::new();
        let ended = loop {
            let read =
                if at < limit { read_event(&self.bytes[at..limit], &mut running) } else { Err(Stop::Cut) };
            let stop = match read {
                Ok(read) => {
                    at += read.len;
                    tick += u64::from(read.delta);
                    bare |= read.bare;
                    held.see(&read.message);
                    let ends = read.message.is_end();
                    events.push(Event { tick, message: read.message, spelling: read.spelling });
                    if ends {
                        break true;
                    }
                    continue;
                }
                Err(stop) => stop,
            };
            if matches!(stop, Stop::Cut) && limit < self.bytes.len() && !begins_chunk(&self.bytes[limit..]) {
                // The announced length is too short: no chunk begins there.
                limit = self.bytes.len();
                continue;
            }
            let warnings = &mut self.file.warnings;
            match stop {
                Stop::Damaged => warnings.push(Warning::Damaged { track: index, at }),
                Stop::Cut if at < limit => warnings.push(Warning::Cut { track: index }),
                Stop::Cut => warnings.push(Warning::NoEnd { track: index }),
            }
            break false;
        };
        let next = if !ended {
            events.push(Event::new(tick, Message::end()));
            let skipped = self.bytes[at..limit].windows(TRACK.len()).position(|letters| letters == TRACK);
            skipped.map_or(limit, |skipped| at + skipped)
        } else if self.bytes[at..].starts_with(TRACK) || announced_end < at {
            at
        } else {
            announced_end.min(self.bytes.len())
        };
        let rest = if ended { self.bytes[at..next].to_vec() } else { Vec::new() };
        if next != announced_end {
            self.file.warnings.push(Warning::Length { track: Some(index), announced, found: next - body });
        }
        if bare {
            self.file.warnings.push(Warning::BareSystemMessage { track: index });
        }
        if held.notes > 0 {
            self.file.warnings.push(Warning::Held { track: index, notes: held.notes });
        }
        self.file.chunks.push(Chunk::Track(Track { events, rest }));
        next
    }
}

/// Counts the notes that sound.
struct Held {
    notes: usize,
    sounding: Vec<u32>,
}

impl Held {
    fn new() -> Held {
        Held { notes: 0, sounding: vec![0; 16 * 128] }
    }

    fn see(&mut self, message: &Message) {
        if let Some((channel, pitch, _)) = message.note_on() {
            self.sounding[usize::from(channel) * 128 + usize::from(pitch)] += 1;
            self.notes += 1;
        } else if let Some((channel, pitch)) = message.note_off() {
            let sounding = &mut self.sounding[usize::from(channel) * 128 + usize::from(pitch)];
            if *sounding > 0 {
                *sounding -= 1;
                self.notes -= 1;
            }
        }
    }
}

struct ReadEvent {
    delta: u32,
    message: Message,
    spelling: Spelling,
    /// Bytes read.
    len: usize,
    /// A system message that should have been escaped.
    bare: bool,
}

fn read_event(bytes: &[u8], running: &mut Running) -> std::result::Result<ReadEvent, Stop> {
    let delta = number::read(bytes)?;
    let mut at = delta.len;
    let mut spelling = Spelling { delta_padding: delta.padding, ..Spelling::default() };
    let first = *bytes.get(at).ok_or(Stop::Cut)?;
    let mut bare = false;
    let message = match first {
        0xFF => {
            let kind = *bytes.get(at + 1).ok_or(Stop::Cut)?;
            let data = counted(bytes, at + 2, &mut at, &mut spelling)?;
            running.interrupted = true;
            Message::Meta { kind, data }
        }
        0xF0 | 0xF7 => {
            let data = counted(bytes, at + 1, &mut at, &mut spelling)?;
            running.interrupted = true;
            if first == 0xF0 { Message::SysEx(data) } else { Message::Escape(data) }
        }
        0xF1..=0xFE => {
            let len = match first {
                0xF1 | 0xF3 => 2,
                0xF2 => 3,
                _ => 1,
            };
            let data = bytes.get(at..at + len).ok_or(Stop::Cut)?;
            at += len;
            (bare, running.interrupted) = (true, true);
            Message::Escape(data.into())
        }
        _ => {
            let status = if first >= 0x80 {
                at += 1;
                first
            } else {
                spelling.status = if running.interrupted { Status::LeftOutAcross } else { Status::LeftOut };
                running.status.ok_or(Stop::Damaged)?
            };
            let mut data = [0; 2];
            for byte in &mut data[..data_len(status)] {
                *byte = *bytes.get(at).ok_or(Stop::Cut)?;
                if *byte >= 0x80 {
                    return Err(Stop::Damaged);
                }
                at += 1;
            }
            *running = Running { status: Some(status), interrupted: false };
            Message::Channel { status, data }
        }
    };
    Ok(ReadEvent { delta: delta.value, message, spelling, len: at, bare })
}

/// The data that follow their length at `begin`; `at` moves behind them.
fn counted(
    bytes: &[u8],
    begin: usize,
    at: &mut usize,
    spelling: &mut Spelling,
) -> std::result::Result<Box<[u8]>, Stop> {
    let len = number::read(bytes.get(begin..).ok_or(Stop::Cut)?)?;
    let data = begin + len.len;
    let end = data + len.value as usize;
    spelling.length_padding = len.padding;
    *at = end;
    Ok(bytes.get(data..end).ok_or(Stop::Cut)?.into())
}

/// Whether a chunk may begin here: four letters and a length.
fn begins_chunk(bytes: &[u8]) -> bool {
    bytes.len() >= 8 && bytes[..4].iter().all(|byte| (0x20..0x7F).contains(byte))
}

fn be32(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}
