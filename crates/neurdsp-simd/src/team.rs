//! Threads that wait for one piece of work after another.
//!
//! A network has hundreds of layers, and starting a thread for each takes longer than some of them. So the threads of a call
//! stay for all of its layers. Between two, they watch for the next one for some microseconds before they sleep.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::{self, JoinHandle, Thread};

/// Looks at a counter before a thread sleeps: about as long as a serial step between two layers takes.
const LOOKS: usize = 2000;

/// The calling thread and some others, which end with this.
///
/// ```
/// use neurdsp_simd::Team;
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// let (team, runs) = (Team::new(3), AtomicUsize::new(0));
/// for _ in 0..100 {
///     team.run(&|| {
///         runs.fetch_add(1, Ordering::Relaxed);
///     });
/// }
/// assert_eq!(runs.into_inner(), 300);
/// ```
#[derive(Debug, Default)]
pub struct Team {
    others: Vec<JoinHandle<()>>,
    post: Arc<Post>,
    /// Held by the thread that has given the others work.
    turn: Mutex<()>,
}

/// What the threads tell one another.
#[derive(Debug, Default)]
struct Post {
    /// Number of pieces of work so far.
    round: AtomicUsize,
    /// Threads that still work on this one.
    left: AtomicUsize,
    task: Mutex<Option<Task>>,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// Work, and the thread that waits for its end. None where the team ends.
#[derive(Clone)]
struct Task {
    work: &'static (dyn Fn() + Sync),
    from: Thread,
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("from", &self.from).finish_non_exhaustive()
    }
}

impl Team {
    /// A team of so many threads, the calling one included.
    #[must_use]
    pub fn new(n_threads: usize) -> Self {
        let mut team = Self::default();
        for _ in 1..n_threads {
            let post = Arc::clone(&team.post);
            // If the system has no thread left, this panics, and the team ends those that it has.
            team.others.push(thread::spawn(move || post.serve()));
        }
        team
    }

    /// Number of threads, the calling one included.
    #[must_use]
    pub fn n_threads(&self) -> usize {
        self.others.len() + 1
    }

    /// Calls `work` on every thread, and returns when all have returned. If another caller has the threads, or `work` itself
    /// calls this, it is called on the calling thread alone.
    ///
    /// # Panics
    /// If `work` does, on any thread.
    pub fn run(&self, work: &(dyn Fn() + Sync)) {
        let turn = match self.turn.try_lock() {
            Err(TryLockError::WouldBlock) => None,
            // Whoever panicked with the turn has waited for the others.
            Err(TryLockError::Poisoned(turn)) => Some(turn.into_inner()),
            Ok(turn) => Some(turn),
        };
        if turn.is_none() || self.others.is_empty() {
            return work();
        }
        // SAFETY: the others use the reference only until each has counted itself out of `left`, and this function does not
        // return or unwind before that.
        let shared = unsafe { std::mem::transmute::<&(dyn Fn() + Sync), &'static (dyn Fn() + Sync)>(work) };
        self.post.left.store(self.others.len(), Ordering::Relaxed);
        self.begin(Some(Task { work: shared, from: thread::current() }));
        let own = catch_unwind(AssertUnwindSafe(work));
        wait_until(|| self.post.left.load(Ordering::Acquire) == 0);
        let panic = lock(&self.post.panic).take();
        if let Some(panic) = own.err().or(panic) {
            resume_unwind(panic);
        }
    }

    fn begin(&self, task: Option<Task>) {
        *lock(&self.post.task) = task;
        self.post.round.fetch_add(1, Ordering::Release);
        self.others.iter().for_each(|other| other.thread().unpark());
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.begin(None);
        for other in self.others.drain(..) {
            // It never panics: what panics in its work was caught.
            let _ = other.join();
        }
    }
}

impl Post {
    /// What a thread of the team does.
    fn serve(&self) {
        let mut seen = 0;
        loop {
            wait_until(|| self.round.load(Ordering::Acquire) != seen);
            seen += 1;
            let Some(Task { work, from }) = lock(&self.task).clone() else { return };
            if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
                *lock(&self.panic) = Some(panic);
            }
            if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
                from.unpark();
            }
        }
    }
}

/// Watches for a moment, then sleeps until somebody wakes this thread.
fn wait_until(done: impl Fn() -> bool) {
    for _ in 0..LOOKS {
        if done() {
            return;
        }
        std::hint::spin_loop();
    }
    while !done() {
        thread::park();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn every_thread_runs_each_piece_of_work_once_asleep_or_not() {
        let team = Team::new(4);
        for pause_ms in [0, 0, 0, 20, 0, 20] {
            let ran = Mutex::new(Vec::new());
            thread::sleep(Duration::from_millis(pause_ms));
            team.run(&|| lock(&ran).push(thread::current().id()));
            let mut ran = ran.into_inner().expect("no thread panicked");
            assert_eq!(ran.len(), 4);
            ran.sort_by_key(|id| format!("{id:?}"));
            ran.dedup();
            assert_eq!(ran.len(), 4, "a thread ran it twice");
        }
    }

    #[test]
    fn a_caller_without_the_turn_works_alone() {
        let (team, runs) = (Team::new(3), AtomicUsize::new(0));
        team.run(&|| {
            team.run(&|| {
                runs.fetch_add(1, Ordering::Relaxed);
            });
        });
        assert_eq!(runs.into_inner(), 3);
    }

    #[test]
    fn a_panic_of_any_thread_reaches_the_caller_and_the_team_goes_on() {
        let (team, runs) = (Team::new(3), AtomicUsize::new(0));
        for victim in 0..3 {
            let turn = AtomicUsize::new(0);
            let found = catch_unwind(AssertUnwindSafe(|| {
                team.run(&|| assert_ne!(turn.fetch_add(1, Ordering::Relaxed), victim, "the victim"));
            }));
            assert!(found.is_err());
            assert_eq!(turn.into_inner(), 3, "the others did their work");
        }
        team.run(&|| {
            runs.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(runs.into_inner(), 3);
    }
}
