//! Threads for the length of one call, and the memory that they work in.
//!
//! There is no thread pool: a call leaves nothing behind that a fork could break, and a call with one thread starts none.
//! Memory is kept from call to call, because allocating it again takes as long as transforming some tenths of a second of
//! audio.

use crate::team::Team;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Working memory that calls leave for later ones.
///
/// Nobody waits for it: a thread that finds it locked, perhaps by a thread that did not survive a fork, goes without.
#[derive(Debug)]
pub struct Idle<State> {
    states: Mutex<Vec<State>>,
    keeps: bool,
}

impl<State> Default for Idle<State> {
    fn default() -> Self {
        Self::new(true)
    }
}

impl<State> Idle<State> {
    /// No memory yet. With `keeps` false nothing is kept: memory that is too large goes back to the system after each call.
    #[must_use]
    pub fn new(keeps: bool) -> Self {
        Self { states: Mutex::new(Vec::new()), keeps }
    }

    /// Calls `work` on the kept states; returns `None` without calling it if another thread holds them.
    pub fn with<R>(&self, work: impl FnOnce(&mut Vec<State>) -> R) -> Option<R> {
        self.states.try_lock().ok().map(|mut states| work(&mut states))
    }

    /// One of the kept states.
    #[must_use]
    pub fn take(&self) -> Option<State> {
        self.with(Vec::pop).flatten()
    }

    /// Keeps a state for later.
    pub fn give_back(&self, state: State) {
        if self.keeps {
            self.with(|states| states.push(state));
        }
    }
}

/// Runs `work` on every item, on up to `n_threads` threads. Each thread has one state: a kept one, or a new one made by
/// `state`.
///
/// ```
/// use neurdsp_simd::parallel::{Idle, for_each};
///
/// let mut squares = [0; 4];
/// let items = squares.iter_mut().enumerate().collect();
/// for_each(2, items, &Idle::default(), || (), |_, (i, square)| *square = i * i);
/// assert_eq!(squares, [0, 1, 4, 9]);
/// ```
pub fn for_each<Item: Send, State: Send>(
    n_threads: usize,
    items: Vec<Item>,
    idle: &Idle<State>,
    state: impl Fn() -> State + Sync,
    work: impl Fn(&mut State, Item) + Sync,
) {
    let team = Team::new(n_threads.clamp(1, items.len().max(1)));
    for_each_in(&team, items, idle, state, work);
}

/// As [`for_each`], on the threads of a team.
pub fn for_each_in<Item: Send, State: Send>(
    team: &Team,
    items: Vec<Item>,
    idle: &Idle<State>,
    state: impl Fn() -> State + Sync,
    work: impl Fn(&mut State, Item) + Sync,
) {
    let queue = Mutex::new(items.into_iter());
    team.run(&|| {
        let mut own = idle.take().unwrap_or_else(&state);
        loop {
            // A thread that panicked has taken its item with it; the others go on.
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            match next {
                Some(item) => work(&mut own, item),
                None => break,
            }
        }
        idle.give_back(own);
    });
}

/// As [`for_each`], for work that can fail: whether `work` returned true for every item. All items are worked on.
pub fn for_all<Item: Send, State: Send>(
    n_threads: usize,
    items: Vec<Item>,
    idle: &Idle<State>,
    state: impl Fn() -> State + Sync,
    work: impl Fn(&mut State, Item) -> bool + Sync,
) -> bool {
    let all = AtomicBool::new(true);
    for_each(n_threads, items, idle, state, |state, item| {
        if !work(state, item) {
            all.store(false, Ordering::Relaxed);
        }
    });
    all.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn memory_is_made_once_and_kept_unless_it_is_too_large() {
        for (keeps, wanted) in [(true, 1), (false, 3)] {
            let (idle, made, done) = (Idle::new(keeps), AtomicUsize::new(0), AtomicUsize::new(0));
            for _ in 0..3 {
                let make = || made.fetch_add(1, Ordering::Relaxed);
                for_each(1, vec![1, 2, 3], &idle, make, |_, item| {
                    done.fetch_add(item, Ordering::Relaxed);
                });
            }
            assert_eq!((made.into_inner(), done.into_inner()), (wanted, 18), "keeps {keeps}");
        }
    }

    #[test]
    fn one_failure_among_many_items_is_reported_and_stops_none() {
        for n_threads in [1, 3] {
            for (bad, wanted) in [(57, false), (100, true)] {
                let done = AtomicUsize::new(0);
                let all = for_all(
                    n_threads,
                    (0..100).collect(),
                    &Idle::default(),
                    || (),
                    |_, item| {
                        done.fetch_add(1, Ordering::Relaxed);
                        item != bad
                    },
                );
                assert_eq!((all, done.into_inner()), (wanted, 100));
            }
        }
    }
}
