//! The most recent samples of a signal, from the audio thread to the editor.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// A ring of samples that is filled while somebody listens.
#[derive(Debug)]
pub(crate) struct Tap {
    listening: AtomicBool,
    samples: Box<[AtomicU32]>,
    written: AtomicU32,
}

impl Tap {
    /// A tap that keeps the last `len` samples.
    pub(crate) fn new(len: usize) -> Tap {
        let samples = (0..len).map(|_| AtomicU32::new(0)).collect();
        Tap { listening: AtomicBool::new(false), samples, written: AtomicU32::new(0) }
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
        let mut at = self.written.load(Ordering::Relaxed) as usize;
        for sample in block {
            self.samples[at % self.samples.len()].store(sample.to_bits(), Ordering::Relaxed);
            at += 1;
        }
        self.written.store((at % self.samples.len()) as u32, Ordering::Release);
    }

    /// Copies the last samples, the oldest first.
    pub(crate) fn read(&self, to: &mut [f32]) {
        let start = self.written.load(Ordering::Acquire) as usize;
        for (i, sample) in to.iter_mut().enumerate() {
            let from = &self.samples[(start + i) % self.samples.len()];
            *sample = f32::from_bits(from.load(Ordering::Relaxed));
        }
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
}
