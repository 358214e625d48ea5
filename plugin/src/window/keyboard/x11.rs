//! The keyboard on X11. A key goes to the window with the focus, or to the innermost window below that one that is under the
//! pointer and has asked for keys. The windowing library asks for them for good; here the window asks only while a field is edited.

use std::cell::Cell;

use baseview::WindowContext;
use raw_window_handle::{HasDisplayHandle, HasWindowHandle, RawDisplayHandle, RawWindowHandle};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ChangeWindowAttributesAux, ConnectionExt, EventMask, InputFocus, Window};
use x11rb::xcb_ffi::XCBConnection;

/// The keys of one window. None of its requests can fail in a way that matters: the window, or the connection, is gone then.
pub(super) struct Keys {
    of: Option<Handles>,
}

struct Handles {
    /// The windowing library's own connection, because each client of the server asks for its own events.
    connection: XCBConnection,
    window: Window,
    /// What the window asks for beside keys.
    others: EventMask,
    /// What had the focus before, and what was to have it after.
    before: Cell<Option<(Window, InputFocus)>>,
}

impl Keys {
    pub(super) fn new(window: &WindowContext) -> Keys {
        let keys = Keys { of: handles(window) };
        keys.ask(false);
        keys
    }

    pub(super) fn take(&self) {
        let Some(Handles { connection, window, before, .. }) = &self.of else { return };
        let focus = connection.get_input_focus().ok().and_then(|asked| asked.reply().ok());
        before.set(focus.map(|focus| (focus.focus, focus.revert_to)).filter(|(focus, _)| focus != window));
        self.ask(true);
        // If the window closes now, its parent gets the focus: a window of the host.
        self.focus(*window, InputFocus::PARENT);
    }

    pub(super) fn give_back(&self) {
        self.ask(false);
        let Some(Handles { connection, window, before, .. }) = &self.of else { return };
        if !self.has_focus() {
            return;
        }
        let parent = || {
            let tree = connection.query_tree(*window).ok().and_then(|asked| asked.reply().ok());
            tree.is_some_and(|tree| self.focus(tree.parent, InputFocus::PARENT))
        };
        // What had the focus may be gone.
        let given = before.take().is_some_and(|(focus, revert_to)| self.focus(focus, revert_to));
        if !given {
            parent();
        }
    }

    pub(super) fn has_focus(&self) -> bool {
        let Some(Handles { connection, window, .. }) = &self.of else { return false };
        let focus = connection.get_input_focus().ok().and_then(|asked| asked.reply().ok());
        focus.is_some_and(|focus| focus.focus == *window)
    }

    /// Has the server send keys to the window, or to the host's windows around it.
    fn ask(&self, for_keys: bool) {
        let Some(Handles { connection, window, others, .. }) = &self.of else { return };
        let keys = EventMask::KEY_PRESS | EventMask::KEY_RELEASE;
        let mask = if for_keys { *others | keys } else { *others };
        let attributes = ChangeWindowAttributesAux::new().event_mask(mask);
        if let Ok(request) = connection.change_window_attributes(*window, &attributes) {
            // The window is gone.
            let _ = request.check();
        }
    }

    /// Gives a window the focus; returns whether it took it.
    fn focus(&self, window: Window, revert_to: InputFocus) -> bool {
        let Some(Handles { connection, .. }) = &self.of else { return false };
        let asked = connection.set_input_focus(revert_to, window, x11rb::CURRENT_TIME);
        let taken = asked.is_ok_and(|request| request.check().is_ok());
        taken && connection.flush().is_ok()
    }
}

fn handles(context: &WindowContext) -> Option<Handles> {
    let handle = context.platform_handle();
    let display = match handle.display_handle().ok()?.as_raw() {
        RawDisplayHandle::Xcb(display) => display.connection?,
        _ => return None,
    };
    let window = match handle.window_handle().ok()?.as_raw() {
        RawWindowHandle::Xcb(window) => window.window.get(),
        _ => return None,
    };
    // SAFETY: the window's handler owns this and is dropped before the window and its connection.
    let connection = unsafe { XCBConnection::from_raw_xcb_connection(display.as_ptr(), false) }.ok()?;
    let attributes = connection.get_window_attributes(window).ok()?.reply().ok()?;
    let others = attributes.your_event_mask.remove(EventMask::KEY_PRESS).remove(EventMask::KEY_RELEASE);
    Some(Handles { connection, window, others, before: Cell::new(None) })
}
