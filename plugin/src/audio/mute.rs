//! Silence while a tuner is looked at. It comes and goes in a short ramp, so nothing clicks.

/// How long the ramp is, in ms.
const RAMP_MS: f32 = 10.0;

/// The gain of one instance's output.
#[derive(Debug)]
pub(crate) struct Mute {
    gain: f32,
    /// Change of the gain in a sample.
    step: f32,
}

impl Default for Mute {
    fn default() -> Mute {
        Mute { gain: 1.0, step: 1.0 }
    }
}

impl Mute {
    /// Starts at a rate in Hz, open.
    pub(crate) fn start(&mut self, sample_rate_hz: f32) {
        *self = Mute { gain: 1.0, step: 1000.0 / (RAMP_MS * sample_rate_hz) };
    }

    /// Takes the output to silence while `muted`, and back.
    pub(crate) fn process(&mut self, channels: &mut [&mut [f32]], muted: bool) {
        let target = if muted { 0.0 } else { 1.0 };
        if self.gain == target && !muted {
            return;
        }
        let start = self.gain;
        for channel in channels {
            self.gain = start;
            for sample in channel.iter_mut() {
                self.gain += (target - self.gain).clamp(-self.step, self.step);
                *sample *= self.gain;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Mute;

    #[test]
    fn it_ramps_to_silence_and_back_the_same_on_both_channels() {
        let mut mute = Mute::default();
        mute.start(48_000.0);
        let mut play = |muted: bool, n_samples: usize| {
            let (mut left, mut right) = (vec![1.0; n_samples], vec![1.0; n_samples]);
            mute.process(&mut [&mut left, &mut right], muted);
            assert_eq!(left, right);
            left
        };
        assert_eq!(play(false, 4), [1.0; 4]);
        let fading = play(true, 600);
        assert!(fading.windows(2).all(|pair| (0.0..0.0021).contains(&(pair[0] - pair[1]))));
        assert_eq!((fading[480], *fading.last().unwrap()), (0.0, 0.0));
        assert_eq!(play(true, 4), [0.0; 4]);
        let back = play(false, 600);
        assert!(back[0] < 0.0021 && back[599] == 1.0);
    }
}
