//! When a model need not be run: what it puts out on silence, once it has heard nothing else for long enough, is known.

/// Whether all samples are silence. A negative zero is not: it may leave the engine as another zero.
pub(crate) fn is_silent(samples: &[f32]) -> bool {
    samples.iter().all(|x| x.to_bits() == 0)
}

/// How long a stream has been silent, against how long the model remembers.
///
/// A model that has been settled (see [`settled`](Self::settled)) or has heard silence for its receptive field is in one
/// state, which silence does not change: every value that it remembers is the same as it would be computed again.
#[derive(Debug)]
pub(crate) struct Silence {
    /// Silent frames in a row; what goes beyond `memory` is not counted.
    frames: usize,
    /// Frames after which the input is forgotten; none for a model that never forgets entirely.
    memory: Option<usize>,
}

impl Silence {
    /// A model that forgets its input after `memory` frames, if it does, and that has heard something.
    pub(crate) fn new(memory: Option<usize>) -> Silence {
        Silence { frames: 0, memory }
    }

    /// The model is in the state after silence for ever.
    pub(crate) fn settled(&mut self) {
        self.frames = self.memory.unwrap_or(0);
    }

    /// Takes note of the next `frames` frames; true if they need not be run, since the output is that on silence.
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
    fn only_positive_zeros_are_silence() {
        assert!(is_silent(&[0.0; 3]) && is_silent(&[]));
        for sound in [-0.0, 1e-40, 1.0, f32::NAN] {
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
