//! The libraries that a window on Linux needs, kept loaded as long as the process lives.

use std::sync::Once;

use libloading::os::unix::{Library, RTLD_LAZY};

/// What `baseview` loads for each window, and unloads with it.
const NAMES: [&str; 4] = ["libX11.so.6", "libX11-xcb.so.1", "libGL.so.1", "libEGL.so.1"];

/// Loads the libraries for good, once.
///
/// An OpenGL driver has threads and thread-local data that outlive a window. If it were unloaded with the last window and
/// loaded again with the next, its code would be gone while they use it, and Xlib would forget locks that another window's
/// thread holds.
pub(super) fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for name in NAMES {
            // SAFETY: the window itself would load them a moment later, with the same effect.
            if let Ok(library) = unsafe { Library::open(Some(name), RTLD_LAZY) } {
                std::mem::forget(library);
            }
        }
    });
}
