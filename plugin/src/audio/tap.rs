//! The most recent samples of a signal, from the audio thread to the editor.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// Samples that may be half written: the longest block of a tap whose samples are read by their number.
const IN_WRITING: u64 = 64;

/// A ring of samples that is filled while somebody listens.
#[derive(Debug)]
pub(crate) struct Tap {
    listening: AtomicBool,
    samples: Box<[AtomicU32]>,
    /// Samples that were taken since the start.
    written: AtomicU64,
}

impl Tap {
    /// A tap that keeps the last `len` samples.
    pub(crate) fn new(len: usize) -> Tap {
        let samples = (0..len).map(|_| AtomicU32::new(0)).collect();
        Tap { listening: AtomicBool::new(false), samples, written: AtomicU64::new(0) }
    }

    /// Starts or stops taking samples.
    pub(crate) fn set_listening(&self, listening: bool) {
        self.listening.store(listening, Ordering::Relaxed);
    }

    /// Takes a block, if anyone listens.
    pub(crate) fn write(&self, block: &[f32]) {
        if !self.listening.load(Ordering::Relaxed) {
            return;
        }
        let begin = self.written.load(Ordering::Relaxed);
        let mut at = self.place(begin);
        for sample in block {
            self.samples[at].store(sample.to_bits(), Ordering::Relaxed);
            at = if at + 1 == self.samples.len() { 0 } else { at + 1 };
        }
        self.written.store(begin + block.len() as u64, Ordering::Release);
    }

    /// How many samples were taken since the start.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Copies the last samples, the oldest first.
    pub(crate) fn read(&self, to: &mut [f32]) {
        self.copy((self.written() + self.samples.len() as u64).wrapping_sub(to.len() as u64), to);
    }

    /// Copies the samples before the one with the number `end`, the oldest first; those before the first are 0. False if some of them
    /// were overwritten meanwhile.
    pub(crate) fn read_before(&self, end: u64, to: &mut [f32]) -> bool {
        let Some(begin) = end.checked_sub(to.len() as u64) else {
            let (silence, rest) = to.split_at_mut(to.len() - end as usize);
            silence.fill(0.0);
            return self.read_before(end, rest);
        };
        self.copy(begin, to);
        self.written() + IN_WRITING <= begin + self.samples.len() as u64
    }

    fn copy(&self, begin: u64, to: &mut [f32]) {
        for (number, sample) in (begin..).zip(to) {
            *sample = f32::from_bits(self.samples[self.place(number)].load(Ordering::Relaxed));
        }
    }

    fn place(&self, number: u64) -> usize {
        (number % self.samples.len() as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::Tap;

    #[test]
    fn the_last_samples_are_kept_in_order_while_someone_listens() {
        let tap = Tap::new(4);
        tap.write(&[9.0; 3]);
        tap.set_listening(true);
        tap.write(&[1.0, 2.0, 3.0]);
        tap.write(&[4.0, 5.0]);
        let mut read = [0.0; 4];
        tap.read(&mut read);
        assert_eq!(read, [2.0, 3.0, 4.0, 5.0]);
    }

    #[test]
    fn samples_are_found_by_their_number_until_they_are_overwritten() {
        let tap = Tap::new(512);
        tap.set_listening(true);
        for at in 0..100 {
            tap.write(&[2.0 * at as f32, 2.0 * at as f32 + 1.0]);
        }
        let mut read = [9.0; 5];
        assert!(tap.read_before(150, &mut read));
        assert_eq!((read, tap.written()), ([145.0, 146.0, 147.0, 148.0, 149.0], 200));
        assert!(tap.read_before(3, &mut read) && read == [0.0, 0.0, 0.0, 1.0, 2.0]);
        tap.write(&[0.0; 300]);
        assert!(!tap.read_before(6, &mut read) && tap.read_before(150, &mut read));
    }
}
