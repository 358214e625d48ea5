//! Threads for the length of one call, and the memory that they work in.
//!
//! There is no pool of threads: nothing is left behind that a fork could break, and a call with one thread starts none. Memory
//! is kept from call to call, since to get it anew takes as long as to transform some tenths of a second of audio.

use std::sync::{Mutex, PoisonError};

/// Memory that calls leave to later ones.
///
/// Nobody waits for it: who finds it locked, perhaps by a thread that a fork has cut off, goes without.
#[derive(Debug)]
pub struct Idle<State> {
    states: Mutex<Vec<State>>,
    keeps: bool,
}

impl<State> Default for Idle<State> {
    fn default() -> Self {
        Self { states: Mutex::new(Vec::new()), keeps: true }
    }
}

/// Transforms of more samples than this give their memory back to the system.
const KEPT_N_FFT: usize = 1 << 14;

impl<State> Idle<State> {
    /// What is kept between transforms of `n_fft` samples.
    pub(crate) fn of_transforms(n_fft: usize) -> Self {
        Self { keeps: n_fft <= KEPT_N_FFT, ..Self::default() }
    }

    /// What is there, changed by `work`; nothing at all if another thread holds it.
    pub fn with<R>(&self, work: impl FnOnce(&mut Vec<State>) -> R) -> Option<R> {
        self.states.try_lock().ok().map(|mut states| work(&mut states))
    }

    fn take(&self) -> Option<State> {
        self.with(Vec::pop).flatten()
    }

    fn give_back(&self, state: State) {
        if self.keeps {
            self.with(|states| states.push(state));
        }
    }
}

/// Runs `work` on every item, on up to `n_threads` threads, each with a state that was left idle or is made by `state`.
pub fn for_each<Item: Send, State: Send>(
    n_threads: usize,
    items: Vec<Item>,
    idle: &Idle<State>,
    state: impl Fn() -> State + Sync,
    work: impl Fn(&mut State, Item) + Sync,
) {
    let n_threads = n_threads.clamp(1, items.len().max(1));
    let queue = Mutex::new(items.into_iter());
    let run = || {
        let mut own = idle.take().unwrap_or_else(&state);
        loop {
            // A thread that panicked has taken its item with it; the others may go on.
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            match next {
                Some(item) => work(&mut own, item),
                None => break,
            }
        }
        idle.give_back(own);
    };
    if n_threads == 1 {
        return run();
    }
    std::thread::scope(|scope| {
        for _ in 1..n_threads {
            scope.spawn(run);
        }
        run();
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn memory_is_made_once_and_kept_unless_it_is_large() {
        for (n_fft, wanted) in [(2048, 1), (1 << 15, 3)] {
            let (idle, made, done) = (Idle::of_transforms(n_fft), AtomicUsize::new(0), AtomicUsize::new(0));
            for _ in 0..3 {
                let make = || made.fetch_add(1, Ordering::Relaxed);
                for_each(1, vec![1, 2, 3], &idle, make, |_, item| {
                    done.fetch_add(item, Ordering::Relaxed);
                });
            }
            assert_eq!((made.into_inner(), done.into_inner()), (wanted, 18), "n_fft {n_fft}");
        }
    }
}
