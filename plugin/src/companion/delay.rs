//! The sound, as late as the notes.

/// A delay of both channels. Nothing is allocated after construction.
#[derive(Debug, Default)]
pub(super) struct SoundDelay {
    channels: [Vec<f32>; 2],
    /// The oldest sample, and samples of delay.
    at: usize,
    samples: usize,
}

impl SoundDelay {
    /// A delay of at most `most` samples.
    pub(super) fn new(most: usize) -> SoundDelay {
        SoundDelay { channels: [vec![0.0; most], vec![0.0; most]], at: 0, samples: 0 }
    }

    /// Delays by so many samples from now on, and begins with silence if that is a change.
    pub(super) fn set(&mut self, samples: usize) {
        let samples = samples.min(self.channels[0].len());
        if samples != self.samples {
            self.samples = samples;
            self.clear();
        }
    }

    /// Forgets the sound.
    pub(super) fn clear(&mut self) {
        self.at = 0;
        self.channels.iter_mut().for_each(|channel| channel.fill(0.0));
    }

    /// Delays a block in place.
    pub(super) fn process(&mut self, channels: &mut [&mut [f32]]) {
        if self.samples == 0 {
            return;
        }
        let mut end = self.at;
        for (past, channel) in self.channels.iter_mut().zip(channels) {
            let mut at = self.at;
            for sample in channel.iter_mut() {
                std::mem::swap(sample, &mut past[at]);
                at += 1;
                if at == self.samples {
                    at = 0;
                }
            }
            end = at;
        }
        self.at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::SoundDelay;

    #[test]
    fn sound_is_late_by_as_much_in_blocks_of_any_size() {
        for size in [1, 3, 7, 40] {
            let mut delay = SoundDelay::new(16);
            delay.set(5);
            let mut left: Vec<f32> = (1..=40).map(|i| i as f32).collect();
            let mut right = left.clone();
            for (left, right) in left.chunks_mut(size).zip(right.chunks_mut(size)) {
                delay.process(&mut [left, right]);
            }
            let expected: Vec<f32> = (1..=40).map(|i| (i as f32 - 5.0).max(0.0)).collect();
            assert!(left == expected && right == expected, "blocks of {size}");
            delay.set(0);
            delay.process(&mut [&mut left, &mut right]);
            assert_eq!(left, expected);
        }
    }
}
