//! Changing notes of a file while everything else stays as it is.

use crate::error::{Error, Result};
use crate::event::{Event, Message, Status};
use crate::file::MidiFile;
use crate::notes::Note;

impl MidiFile {
    /// The file with its notes changed: start, end, pitch and velocity of each may differ from what [`notes`](Self::notes) gave,
    /// in that order. Events of other kinds, and notes that did not change, stay as they are to the byte.
    ///
    /// The track keeps its length: an end after it is put there, and only a *start* after it makes the track longer. Changed
    /// notes that begin with other events of their tick come last.
    ///
    /// # Errors
    /// Another number of notes, a pitch above 127, a velocity that is not 1 to 127, an end before the start, or another track
    /// or channel.
    pub fn with_notes(&self, notes: &[Note]) -> Result<MidiFile> {
        let before = self.notes();
        if notes.len() != before.len() {
            return Err(Error::NoteCount { expected: before.len(), got: notes.len() });
        }
        let mut changed: Vec<Vec<(Note, Note)>> = vec![Vec::new(); self.tracks().count()];
        for (index, (old, new)) in before.iter().zip(notes).enumerate() {
            let new = Note { on: old.on, off: old.off, ..*new };
            if new == *old {
                continue;
            }
            check(index, old, &new)?;
            changed[old.track as usize].push((*old, new));
        }
        let mut file = self.clone();
        for (track, changed) in file.tracks_mut().zip(changed) {
            if !changed.is_empty() {
                change(&mut track.events, &changed);
            }
        }
        Ok(file)
    }
}

fn check(index: usize, old: &Note, new: &Note) -> Result<()> {
    let refused = |name, value, allowed| Err(Error::Note { index, name, value, allowed });
    if new.pitch > 127 {
        return refused("the pitch", u64::from(new.pitch), "must be 0 to 127");
    }
    if !(1..=127).contains(&new.velocity) {
        return refused("the velocity", u64::from(new.velocity), "must be 1 to 127");
    }
    if new.end_ticks < new.start_ticks {
        return refused("the end", new.end_ticks, "must not be before the start");
    }
    if new.track != old.track {
        return refused("the track", u64::from(new.track), "cannot be changed");
    }
    if new.channel != old.channel {
        return refused("the channel", u64::from(new.channel), "cannot be changed");
    }
    Ok(())
}

/// Where an event goes among others of its tick.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// The end of a note that changed and began before.
    Ended,
    /// As it was.
    Kept,
    /// The start of a note that changed, and its end if that is at the same tick.
    Changed,
    End,
}

fn change(events: &mut Vec<Event>, changed: &[(Note, Note)]) {
    let track_end = events.last().map_or(0, |event| event.tick);
    let mut ranks = vec![Rank::Kept; events.len()];
    for (old, new) in changed {
        let end_ticks = new.end_ticks.min(track_end.max(new.start_ticks));
        let is_short = end_ticks == new.start_ticks;
        let on = new.on as usize;
        let (starts_elsewhere, ends_elsewhere) =
            (old.start_ticks != new.start_ticks, old.end_ticks != end_ticks);
        // A note that does not move keeps its place among the events of its tick.
        let is_short = is_short && (starts_elsewhere || ends_elsewhere);
        let renamed = old.pitch != new.pitch;
        set(&mut events[on], new.start_ticks, [new.pitch, new.velocity]);
        if starts_elsewhere || is_short {
            ranks[on] = Rank::Changed;
        }
        match new.off {
            Some(off) => {
                let off = off as usize;
                if ends_elsewhere || renamed {
                    let velocity = data(&events[off])[1];
                    set(&mut events[off], end_ticks, [new.pitch, velocity]);
                }
                if is_short {
                    ranks[off] = Rank::Changed;
                } else if ends_elsewhere {
                    ranks[off] = Rank::Ended;
                }
            }
            // It ended with the track; now an event has to end it.
            None if end_ticks < track_end || renamed => {
                let message = Message::Channel { status: 0x80 | new.channel, data: [new.pitch, 64] };
                events.push(Event::new(end_ticks, message));
                ranks.push(if is_short { Rank::Changed } else { Rank::Ended });
            }
            None => {}
        }
    }
    let last = events.iter().filter(|event| !event.message.is_end()).map(|event| event.tick).max();
    for (event, rank) in events.iter_mut().zip(&mut ranks) {
        if event.message.is_end() {
            *rank = Rank::End;
            event.tick = event.tick.max(last.unwrap_or(0));
        }
    }
    let mut order: Vec<usize> = (0..events.len()).collect();
    order.sort_by_key(|&index| (events[index].tick, ranks[index], index));
    let mut kept: Vec<Option<Event>> = std::mem::take(events).into_iter().map(Some).collect();
    events.extend(order.into_iter().filter_map(|index| kept[index].take()));
}

fn data(event: &Event) -> [u8; 2] {
    match event.message {
        Message::Channel { data, .. } => data,
        _ => [0; 2],
    }
}

/// Moves an event and gives it other data.
fn set(event: &mut Event, tick: u64, values: [u8; 2]) {
    if tick != event.tick {
        event.spelling.delta_padding = 0;
        if event.spelling.status == Status::LeftOutAcross {
            event.spelling.status = Status::LeftOut;
        }
    }
    event.tick = tick;
    if let Message::Channel { data, .. } = &mut event.message {
        *data = values;
    }
}
