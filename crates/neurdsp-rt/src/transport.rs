//! Where the host's song stands during a block: beats to samples, musical steps, and the seam of a loop.

/// Samples by which a beat may lie after a sample and still belong to it. Hosts give positions with rounding; without it, a block
/// that begins on a beat might or might not hold it.
const TOLERANCE_SAMPLES: f64 = 1e-3;

/// Where the song stands at the first sample of a block, in beats (quarter notes).
///
/// # Example
/// ```
/// use neurdsp_rt::Transport;
///
/// // 120 beats a minute at 48 kHz, a sixteenth before beat 4, looping from beat 0.
/// let transport = Transport { loop_beats: Some([0.0, 4.0]), ..Transport::playing(3.75, 120.0, 48_000.0) };
/// let steps: Vec<(usize, i64)> = transport.steps(12_000, 4.0).collect();
/// assert_eq!(steps, [(0, 15), (6_000, 0)]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transport {
    /// Whether the song plays.
    pub is_playing: bool,
    /// The position at the first sample.
    pub beat: f64,
    /// Beats that pass with each sample, above 0.
    pub beats_per_sample: f64,
    /// Start and end of the loop, if there is one.
    pub loop_beats: Option<[f64; 2]>,
}

impl Transport {
    /// A song that plays, without a loop.
    #[must_use]
    pub fn playing(beat: f64, beats_per_minute: f64, sample_rate_hz: f64) -> Transport {
        let beats_per_sample = beats_per_minute / (60.0 * sample_rate_hz);
        Transport { is_playing: true, beat, beats_per_sample, loop_beats: None }
    }

    /// The parts of a block of so many samples between the seams of the loop; none if the song does not play, or a value is not
    /// finite.
    pub fn segments(&self, n_samples: usize) -> impl Iterator<Item = Segment> + use<> {
        let Transport { is_playing, beat, beats_per_sample, loop_beats } = *self;
        let is_valid =
            is_playing && beat.is_finite() && beats_per_sample > 0.0 && beats_per_sample.is_finite();
        // A loop of less than a sample is none.
        let loop_beats = loop_beats.filter(|[begin, end]| end - begin > beats_per_sample && beat <= *end);
        let mut next = (is_valid && n_samples > 0).then_some(Segment {
            offset: 0,
            len: n_samples,
            beat,
            beats_per_sample,
            wraps: false,
        });
        std::iter::from_fn(move || {
            let mut segment = next.take()?;
            if let Some([begin, end]) = loop_beats {
                let until = segment.first_sample(end).max(0.0);
                if until <= segment.len as f64 {
                    let left = segment.len - until as usize;
                    (segment.len, segment.wraps) = (until as usize, true);
                    if left > 0 {
                        let offset = segment.offset + segment.len;
                        // The seam lies between two samples: what is past it belongs to the loop's start.
                        let past = segment.beat + segment.len as f64 * beats_per_sample - end;
                        let beat = begin + past.max(0.0);
                        next = Some(Segment { offset, len: left, beat, beats_per_sample, wraps: false });
                    }
                }
            }
            Some(segment)
        })
    }

    /// The musical steps that begin in a block, each with its sample: step `k` at beat `k / steps_per_beat`.
    pub fn steps(&self, n_samples: usize, steps_per_beat: f64) -> impl Iterator<Item = (usize, i64)> + use<> {
        let segments = self.segments(if steps_per_beat > 0.0 { n_samples } else { 0 });
        segments.flat_map(move |segment| {
            // What lies after the last sample of the block before belongs to the first sample of this one.
            let before = (1.0 - TOLERANCE_SAMPLES) * segment.beats_per_sample;
            let first = ((segment.beat - before) * steps_per_beat).floor() as i64 + 1;
            (first..).map_while(move |step| {
                let sample = segment.first_sample(step as f64 / steps_per_beat).max(0.0);
                (sample < segment.len as f64).then_some((segment.offset + sample as usize, step))
            })
        })
    }
}

/// A part of a block in which beats rise evenly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// Its first sample in the block.
    pub offset: usize,
    /// Its samples.
    pub len: usize,
    /// The position at its first sample.
    pub beat: f64,
    /// Beats that pass with each sample.
    pub beats_per_sample: f64,
    /// Whether the loop begins again after it.
    pub wraps: bool,
}

impl Segment {
    /// The first sample at or after a beat, counted from the start of the segment; negative if it has passed.
    #[must_use]
    pub fn first_sample(&self, beat: f64) -> f64 {
        ((beat - self.beat) / self.beats_per_sample - TOLERANCE_SAMPLES).ceil()
    }

    /// The position after its last sample.
    #[must_use]
    pub fn end_beat(&self) -> f64 {
        self.beat + self.len as f64 * self.beats_per_sample
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_fall_on_the_same_samples_in_blocks_of_any_size() {
        let (tempo, rate, total) = (137.0, 44_100.0, 200_000);
        let at = |sample: usize| Transport::playing(sample as f64 * tempo / 60.0 / rate, tempo, rate);
        let whole: Vec<_> = at(0).steps(total, 4.0).collect();
        assert_eq!(whole.len(), 42);
        for size in [1, 7, 64, 480, 1000, 4096] {
            let mut found = Vec::new();
            for begin in (0..total).step_by(size) {
                let steps = at(begin).steps(size.min(total - begin), 4.0);
                found.extend(steps.map(|(sample, step)| (begin + sample, step)));
            }
            assert_eq!(found, whole, "blocks of {size}");
        }
    }

    #[test]
    fn a_loop_of_a_few_samples_wraps_many_times_in_a_block() {
        let transport = Transport { loop_beats: Some([1.0, 2.0]), ..Transport::playing(1.0, 60.0, 10.0) };
        let segments: Vec<_> = transport.segments(25).map(|one| (one.offset, one.len, one.wraps)).collect();
        assert_eq!(segments, [(0, 10, true), (10, 10, true), (20, 5, false)]);
        let steps: Vec<_> = transport.steps(25, 1.0).collect();
        assert_eq!(steps, [(0, 1), (10, 1), (20, 1)]);
    }

    #[test]
    fn what_does_not_play_or_is_no_number_has_no_steps() {
        let playing = Transport::playing(0.0, 120.0, 48_000.0);
        for transport in [
            Transport { is_playing: false, ..playing },
            Transport { beat: f64::NAN, ..playing },
            Transport { beats_per_sample: 0.0, ..playing },
            Transport { beats_per_sample: f64::INFINITY, ..playing },
        ] {
            assert_eq!(transport.steps(4096, 4.0).count(), 0);
        }
        assert_eq!(playing.steps(0, 4.0).count() + playing.steps(64, 0.0).count(), 0);
        // A loop without a length is none.
        let empty = Transport { loop_beats: Some([0.0, 0.0]), ..playing };
        assert_eq!(empty.segments(64).count(), 1);
    }
}
