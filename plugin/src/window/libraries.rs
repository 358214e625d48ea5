//! The libraries that a window on Linux needs, kept for as long as the process lives.

use std::sync::Once;

use libloading::os::unix::{Library, RTLD_LAZY};

/// What `baseview` loads for each window, and unloads with it.
const NAMES: [&str; 4] = ["libX11.so.6", "libX11-xcb.so.1", "libGL.so.1", "libEGL.so.1"];

/// Holds on to the libraries; the first call does it.
///
/// A driver for OpenGL has threads, and data of threads, that outlive a window. Unloaded with the last window and loaded again
/// with the next, its code is gone under them, and Xlib forgets its locks while another window's thread holds them.
pub(super) fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for name in NAMES {
            // SAFETY: what these libraries do when they are loaded they would do a moment later, for the window itself.
            if let Ok(library) = unsafe { Library::open(Some(name), RTLD_LAZY) } {
                std::mem::forget(library);
            }
        }
    });
}
