//! Where the host's song is, and where it jumps.

use neurdsp_rt::{Segment, Transport};

/// Beats by which a block may begin elsewhere than expected before it counts as a jump: the tempo may have moved during a block.
const JUMP_BEATS: f64 = 1.0 / 64.0;

/// The meter of a song.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Meter {
    /// Beats of a bar, and the note of a beat.
    pub(crate) beats: (u8, u8),
    /// Where some bar begins, in quarter notes.
    pub(crate) bar_start: f64,
}

impl Meter {
    /// Quarter notes of a bar.
    pub(super) fn bar(&self) -> f64 {
        4.0 * f64::from(self.beats.0) / f64::from(self.beats.1)
    }

    /// Quarter notes of a half bar; bars of up to two quarter notes, and those that do not halve, are one each.
    pub(super) fn half_bar(&self) -> f64 {
        let bar = self.bar();
        if self.beats.0.is_multiple_of(2) && bar > 2.0 { bar / 2.0 } else { bar }
    }

    /// Quarter notes from the start of its bar to a place.
    pub(super) fn in_bar(&self, beat: f64) -> f64 {
        let at = (beat - self.bar_start).rem_euclid(self.bar());
        // What lies a rounding before the next bar begins it.
        if self.bar() - at < 1e-6 { 0.0 } else { at }
    }
}

/// How a part of a block follows what was before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Turn {
    /// It goes on.
    On,
    /// The loop begins again.
    Loop,
    /// The song starts, or jumps.
    Jump,
}

/// A part of a block in which the song plays.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) segment: Segment,
    pub(super) turn: Turn,
    pub(super) loop_beats: Option<[f64; 2]>,
    pub(super) meter: Meter,
    /// Quarter notes that were played up to its first sample, however the song has jumped.
    pub(super) played: f64,
}

impl Part {
    /// Quarter notes from the start of the song to a sample of the block.
    pub(super) fn beat(&self, sample: usize) -> f64 {
        self.segment.beat + self.passed(sample)
    }

    /// Quarter notes that were played up to a sample of the block.
    pub(super) fn played(&self, sample: usize) -> f64 {
        self.played + self.passed(sample)
    }

    /// How long a quarter note lasts, at a rate in Hz.
    pub(super) fn quarter_us(&self, sample_rate: f64) -> u32 {
        (1e6 / (self.segment.beats_per_sample * sample_rate)).clamp(1.0, f64::from(u32::MAX)) as u32
    }

    fn passed(&self, sample: usize) -> f64 {
        (sample - self.segment.offset) as f64 * self.segment.beats_per_sample
    }

    /// Where in the song a sample of the block is.
    pub(super) fn spot(&self, sample: usize) -> Spot {
        let here = self.beat(sample);
        let beat = (here + 0.125).floor() as i64;
        Spot { beats: [self.wrapped(beat), self.wrapped(beat + 1)], at: here - beat as f64 }
    }

    /// The beat at which the song goes on instead of `beat`: the loop's start at its end.
    pub(super) fn wrapped(&self, beat: i64) -> i64 {
        match self.loop_beats {
            Some([begin, end]) if end > begin && beat as f64 >= end - 1e-6 && self.segment.beat <= end => {
                let past = (beat as f64 - end).rem_euclid(end - begin);
                (begin + past + 1.0 / 8.0).floor() as i64
            }
            _ => beat,
        }
    }
}

/// Where in the song a note comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    /// The beat that it belongs to, and the next one, if its grid says so.
    pub(super) beats: [i64; 2],
    /// Quarter notes from the first of them.
    pub(super) at: f64,
}

/// Follows the host's song from block to block.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// Where the next block begins, if the song goes on.
    expected: Option<f64>,
    is_at_seam: bool,
    played: f64,
}

impl Clock {
    /// Calls `play` with each part of a block in which the song plays; tells whether there was one.
    pub(super) fn follow(
        &mut self,
        transport: &Transport,
        meter: Meter,
        n_samples: usize,
        mut play: impl FnMut(&Part),
    ) -> bool {
        let mut plays = false;
        for segment in transport.segments(n_samples) {
            plays = true;
            let goes_on = self.expected.is_some_and(|expected| (segment.beat - expected).abs() < JUMP_BEATS);
            let turn = match (self.is_at_seam, goes_on) {
                (true, true) => Turn::Loop,
                (false, true) => Turn::On,
                (_, false) => Turn::Jump,
            };
            let loop_beats = transport.loop_beats;
            play(&Part { segment, turn, loop_beats, meter, played: self.played });
            self.played += segment.len as f64 * segment.beats_per_sample;
            (self.is_at_seam, self.expected) = (segment.wraps, Some(segment.end_beat()));
            if let (true, Some([begin, _])) = (segment.wraps, transport.loop_beats) {
                self.expected = Some(begin);
            }
        }
        plays
    }

    /// The song does not play; tells whether it did before.
    pub(super) fn stop(&mut self) -> bool {
        self.is_at_seam = false;
        self.expected.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use neurdsp_rt::Transport;

    use super::{Clock, Meter, Turn};

    const METER: Meter = Meter { beats: (4, 4), bar_start: 0.0 };

    fn turns(clock: &mut Clock, transport: &Transport, n_samples: usize) -> Vec<(usize, Turn)> {
        let mut found = Vec::new();
        clock.follow(transport, METER, n_samples, |part| found.push((part.segment.offset, part.turn)));
        found
    }

    #[test]
    fn a_seam_is_told_from_a_jump_and_from_a_change_of_tempo() {
        let mut clock = Clock::default();
        // A quarter note has 100 samples.
        let at = |beat| Transport { loop_beats: Some([2.0, 4.0]), ..Transport::playing(beat, 60.0, 100.0) };
        assert_eq!(turns(&mut clock, &at(3.0), 50), [(0, Turn::Jump)]);
        assert_eq!(turns(&mut clock, &at(3.5), 100), [(0, Turn::On), (50, Turn::Loop)]);
        assert_eq!(turns(&mut clock, &at(2.5), 150), [(0, Turn::On)]);
        // The seam lies between two blocks.
        assert_eq!(turns(&mut clock, &at(2.0), 50), [(0, Turn::Loop)]);
        let faster = Transport { beats_per_sample: 0.02, ..at(2.5) };
        assert_eq!(turns(&mut clock, &faster, 10), [(0, Turn::On)]);
        assert_eq!(turns(&mut clock, &at(3.9), 5), [(0, Turn::Jump)]);
        assert!(clock.stop() && !clock.stop());
        assert_eq!(turns(&mut clock, &at(3.95), 5), [(0, Turn::Jump)]);
    }

    #[test]
    fn bars_and_the_beat_after_a_loop_are_found() {
        let waltz = Meter { beats: (3, 4), bar_start: 4.0 };
        assert_eq!([waltz.in_bar(4.0), waltz.in_bar(9.0), waltz.in_bar(3.0)], [0.0, 2.0, 2.0]);
        assert_eq!(waltz.in_bar(7.0 - 1e-9), 0.0);
        let mut clock = Clock::default();
        let transport = Transport { loop_beats: Some([4.0, 8.0]), ..Transport::playing(6.0, 60.0, 100.0) };
        clock.follow(&transport, waltz, 10, |part| {
            assert_eq!([part.wrapped(7), part.wrapped(8), part.wrapped(9)], [7, 4, 5]);
        });
    }
}
