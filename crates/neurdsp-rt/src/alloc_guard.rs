//! Finds allocations where there must be none: an allocator for tests that watches marked sections.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write;

/// How often a section asked the allocator for something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocations {
    /// Memory was asked for, or a block made larger or smaller.
    pub allocations: u64,
    /// Memory was given back.
    pub frees: u64,
}

#[derive(Clone, Copy)]
enum Watch {
    Off,
    Count(Allocations),
    Abort,
}

thread_local! {
    // `const` and without a destructor: reaching it never allocates, at any time in the life of a thread.
    static WATCH: Cell<Watch> = const { Cell::new(Watch::Off) };
}

/// The system's allocator, which counts or forbids what happens in [`count_allocations`] and [`forbid_allocations`].
///
/// A real-time thread that allocates *or frees* may wait for a lock that another thread holds, so both count. Sections
/// belong to a thread; outside of them the cost is one thread-local read. Made for tests and debug builds: a test crate
/// installs it with
///
/// ```
/// # use neurdsp_rt::alloc_guard::{GuardedAllocator, count_allocations};
/// #[global_allocator]
/// static ALLOCATOR: GuardedAllocator = GuardedAllocator;
///
/// let (vector, seen) = count_allocations(|| vec![0u8; 16]);
/// assert_eq!((seen.allocations, seen.frees), (1, 0));
/// let (_, seen) = count_allocations(|| drop(vector));
/// assert_eq!((seen.allocations, seen.frees), (0, 1));
/// ```
///
/// Where it is not installed, the sections run as they are and count nothing.
#[derive(Debug)]
pub struct GuardedAllocator;

// SAFETY: every request is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for GuardedAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        observe("allocated", |seen| seen.allocations += 1);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        observe("allocated", |seen| seen.allocations += 1);
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        observe("reallocated", |seen| seen.allocations += 1);
        // SAFETY: as in `alloc`.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        observe("freed", |seen| seen.frees += 1);
        // SAFETY: as in `alloc`.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Books one request, or ends the process where none is allowed.
fn observe(action: &str, count: impl FnOnce(&mut Allocations)) {
    match WATCH.get() {
        Watch::Off => {}
        Watch::Count(mut seen) => {
            count(&mut seen);
            WATCH.set(Watch::Count(seen));
        }
        Watch::Abort => {
            // A panic would unwind through the allocator's caller; the debugger's trace of the abort names the culprit.
            WATCH.set(Watch::Off);
            let mut stderr = std::io::stderr();
            let _ = stderr.write_all(b"neurdsp: memory was ");
            let _ = stderr.write_all(action.as_bytes());
            let _ = stderr.write_all(b" in a section that forbids it\n");
            std::process::abort();
        }
    }
}

/// Restores the outer section's watch, also when the inner one panics.
struct Restore(Watch);

impl Drop for Restore {
    fn drop(&mut self) {
        WATCH.set(self.0);
    }
}

/// Runs `section` and returns its result with the number of times that this thread allocated or freed in it.
///
/// An outer section does not see what an inner one counts.
pub fn count_allocations<R>(section: impl FnOnce() -> R) -> (R, Allocations) {
    let _restore = Restore(WATCH.replace(Watch::Count(Allocations::default())));
    let result = section();
    let seen = match WATCH.get() {
        Watch::Count(seen) => seen,
        Watch::Off | Watch::Abort => Allocations::default(),
    };
    (result, seen)
}

/// Runs `section`; if this thread allocates or frees in it, the process ends with a line on standard error.
pub fn forbid_allocations<R>(section: impl FnOnce() -> R) -> R {
    let _restore = Restore(WATCH.replace(Watch::Abort));
    section()
}
