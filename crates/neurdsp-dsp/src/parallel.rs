//! Threads for the length of one call, and the memory that they work in.
//!
//! There is no pool of threads: nothing is left behind that a fork could break, and a call with one thread starts none. Memory
//! is kept from call to call, since to get it anew takes as long as to transform some tenths of a second of audio.

use std::sync::{Mutex, PoisonError};

/// Working memory that a plan keeps for its next call.
pub(crate) struct Pool<State> {
    idle: Mutex<Vec<State>>,
    keeps: bool,
}

/// Transforms of more samples than this give their memory back to the system.
const KEPT_N_FFT: usize = 1 << 14;

impl<State> Pool<State> {
    /// A pool that holds nothing yet, for transforms of `n_fft` samples.
    pub(crate) fn new(n_fft: usize) -> Self {
        Self { idle: Mutex::new(Vec::new()), keeps: n_fft <= KEPT_N_FFT }
    }

    /// What an earlier call has left.
    ///
    /// It never waits: who finds the pool locked, perhaps by a thread that a fork has cut off, goes without it.
    fn take(&self) -> Option<State> {
        self.idle.try_lock().ok()?.pop()
    }

    fn give_back(&self, state: State) {
        if self.keeps
            && let Ok(mut idle) = self.idle.try_lock()
        {
            idle.push(state);
        }
    }
}

/// Runs `work` on every item, on up to `n_threads` threads, each with a state of its own, from the pool or made by `state`.
pub(crate) fn for_each<Item: Send, State: Send>(
    n_threads: usize,
    items: Vec<Item>,
    pool: &Pool<State>,
    state: impl Fn() -> State + Sync,
    work: impl Fn(&mut State, Item) + Sync,
) {
    let n_threads = n_threads.clamp(1, items.len().max(1));
    let queue = Mutex::new(items.into_iter());
    let run = || {
        let mut own = pool.take().unwrap_or_else(&state);
        loop {
            // A thread that panicked has taken its item with it; the others may go on.
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            match next {
                Some(item) => work(&mut own, item),
                None => break,
            }
        }
        pool.give_back(own);
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
            let (pool, made, done) = (Pool::new(n_fft), AtomicUsize::new(0), AtomicUsize::new(0));
            for _ in 0..3 {
                let make = || made.fetch_add(1, Ordering::Relaxed);
                for_each(1, vec![1, 2, 3], &pool, make, |_, item| {
                    done.fetch_add(item, Ordering::Relaxed);
                });
            }
            assert_eq!((made.into_inner(), done.into_inner()), (wanted, 18), "n_fft {n_fft}");
        }
    }
}
