//! Idle instances: after a while of silence in and out, blocks are skipped until there is sound again.
//!
//! Projects hold dozens of instances, and few of them sound at a time.

/// Below this a sample counts as silent: -180 dB of full scale.
const SILENCE: f32 = 1e-9;
/// Even at rest, one block in 32 is played, so that a new model is picked up.
const PLAYED_OF: u32 = 32;

/// How long an instance has been silent.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    silent_samples: usize,
    skipped: u32,
}

impl Rest {
    /// Whether a silent block can be skipped, after more than `after` samples of silence in and out.
    pub(crate) fn may_skip(&mut self, after: usize) -> bool {
        let skips = self.silent_samples > after && self.skipped < PLAYED_OF - 1;
        self.skipped = if skips { self.skipped + 1 } else { 0 };
        skips
    }

    /// Counts a block that was played.
    pub(crate) fn played(&mut self, was_silent: bool, output: &[&mut [f32]]) {
        let len = output.first().map_or(0, |channel| channel.len());
        if was_silent && output.iter().all(|channel| channel.iter().all(|x| x.abs() < SILENCE)) {
            self.silent_samples = self.silent_samples.saturating_add(len);
        } else {
            self.wake();
        }
    }

    /// Starts the count again.
    pub(crate) fn wake(&mut self) {
        self.silent_samples = 0;
    }
}

/// Whether all samples are exactly zero.
pub(crate) fn is_silent(channels: &[&mut [f32]]) -> bool {
    channels.iter().all(|channel| channel.iter().all(|sample| *sample == 0.0))
}

#[cfg(test)]
mod tests {
    use super::{PLAYED_OF, Rest, is_silent};

    #[test]
    fn it_rests_after_silence_in_and_out_and_plays_one_block_in_32() {
        let mut rest = Rest::default();
        let mut block = [0.0f32; 64];
        for _ in 0..11 {
            assert!(!rest.may_skip(640));
            rest.played(true, &[&mut block]);
        }
        let skipped: Vec<bool> = (0..2 * PLAYED_OF).map(|_| rest.may_skip(640)).collect();
        assert_eq!(skipped.iter().filter(|skipped| !**skipped).count(), 2);

        let mut ringing = [1e-6f32; 64];
        rest.played(true, &[&mut ringing]);
        assert!(!rest.may_skip(640));
        assert!(is_silent(&[&mut block]) && !is_silent(&[&mut block, &mut ringing]));
    }
}
