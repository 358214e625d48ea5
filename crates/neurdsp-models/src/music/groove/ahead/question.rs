//! What is asked about a beat.

/// Most hits that a question holds.
pub const MAX_PAST: usize = 96;

/// A hit that was played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PastHit {
    /// When, in ticks from the beat of the question.
    pub tick: i32,
    /// Its MIDI note.
    pub key: u8,
    /// 1 to 127.
    pub velocity: u8,
}

/// What is asked about a beat. It is copied between threads, so it has a fixed size.
#[derive(Clone, Copy, Debug)]
pub struct BeatQuestion {
    /// The beat, in quarter notes from the start of the song.
    pub beat: i64,
    /// Quarter notes from the start of its bar to it.
    pub in_bar: f64,
    /// Beats of a bar, and the note of a beat.
    pub meter: (u8, u8),
    /// How long a quarter note lasts.
    pub quarter_us: u32,
    /// What chance depends on.
    pub seed: u64,
    /// The tick at which it is asked, from the beat; what was played later is not known.
    pub now: i32,
    /// The number of `hits` that count.
    pub n_hits: usize,
    /// Hits of the last bars, in the order of time.
    pub hits: [PastHit; MAX_PAST],
}

impl BeatQuestion {
    /// The hits that count.
    pub(super) fn past(&self) -> &[PastHit] {
        &self.hits[..self.n_hits.min(MAX_PAST)]
    }
}
