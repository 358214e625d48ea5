//! A file that is dragged out of a window, on X11: the side of the protocol that gives.
//!
//! It has a connection and a thread of its own. The windowing library holds the pointer while a button is down, so this one looks
//! where the pointer is instead of being told. "Drag-and-Drop Protocol for the X Window System", version 5,
//! <https://freedesktop.org/wiki/Specifications/XDND/>.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ClientMessageEvent, ConnectionExt, CreateWindowAux, EventMask, KeyButMask, PropMode,
    SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;
use x11rb::{COPY_FROM_PARENT, CURRENT_TIME, NONE};

/// How often it looks where the pointer is.
const POLL: Duration = Duration::from_millis(8);
/// The longest drag.
const LONGEST: Duration = Duration::from_secs(120);
/// How long a window may take to fetch what was dropped on it.
const FETCH: Duration = Duration::from_secs(10);
/// How long a window may take to say whether it wants a drop.
const ANSWER: Duration = Duration::from_millis(300);
/// The version of the protocol.
const VERSION: u32 = 5;

/// The connection may end at any time; then so does the drag.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

x11rb::atom_manager! {
    /// The words of the protocol.
    Atoms: AtomsCookie {
        XdndAware, XdndEnter, XdndPosition, XdndStatus, XdndLeave, XdndDrop, XdndFinished, XdndSelection,
        XdndActionCopy, TARGETS, URI_LIST: b"text/uri-list",
    }
}

/// Gives the file to the window on which the button is released. Call it while the first button is down.
pub(crate) fn drag_out(path: PathBuf) {
    // Without a screen of this kind, or another thread, nothing is dragged.
    let _ = std::thread::Builder::new().name("neurdsp drag".to_owned()).spawn(move || Drag::run(&path));
}

struct Drag {
    connection: RustConnection,
    root: Window,
    /// The window that gives, which nobody sees.
    source: Window,
    atoms: Atoms,
    /// The file, as the protocol names it.
    list: Vec<u8>,
    /// The window under the pointer, if it takes drops.
    over: Option<Window>,
    /// Whether it wants this one.
    is_wanted: bool,
    /// When it was told last where the pointer is, and has not answered yet.
    told: Option<Instant>,
}

impl Drag {
    fn run(path: &Path) -> Result<()> {
        let (connection, screen) = x11rb::connect(None)?;
        let root = connection.setup().roots[screen].root;
        let atoms = Atoms::new(&connection)?.reply()?;
        let source = connection.generate_id()?;
        let aux = CreateWindowAux::new().override_redirect(1);
        let class = WindowClass::INPUT_ONLY;
        let (depth, visual) = (0, COPY_FROM_PARENT);
        connection.create_window(depth, source, root, -1, -1, 1, 1, 0, class, visual, &aux)?;
        connection.set_selection_owner(source, atoms.XdndSelection, CURRENT_TIME)?;
        let list = format!("{}\r\n", uri(path)).into_bytes();
        let mut drag =
            Drag { connection, root, source, atoms, list, over: None, is_wanted: false, told: None };
        drag.follow()
    }

    /// Follows the pointer until the button is released.
    fn follow(&mut self) -> Result<()> {
        let start = Instant::now();
        let mut before = None;
        while start.elapsed() < LONGEST {
            while let Some(event) = self.connection.poll_for_event()? {
                self.answer(&event)?;
            }
            let pointer = self.connection.query_pointer(self.root)?.reply()?;
            if !pointer.mask.contains(KeyButMask::BUTTON1) {
                return self.release();
            }
            let place = (pointer.root_x, pointer.root_y);
            self.enter(self.target(pointer.child)?)?;
            let may_tell = self.told.is_none_or(|told| told.elapsed() > ANSWER);
            if let Some(over) = self.over.filter(|_| may_tell && before != Some(place)) {
                let at = (u32::from(place.0 as u16) << 16) | u32::from(place.1 as u16);
                let data = [self.source, 0, at, CURRENT_TIME, self.atoms.XdndActionCopy];
                self.send(over, self.atoms.XdndPosition, data)?;
                (self.told, before) = (Some(Instant::now()), Some(place));
            }
            std::thread::sleep(POLL);
        }
        self.enter(None)
    }

