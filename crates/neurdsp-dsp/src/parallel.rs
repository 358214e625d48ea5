//! Threads for the length of one call.
//!
//! There is no pool: nothing is left behind that a fork could break, and a call with one thread starts none.

use std::sync::Mutex;

/// Runs `work` on every item, on up to `n_threads` threads, each with a state of its own.
pub(crate) fn for_each<Item: Send, State>(
    n_threads: usize,
    items: Vec<Item>,
    state: impl Fn() -> State + Sync,
    work: impl Fn(&mut State, Item) + Sync,
) {
    let n_threads = n_threads.clamp(1, items.len().max(1));
    let queue = Mutex::new(items.into_iter());
    let run = || {
        let mut own = state();
        loop {
            // A thread that panicked has taken its item with it; the others may go on.
            let next = queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
            match next {
                Some(item) => work(&mut own, item),
                None => break,
            }
        }
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
