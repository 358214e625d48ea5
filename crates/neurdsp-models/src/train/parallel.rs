//! Threads for the length of one call, and memory that is kept from call to call.
//!
//! There is no pool of threads: nothing is left behind that a fork could break, and a call with one thread starts none.

use std::sync::{Mutex, PoisonError};

/// What calls leave to later ones.
#[derive(Debug)]
pub(super) struct Idle<State>(Mutex<Vec<State>>);

impl<State> Default for Idle<State> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<State> Idle<State> {
    /// What is there, changed by `work`; nothing at all if another thread, perhaps one that a fork has cut off, holds it.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut Vec<State>) -> R) -> Option<R> {
        self.0.try_lock().ok().map(|mut idle| work(&mut idle))
    }
}

/// Runs `work` on every item, on up to `n_threads` threads, each with a state that was left idle or is made by `state`.
pub(super) fn for_each<Item: Send, State: Send>(
    n_threads: usize,
    items: Vec<Item>,
    idle: &Idle<State>,
    state: impl Fn() -> State + Sync,
    work: impl Fn(&mut State, Item) + Sync,
) {
    let n_threads = n_threads.clamp(1, items.len().max(1));
    let queue = Mutex::new(items.into_iter());
    let run = || {
        let mut own = idle.with(Vec::pop).flatten().unwrap_or_else(&state);
        loop {
            // A thread that panicked has taken its item with it; the others may go on.
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            match next {
                Some(item) => work(&mut own, item),
                None => break,
            }
        }
        idle.with(|idle| idle.push(own));
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
