//! An allocator for tests that finds allocations in sections that must not allocate.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write;

/// How often a section called the allocator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocations {
    /// Allocations and reallocations.
    pub allocations: u64,
    /// Frees.
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

/// The system allocator, which counts or forbids calls in [`count_allocations`] and [`forbid_allocations`].
///
/// A real-time thread that allocates *or frees* may wait for a lock that another thread holds, so both count. A section
/// belongs to one thread; outside sections the cost is one thread-local read. It is meant for tests and debug builds. A test
/// crate installs it with
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
/// If it is not installed, sections run normally and count nothing.
#[derive(Debug)]
pub struct GuardedAllocator;

// SAFETY: every request is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for GuardedAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        observe("allocated", |seen| seen.allocations += 1);
        // SAFETY: the caller upholds the contract of `System`.
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

/// Counts one request, or aborts the process if none is allowed.
fn observe(action: &str, count: impl FnOnce(&mut Allocations)) {
    match WATCH.get() {
        Watch::Off => {}
        Watch::Count(mut seen) => {
            count(&mut seen);
            WATCH.set(Watch::Count(seen));
        }
        Watch::Abort => {
            // A panic would unwind through the allocator's caller; a debugger shows where the abort came from.
            WATCH.set(Watch::Off);
            let mut stderr = std::io::stderr();
            let _ = stderr.write_all(b"neurdsp: memory was ");
            let _ = stderr.write_all(action.as_bytes());
            let _ = stderr.write_all(b" in a section that forbids it\n");
            std::process::abort();
        }
    }
}

/// Restores the outer section's watch, even if the inner one panics.
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

/// Runs `section`; if this thread allocates or frees in it, the process aborts with a line on standard error.
pub fn forbid_allocations<R>(section: impl FnOnce() -> R) -> R {
    let _restore = Restore(WATCH.replace(Watch::Abort));
    section()
}
