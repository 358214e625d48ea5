//! The framework's thread for the windows of all instances, which may die on Linux: it looks at a window's state while the window
//! opens or closes. The framework then ends the process with the last instance, and so with the host. Better it stays in memory.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// The name of the thread.
const NAME: &str = "bg-worker";

static HAS_DIED: AtomicBool = AtomicBool::new(false);
static WATCHED: Once = Once::new();

/// Watches the thread from now on.
pub(crate) fn watch() {
    WATCHED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().name() == Some(NAME) {
                HAS_DIED.store(true, Ordering::Release);
            }
            before(panic);
        }));
    });
}

/// Whether the thread has died.
pub(super) fn has_died() -> bool {
    HAS_DIED.load(Ordering::Acquire)
}

#[cfg(test)]
mod tests {
    use super::{NAME, has_died, watch};

    #[test]
    fn the_death_of_the_thread_is_noticed_and_that_of_another_is_not() {
        watch();
        let die = |name: &str| {
            let thread = std::thread::Builder::new().name(name.to_owned()).spawn(|| panic!("as it should"));
            assert!(thread.unwrap().join().is_err());
        };
        die("another");
        assert!(!has_died());
        die(NAME);
        assert!(has_died());
    }
}