    /// The window that takes drops, `child` of the root or below it at the pointer.
    fn target(&self, child: Window) -> Result<Option<Window>> {
        let mut window = child;
        while window != NONE {
            let aware =
                self.connection.get_property(false, window, self.atoms.XdndAware, AtomEnum::ANY, 0, 1)?;
            // A window may be gone since.
            let Ok(aware) = aware.reply() else { return Ok(None) };
            if aware.value_len > 0 {
                return Ok(Some(window));
            }
            let Ok(below) = self.connection.query_pointer(window)?.reply() else { return Ok(None) };
            window = below.child;
        }
        Ok(None)
    }

    /// Notes that the pointer is over another window, or none.
    fn enter(&mut self, over: Option<Window>) -> Result<()> {
        if self.over == over {
            return Ok(());
        }
        if let Some(left) = self.over {
            self.send(left, self.atoms.XdndLeave, [self.source, 0, 0, 0, 0])?;
        }
        if let Some(entered) = over {
            let data = [self.source, VERSION << 24, self.atoms.URI_LIST, 0, 0];
            self.send(entered, self.atoms.XdndEnter, data)?;
        }
        (self.over, self.is_wanted, self.told) = (over, false, None);
        Ok(())
    }

    /// Drops the file, if it is wanted, and waits until it is fetched.
    fn release(&mut self) -> Result<()> {
        let start = Instant::now();
        while self.told.is_some_and(|told| told.elapsed() < ANSWER) {
            if let Some(event) = self.connection.poll_for_event()? {
                self.answer(&event)?;
            } else {
                std::thread::sleep(POLL);
            }
        }
        let Some(over) = self.over.filter(|_| self.is_wanted) else { return self.enter(None) };
        self.send(over, self.atoms.XdndDrop, [self.source, 0, CURRENT_TIME, 0, 0])?;
        while start.elapsed() < FETCH {
            match self.connection.poll_for_event()? {
                Some(event) if self.answer(&event)? => return Ok(()),
                Some(_) => {}
                None => std::thread::sleep(POLL),
            }
        }
        Ok(())
    }

    /// Answers an event; returns whether it is the last.
    fn answer(&mut self, event: &Event) -> Result<bool> {
        match event {
            Event::ClientMessage(message) if message.type_ == self.atoms.XdndStatus => {
                let data = message.data.as_data32();
                if self.over == Some(data[0]) {
                    (self.is_wanted, self.told) = (data[1] & 1 != 0, None);
                }
            }
            Event::ClientMessage(message) => return Ok(message.type_ == self.atoms.XdndFinished),
            Event::SelectionRequest(request) => self.give(request)?,
            _ => {}
        }
        Ok(false)
    }

    /// Gives what another window asks for.
    fn give(&self, request: &SelectionRequestEvent) -> Result<()> {
        let (window, property) = (request.requestor, request.property);
        let given = if request.target == self.atoms.URI_LIST {
            let mode = PropMode::REPLACE;
            self.connection.change_property8(mode, window, property, request.target, &self.list)?;
            property
        } else if request.target == self.atoms.TARGETS {
            let targets: [Atom; 2] = [self.atoms.TARGETS, self.atoms.URI_LIST];
            self.connection.change_property32(
                PropMode::REPLACE,
                window,
                property,
                AtomEnum::ATOM,
                &targets,
            )?;
            property
        } else {
            NONE
        };
        let notice = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: window,
            selection: request.selection,
            target: request.target,
            property: given,
        };
        self.connection.send_event(false, window, EventMask::NO_EVENT, notice)?;
        self.connection.flush()?;
        Ok(())
    }

    fn send(&self, to: Window, kind: Atom, data: [u32; 5]) -> Result<()> {
        let message = ClientMessageEvent::new(32, to, kind, data);
        self.connection.send_event(false, to, EventMask::NO_EVENT, message)?;
        self.connection.flush()?;
        Ok(())
    }
}

/// The file as an address, with all but plain letters in hexadecimal digits.
fn uri(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().iter().fold("file://".to_owned(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"/._-~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_name_becomes_an_address() {
        let path = std::path::Path::new("/tmp/a kick_ö.wav");
        assert_eq!(super::uri(path), "file:///tmp/a%20kick_%C3%B6.wav");
    }
}
