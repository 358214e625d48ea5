//! Instances that have nothing to do: after a while of silence, in and out, the chain is not played until it sounds again.
//!
//! Projects hold dozens of instances of which few sound at a time.

/// Below this a sample counts as silence: -180 dB of full scale.
const SILENCE: f32 = 1e-9;
/// Of so many blocks one is played all the same, so that what was loaded meanwhile arrives.
const TURN: u32 = 32;

/// How long an instance has been silent.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    silent_samples: usize,
    skipped: u32,
}

impl Rest {
    /// Whether a block of silence need not be played, after at least `after` samples of silence in and out.
    pub(crate) fn may_skip(&mut self, after: usize) -> bool {
        let skips = self.silent_samples > after && self.skipped < TURN - 1;
        self.skipped = if skips { self.skipped + 1 } else { 0 };
        skips
    }

    /// Takes in a block that was played.
    pub(crate) fn played(&mut self, was_silent: bool, output: &[&mut [f32]]) {
        let len = output.first().map_or(0, |channel| channel.len());
        if was_silent && output.iter().all(|channel| channel.iter().all(|x| x.abs() < SILENCE)) {
            self.silent_samples = self.silent_samples.saturating_add(len);
        } else {
            self.wake();
        }
    }

    /// Begins to count anew.
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
    use super::{Rest, TURN, is_silent};

    #[test]
    fn it_rests_after_silence_in_and_out_and_looks_up_now_and_then() {
        let mut rest = Rest::default();
        let mut block = [0.0f32; 64];
        for _ in 0..11 {
            assert!(!rest.may_skip(640));
            rest.played(true, &[&mut block]);
        }
        let skipped: Vec<bool> = (0..2 * TURN).map(|_| rest.may_skip(640)).collect();
        assert_eq!(skipped.iter().filter(|skipped| !**skipped).count(), 2);

        let mut ringing = [1e-6f32; 64];
        rest.played(true, &[&mut ringing]);
        assert!(!rest.may_skip(640));
        assert!(is_silent(&[&mut block]) && !is_silent(&[&mut block, &mut ringing]));
    }
}
