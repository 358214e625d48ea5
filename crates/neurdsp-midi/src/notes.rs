//! Notes: each note-on paired with the first note-off that is left for it.

use crate::file::{MidiFile, Track};

/// A note of a file.
///
/// Of notes that sound together on one pitch and channel of a track, the first that began is the first to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// Ticks since the start of the track.
    pub start_ticks: u64,
    /// Where it ends; with the track, if nothing releases it.
    pub end_ticks: u64,
    /// 0 to 127; 60 is middle C.
    pub pitch: u8,
    /// 1 to 127.
    pub velocity: u8,
    /// 0 to 15; drums are on 9.
    pub channel: u8,
    /// The track, from 0 on.
    pub track: u32,
    /// Its events in the track.
    pub(crate) on: u32,
    pub(crate) off: Option<u32>,
}

impl Note {
    /// The note with another start, of the same length.
    #[must_use]
    pub fn starting_at(self, start_ticks: u64) -> Note {
        let length = self.end_ticks.saturating_sub(self.start_ticks);
        Note { start_ticks, end_ticks: start_ticks.saturating_add(length), ..self }
    }
}

impl MidiFile {
    /// All notes by their start; those of one tick in the order of tracks and events.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        let mut sounding = Sounding::new();
        for (index, track) in self.tracks().enumerate() {
            pair(track, index as u32, &mut sounding, &mut notes);
        }
        notes.sort_by_key(|note| note.start_ticks);
        notes
    }
}

const NONE: u32 = u32::MAX;

/// For each channel and pitch, the first and the last note of those that sound, which form a chain.
struct Sounding {
    ends: Vec<[u32; 2]>,
    following: Vec<u32>,
}

impl Sounding {
    fn new() -> Sounding {
        Sounding { ends: vec![[NONE; 2]; 16 * 128], following: Vec::new() }
    }

    fn begin(&mut self, channel: u8, pitch: u8) {
        let note = self.following.len() as u32;
        self.following.push(NONE);
        let [first, last] = &mut self.ends[usize::from(channel) * 128 + usize::from(pitch)];
        if *first == NONE {
            *first = note;
        } else {
            self.following[*last as usize] = note;
        }
        *last = note;
    }

    /// The number of the note that ends, in the order in which they began.
    fn end(&mut self, channel: u8, pitch: u8) -> Option<usize> {
        let [first, _] = &mut self.ends[usize::from(channel) * 128 + usize::from(pitch)];
        let note = *first;
        if note == NONE {
            return None;
        }
        *first = self.following[note as usize];
        Some(note as usize)
    }
}

fn pair(track: &Track, index: u32, sounding: &mut Sounding, notes: &mut Vec<Note>) {
    let begin = notes.len();
    sounding.ends.fill([NONE; 2]);
    sounding.following.clear();
    let end_ticks = track.end_ticks();
    for (at, event) in track.events().iter().enumerate() {
        if let Some((channel, pitch, velocity)) = event.message.note_on() {
            sounding.begin(channel, pitch);
            let (start_ticks, on) = (event.tick, at as u32);
            notes.push(Note {
                start_ticks,
                end_ticks,
                pitch,
                velocity,
                channel,
                track: index,
                on,
                off: None,
            });
        } else if let Some((channel, pitch)) = event.message.note_off()
            && let Some(note) = sounding.end(channel, pitch)
        {
            let note = &mut notes[begin + note];
            (note.end_ticks, note.off) = (event.tick, Some(at as u32));
        }
    }
}
