//! Writing, in the spelling that events were read in.

use crate::error::{Error, Result};
use crate::event::{Event, Message, Status, data_len};
use crate::file::{Chunk, MidiFile, Track};
use crate::number;

impl MidiFile {
    /// The bytes of the file.
    ///
    /// # Errors
    /// More than 268 435 455 ticks between two events, or more than 65 535 tracks.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let n_tracks = self.tracks().count();
        let n_tracks = u16::try_from(n_tracks)
            .map_err(|_| Error::parameter("the number of tracks", n_tracks, "a file has at most 65535"))?;
        let mut out = b"MThd".to_vec();
        out.extend((6 + self.header_rest.len() as u32).to_be_bytes());
        for field in [self.format, n_tracks, self.division.bits()] {
            out.extend(field.to_be_bytes());
        }
        out.extend(&self.header_rest);
        let mut index = 0;
        for chunk in &self.chunks {
            let (id, begin) = match chunk {
                Chunk::Track(_) => (b"MTrk", out.len() + 8),
                Chunk::Other { id, .. } => (id, out.len() + 8),
            };
            out.extend(id);
            out.extend([0; 4]);
            match chunk {
                Chunk::Other { data, .. } => out.extend(data),
                Chunk::Track(track) => {
                    write_track(&mut out, track, index)?;
                    index += 1;
                }
            }
            let len = (out.len() - begin) as u32;
            out[begin - 4..begin].copy_from_slice(&len.to_be_bytes());
        }
        out.extend(&self.rest);
        Ok(out)
    }
}

fn write_track(out: &mut Vec<u8>, track: &Track, index: usize) -> Result<()> {
    let (mut tick, mut running, mut interrupted) = (0, None, false);
    for Event { tick: at, message, spelling } in &track.events {
        let ticks = at - tick;
        tick = *at;
        let delta = u32::try_from(ticks).ok().filter(|delta| *delta <= number::MAX);
        number::write(out, delta.ok_or(Error::Gap { track: index, ticks })?, spelling.delta_padding);
        let counted = |out: &mut Vec<u8>, data: &[u8]| {
            number::write(out, data.len() as u32, spelling.length_padding);
            out.extend(data);
        };
        match message {
            Message::Channel { status, data } => {
                let leaves_out = match spelling.status {
                    Status::Written => false,
                    Status::LeftOut => !interrupted,
                    Status::LeftOutAcross => true,
                };
                if !leaves_out || running != Some(*status) {
                    out.push(*status);
                }
                out.extend(&data[..data_len(*status)]);
                (running, interrupted) = (Some(*status), false);
                continue;
            }
            Message::SysEx(data) => {
                out.push(0xF0);
                counted(out, data);
            }
            Message::Escape(data) => {
                out.push(0xF7);
                counted(out, data);
            }
            Message::Meta { kind, data } => {
                out.extend([0xFF, *kind]);
                counted(out, data);
            }
        }
        interrupted = true;
    }
    out.extend(&track.rest);
    Ok(())
}
