//! The keyboard on Windows. Keys go to the window with the focus. The windowing library takes those of its windows out of the
//! host's queue before the host sees them; here those that no field needs are passed to the host's window around it first.

use std::cell::{Cell, RefCell};

use baseview::WindowContext;
use raw_window_handle::{HasWindowHandle, RawWindowHandle};
use windows_sys::Win32::Foundation::{HWND, LPARAM, LRESULT, WPARAM};
use windows_sys::Win32::System::Threading::GetCurrentThreadId;
use windows_sys::Win32::UI::Input::KeyboardAndMouse::{GetFocus, SetFocus};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CallNextHookEx, GetParent, HC_ACTION, HHOOK, IsWindow, MSG, SetWindowsHookExW, UnhookWindowsHookEx,
    WH_GETMESSAGE, WM_KEYFIRST, WM_KEYLAST,
};

thread_local! {
    /// The windows of this thread that leave their keys to the host.
    static LEAVING: RefCell<Vec<HWND>> = const { RefCell::new(Vec::new()) };
}

/// The keys of one window.
pub(super) struct Keys {
    window: HWND,
    /// Each window has its own hook: the one that is set last is called first, and has to be set after that of the windowing
    /// library, which is set before the window is made.
    hook: HHOOK,
    before: Cell<HWND>,
}

impl Keys {
    pub(super) fn new(context: &WindowContext) -> Keys {
        let window = match context.platform_handle().window_handle().map(|handle| handle.as_raw()) {
            Ok(RawWindowHandle::Win32(handle)) => handle.hwnd.get() as HWND,
            _ => std::ptr::null_mut(),
        };
        // SAFETY: a hook of this thread alone, which needs no library, and which is removed before this is dropped.
        let hook = unsafe {
            SetWindowsHookExW(WH_GETMESSAGE, Some(pass_on), std::ptr::null_mut(), GetCurrentThreadId())
        };
        let keys = Keys { window, hook, before: Cell::new(std::ptr::null_mut()) };
        keys.leave(true);
        keys
    }

    pub(super) fn take(&self) {
        self.leave(false);
        // SAFETY: a window of this thread.
        unsafe {
            let before = GetFocus();
            self.before.set(if before == self.window { std::ptr::null_mut() } else { before });
            SetFocus(self.window);
        }
    }

    pub(super) fn give_back(&self) {
        self.leave(true);
        if !self.has_focus() {
            return;
        }
        let before = self.before.replace(std::ptr::null_mut());
        // SAFETY: windows that are gone are not used.
        unsafe {
            let to = if IsWindow(before) == 0 { GetParent(self.window) } else { before };
            SetFocus(to);
        }
    }

    pub(super) fn has_focus(&self) -> bool {
        // SAFETY: it only asks.
        unsafe { GetFocus() == self.window }
    }

    fn leave(&self, leaves: bool) {
        LEAVING.with_borrow_mut(|windows| {
            windows.retain(|window| *window != self.window);
            if leaves {
                windows.push(self.window);
            }
        });
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        LEAVING.with_borrow_mut(|windows| windows.retain(|window| *window != self.window));
        // SAFETY: the hook that `new` has set.
        unsafe { UnhookWindowsHookEx(self.hook) };
    }
}

/// Passes a key of a window that leaves it to the host's window around it. It looks like a key of that window from then on, to the
/// hooks that come after and to the host.
unsafe extern "system" fn pass_on(code: i32, removed: WPARAM, message: LPARAM) -> LRESULT {
    if code == HC_ACTION as i32 && message != 0 {
        // SAFETY: the system passes a message that the hook may change.
        let message = unsafe { &mut *(message as *mut MSG) };
        let leaves = LEAVING.with_borrow(|windows| windows.contains(&message.hwnd));
        if leaves && (WM_KEYFIRST..=WM_KEYLAST).contains(&message.message) {
            // SAFETY: it only asks.
            let parent = unsafe { GetParent(message.hwnd) };
            if !parent.is_null() {
                message.hwnd = parent;
            }
        }
    }
    // SAFETY: what every hook does with what it was called with.
    unsafe { CallNextHookEx(std::ptr::null_mut(), code, removed, message) }
}
