//! What a forward pass keeps for its backward pass, in memory that goes from step to step.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use neurdsp_nn::train::Element;
use neurdsp_simd::parallel::Idle;

use crate::error::{Error, Result};

/// Bytes of a cache line.
const LINE: usize = 64;
/// The most bytes of a step's tape.
const MAX_BYTES: usize = 1 << 36;

/// The activations of a step, `[crops][tape_len]`.
///
/// Dropped, it leaves its memory to the next one of the same trainer: fresh memory would cost a page fault for every four
/// kilobytes of every step.
#[derive(Debug)]
pub struct Tape<T: Element> {
    memory: Vec<T>,
    first: usize,
    len: usize,
    home: Arc<Idle<Vec<T>>>,
}

impl<T: Element> Tape<T> {
    pub(super) fn new(len: usize, idle: &Arc<Idle<Vec<T>>>) -> Result<Tape<T>> {
        let too_large = || Error::TooLarge {
            what: "the memory of a training step in bytes (use fewer or shorter crops, or a smaller network)"
                .to_owned(),
            limit: MAX_BYTES as u64,
            got: (len as u64).saturating_mul(size_of::<T>() as u64),
        };
        if len > MAX_BYTES / size_of::<T>() {
            return Err(too_large());
        }
        let slack = LINE / size_of::<T>();
        let known = idle.with(|idle| {
            let fits = idle.iter().position(|memory| memory.len() == len + slack);
            if fits.is_none() {
                // Steps have another size now: what the old ones used is not kept.
                idle.clear();
            }
            fits.map(|at| idle.swap_remove(at))
        });
        let memory = match known.flatten() {
            Some(memory) => memory,
            None => {
                let mut memory = Vec::new();
                memory.try_reserve_exact(len + slack).map_err(|_| too_large())?;
                memory.resize(len + slack, T::default());
                memory
            }
        };
        let first = memory.as_ptr().align_offset(LINE).min(slack);
        Ok(Tape { memory, first, len, home: Arc::clone(idle) })
    }
}

impl<T: Element> Drop for Tape<T> {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        self.home.with(|idle| {
            if idle.len() < 2 {
                idle.push(memory);
            }
        });
    }
}

impl<T: Element> Deref for Tape<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.memory[self.first..self.first + self.len]
    }
}

impl<T: Element> DerefMut for Tape<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.memory[self.first..self.first + self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_goes_from_one_tape_to_the_next_and_begins_on_a_line() {
        let idle = Arc::<Idle<Vec<f32>>>::default();
        let tape = Tape::new(1000, &idle).unwrap();
        let address = tape.as_ptr();
        assert_eq!((tape.len(), address as usize % 64), (1000, 0));
        drop(tape);
        assert_eq!(Tape::new(1000, &idle).unwrap().as_ptr(), address);
        drop(Tape::new(2000, &idle));
        assert_eq!(idle.with(|idle| idle.len()), Some(1));
        let message = Tape::new(usize::MAX / 8, &idle).unwrap_err().to_string();
        assert!(message.contains("use fewer or shorter crops"), "{message}");
    }
}
