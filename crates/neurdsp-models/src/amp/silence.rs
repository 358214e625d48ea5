//! When a model need not be run: after enough silence its output is known.

/// Whether all samples are silence. A negative zero is: a closed gate returns it for each sample that was negative.
pub(crate) fn is_silent(samples: &[f32]) -> bool {
    // Without the sign. A comparison with zero would take denormal numbers for it, where they are flushed.
    samples.iter().all(|x| x.to_bits() << 1 == 0)
}

/// How long a stream has been silent, compared with the memory of the model.
///
/// A model that is settled (see [`settled`](Self::settled)) or has heard silence for its receptive field is in a state that
/// further silence does not change: computing it again would give the same values.
#[derive(Debug)]
pub(crate) struct Silence {
    /// Consecutive silent frames, counted up to `memory`.
    frames: usize,
    /// Frames after which the input is forgotten, or `None` for a model that never forgets entirely.
    memory: Option<usize>,
}

impl Silence {
    /// For a model that forgets its input after `memory` frames and has just heard a sound.
    pub(crate) fn new(memory: Option<usize>) -> Silence {
        Silence { frames: 0, memory }
    }

    /// The model is in the state after silence for ever.
    pub(crate) fn settled(&mut self) {
        self.frames = self.memory.unwrap_or(0);
    }

    /// Counts the next `frames` frames; true if they need not be run, because the output is that on silence.
    pub(crate) fn skips(&mut self, is_silent: bool, frames: usize) -> bool {
        let Some(memory) = self.memory else { return false };
        if !is_silent {
            self.frames = 0;
            return false;
        }
        if self.frames >= memory {
            return true;
        }
        self.frames += frames;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::{Silence, is_silent};

    #[test]
    fn only_zeros_of_either_sign_are_silence() {
        assert!(is_silent(&[0.0; 3]) && is_silent(&[0.0, -0.0]) && is_silent(&[]));
        for sound in [1e-40, -1e-40, 1.0, f32::NAN] {
            assert!(!is_silent(&[0.0, sound]));
        }
    }

    #[test]
    fn frames_are_skipped_after_a_memory_of_silence_until_the_next_sound() {
        let mut silence = Silence::new(Some(100));
        let silent: Vec<bool> = (0..4).map(|_| silence.skips(true, 40)).collect();
        assert_eq!(silent, [false, false, false, true]);
        assert!(!silence.skips(false, 40));
        assert!(!silence.skips(true, 40));
        silence.settled();
        assert!(silence.skips(true, 40));
        let mut endless = Silence::new(None);
        endless.settled();
        assert!(!endless.skips(true, 1000));
    }
}
