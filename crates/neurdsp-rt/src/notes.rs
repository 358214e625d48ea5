//! Notes played beside the host's song, with exactly one end for each: at loops, seeks, stops and changes of tempo.

use crate::transport::{Segment, Transport};

/// A note to play.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimedNote {
    /// Where it begins, in beats of the song.
    pub start_beats: f64,
    /// Where it ends.
    pub end_beats: f64,
    /// 0 to 15.
    pub channel: u8,
    /// 0 to 127.
    pub pitch: u8,
    /// 1 to 127.
    pub velocity: u8,
}

/// What a [`NotePlayer`] sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteEvent {
    /// A note begins.
    On {
        /// 0 to 15.
        channel: u8,
        /// 0 to 127.
        pitch: u8,
        /// 1 to 127.
        velocity: u8,
    },
    /// A note ends.
    Off {
        /// 0 to 15.
        channel: u8,
        /// 0 to 127.
        pitch: u8,
    },
}

/// Plays notes at their beats, and ends each of them exactly once.
///
/// A note that sounds ends at its beat, at whatever tempo; or before, where the loop begins again, the song jumps or stops, or
/// [`release`](Self::release) is called for a bypass or a deactivation. Each is ended on its own, for plugins that
/// ignore "all notes off". Nothing is allocated after construction.
///
/// # Example
/// ```
/// use neurdsp_rt::{NoteEvent, NotePlayer, TimedNote, Transport};
///
/// let notes = [TimedNote { start_beats: 0.5, end_beats: 9.0, channel: 0, pitch: 60, velocity: 90 }];
/// let mut player = NotePlayer::new(64);
/// let mut sent = Vec::new();
/// let playing = Transport::playing(0.0, 120.0, 48_000.0);
/// player.process(&notes, &playing, 24_000, &mut |sample, event| sent.push((sample, event)));
/// let stopped = Transport { is_playing: false, ..playing };
/// player.process(&notes, &stopped, 64, &mut |sample, event| sent.push((sample, event)));
/// let on = NoteEvent::On { channel: 0, pitch: 60, velocity: 90 };
/// assert_eq!(sent, [(12_000, on), (0, NoteEvent::Off { channel: 0, pitch: 60 })]);
/// ```
#[derive(Debug)]
pub struct NotePlayer {
    sounding: Vec<Sounding>,
    capacity: usize,
    /// Where the next block begins, if nothing happens in between.
    expected_beat: Option<f64>,
    /// The loop begins again with the next block.
    is_at_seam: bool,
    /// The next note.
    cursor: usize,
    lost: u64,
}

#[derive(Clone, Copy, Debug)]
struct Sounding {
    end_beats: f64,
    channel: u8,
    pitch: u8,
}

/// Beats by which a block may begin elsewhere than expected before it counts as a jump: the tempo may have moved during a block.
const JUMP_BEATS: f64 = 1.0 / 64.0;

impl NotePlayer {
    /// A player of at most `capacity` notes at a time; one more is not played, and counted by [`lost`](Self::lost).
    #[must_use]
    pub fn new(capacity: usize) -> NotePlayer {
        NotePlayer {
            sounding: Vec::with_capacity(capacity),
            capacity,
            expected_beat: None,
            is_at_seam: false,
            cursor: 0,
            lost: 0,
        }
    }

    /// Plays a block. `notes` are sorted by their start; `send` gets the sample of each event in the block, in order.
    ///
    /// When the notes themselves change, call [`changed`](Self::changed) before.
    pub fn process(
        &mut self,
        notes: &[TimedNote],
        transport: &Transport,
        n_samples: usize,
        send: &mut impl FnMut(usize, NoteEvent),
    ) {
        if n_samples == 0 {
            return;
        }
        let mut has_segment = false;
        for segment in transport.segments(n_samples) {
            has_segment = true;
            let goes_on =
                self.expected_beat.is_some_and(|expected| (segment.beat - expected).abs() < JUMP_BEATS);
            if self.is_at_seam || !goes_on {
                self.end_all(segment.offset, send);
                self.seek(notes, &segment);
            }
            self.play(notes, &segment, send);
            (self.is_at_seam, self.expected_beat) = (segment.wraps, Some(segment.end_beat()));
            if let (true, Some([begin, _])) = (segment.wraps, transport.loop_beats) {
                self.expected_beat = Some(begin);
            }
        }
        if !has_segment {
            self.release(0, send);
        }
    }

    /// Ends every note that sounds, at this sample: on a bypass, on a deactivation, in a panic. The next block begins anew.
    pub fn release(&mut self, sample: usize, send: &mut impl FnMut(usize, NoteEvent)) {
        self.end_all(sample, send);
        self.expected_beat = None;
        self.is_at_seam = false;
    }

    /// Says that other notes come with the next block. Those that sound go on to their end.
    pub fn changed(&mut self, notes: &[TimedNote]) {
        if let Some(beat) = self.expected_beat {
            self.cursor = notes.partition_point(|note| note.start_beats < beat);
        }
    }

    /// The number of notes that sound.
    #[must_use]
    pub fn n_sounding(&self) -> usize {
        self.sounding.len()
    }

    /// The number of notes that were not played because too many sounded.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    fn end_all(&mut self, sample: usize, send: &mut impl FnMut(usize, NoteEvent)) {
        for note in self.sounding.drain(..) {
            send(sample, NoteEvent::Off { channel: note.channel, pitch: note.pitch });
        }
    }

    fn seek(&mut self, notes: &[TimedNote], segment: &Segment) {
        self.cursor = notes.partition_point(|note| segment.first_sample(note.start_beats) < 0.0);
    }

    fn play(&mut self, notes: &[TimedNote], segment: &Segment, send: &mut impl FnMut(usize, NoteEvent)) {
        let len = segment.len as f64;
        // A beat that was missed by rounding, or by a tempo that moved, is made up for at once.
        let mut at = 0.0f64;
        loop {
            let on = notes.get(self.cursor).map(|note| segment.first_sample(note.start_beats));
            let ends = self.sounding.iter().enumerate();
            let off = ends
                .map(|(index, note)| (segment.first_sample(note.end_beats), index))
                .min_by(|a, b| a.0.total_cmp(&b.0));
            match (on, off) {
                // At one sample, notes end before others begin.
                (on, Some((sample, index))) if sample < len && on.is_none_or(|on| sample <= on.max(at)) => {
                    let note = self.sounding.remove(index);
                    at = at.max(sample);
                    let event = NoteEvent::Off { channel: note.channel, pitch: note.pitch };
                    send(segment.offset + at as usize, event);
                }
                (Some(sample), _) if sample < len => {
                    let note = notes[self.cursor];
                    self.cursor += 1;
                    at = at.max(sample);
                    self.begin(note, segment.offset + at as usize, send);
                }
                _ => break,
            }
        }
    }

    fn begin(&mut self, note: TimedNote, sample: usize, send: &mut impl FnMut(usize, NoteEvent)) {
        if self.sounding.len() == self.capacity {
            self.lost += 1;
            return;
        }
        let TimedNote { end_beats, channel, pitch, velocity, .. } = note;
        self.sounding.push(Sounding { end_beats, channel, pitch });
        send(sample, NoteEvent::On { channel, pitch, velocity });
    }
}
