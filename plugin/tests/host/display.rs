//! A screen without a monitor: windows, screenshots, mouse, keyboard, and files that are dropped.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::res::ConnectionExt as _;
use x11rb::protocol::xproto::*;
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// An X server for one test. It ends with its last client, when this process ends: Xlib, which the plugin uses too, ends a
/// process whose server is gone.
pub struct Display {
    pub connection: RustConnection,
    root: Window,
}

impl Drop for Display {
    /// Waits for the threads of the clipboard, which end a little after their windows: if the process ended before them, it would
    /// run the destructors of libraries that they use.
    fn drop(&mut self) {
        std::thread::sleep(Duration::from_secs(1));
    }
}

impl Display {
    /// Starts Xvfb; none if it is not installed.
    pub fn start(width: u16, height: u16) -> Option<Display> {
        let screen = format!("{width}x{height}x24");
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-terminate", "-nolisten", "tcp", "-screen", "0", &screen])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut number = Vec::new();
        let mut output = server.stdout.take().unwrap();
        while number.last() != Some(&b'\n') {
            let mut byte = [0];
            output.read_exact(&mut byte).expect("Xvfb names its display");
            number.push(byte[0]);
        }
        let name = format!(":{}", String::from_utf8(number).unwrap().trim());
        // SAFETY: the only test of its process, which has no other thread that reads the environment yet.
        unsafe { std::env::set_var("DISPLAY", &name) };
        let (connection, screen) = x11rb::connect(Some(&name)).unwrap();
        let root = connection.setup().roots[screen].root;
        Some(Display { connection, root })
    }

    /// A window at the upper left corner, such as a host gives a plugin.
    pub fn window(&self, width: u16, height: u16) -> Window {
        let window = self.connection.generate_id().unwrap();
        let events = CreateWindowAux::new().event_mask(EventMask::SUBSTRUCTURE_NOTIFY);
        let class = WindowClass::INPUT_OUTPUT;
        self.connection
            .create_window(0, window, self.root, 0, 0, width, height, 0, class, 0, &events)
            .unwrap();
        self.connection.map_window(window).unwrap();
        self.connection.sync().unwrap();
        window
    }

    pub fn resize(&self, window: Window, width: u16, height: u16) {
        let size = ConfigureWindowAux::new().width(u32::from(width)).height(u32::from(height));
        self.connection.configure_window(window, &size).unwrap();
        self.connection.sync().unwrap();
    }

    /// Sets the dots per inch that programs that start from now on see.
    pub fn set_dpi(&self, dpi: u32) {
        let resources = format!("Xft.dpi:\t{dpi}\n");
        let (name, kind) = (AtomEnum::RESOURCE_MANAGER, AtomEnum::STRING);
        self.connection
            .change_property8(PropMode::REPLACE, self.root, name, kind, resources.as_bytes())
            .unwrap();
        self.connection.sync().unwrap();
    }

    /// The size of the window that a plugin has put into the host's `parent`.
    pub fn child_size(&self, parent: Window) -> (u16, u16) {
        let children = self.connection.query_tree(parent).unwrap().reply().unwrap().children;
        let shape = self.connection.get_geometry(children[0]).unwrap().reply().unwrap();
        (shape.width, shape.height)
    }

    /// The number of clients of the server, and of the windows, pixmaps and other resources that it holds for them.
    pub fn resources(&self) -> (usize, u32) {
        let clients = self.connection.res_query_clients().unwrap().reply().unwrap().clients;
        let count = |client: &x11rb::protocol::res::Client| {
            let types = self.connection.res_query_client_resources(client.resource_base).unwrap().reply();
            // One that has gone in the meantime has none.
            types.map_or(0, |reply| reply.types.iter().map(|kind| kind.count).sum())
        };
        (clients.len(), clients.iter().map(count).sum())
    }

    pub fn close(&self, window: Window) {
        self.connection.destroy_window(window).unwrap();
        self.connection.sync().unwrap();
    }

    /// The innermost window below `window` that takes drops.
    pub fn target(&self, window: Window) -> Window {
        let aware = self.atom("XdndAware");
        let mut found = vec![window];
        let mut at = 0;
        while at < found.len() {
            found.extend(self.connection.query_tree(found[at]).unwrap().reply().unwrap().children);
            at += 1;
        }
        let takes = |window: &Window| {
            let property = self.connection.get_property(false, *window, aware, AtomEnum::ANY, 0, 1);
            property.unwrap().reply().is_ok_and(|reply| reply.value_len > 0)
        };
        found.into_iter().rev().find(takes).expect("a window that takes drops")
    }

    fn atom(&self, name: &str) -> Atom {
        self.connection.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom
    }

    /// Red, green and blue of each pixel, row by row.
    pub fn picture(&self, width: u16, height: u16) -> Vec<u8> {
        let image = self
            .connection
            .get_image(ImageFormat::Z_PIXMAP, self.root, 0, 0, width, height, !0)
            .unwrap()
            .reply()
            .unwrap();
        image.data.chunks_exact(4).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect()
    }

    /// Writes a screenshot as PPM.
    pub fn save(&self, width: u16, height: u16, path: &Path) {
        let mut file = format!("P6 {width} {height} 255\n").into_bytes();
        file.extend(self.picture(width, height));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, file).unwrap();
    }

    /// Moves the mouse to a point of the window, with the first button `down` or up.
    pub fn point(&self, window: Window, x: i16, y: i16, down: bool) {
        let event = MotionNotifyEvent {
            response_type: MOTION_NOTIFY_EVENT,
            detail: Motion::NORMAL,
            root: self.root,
            event: window,
            root_x: x,
            root_y: y,
            event_x: x,
            event_y: y,
            same_screen: true,
            state: if down { KeyButMask::BUTTON1 } else { KeyButMask::default() },
            ..Default::default()
        };
        self.connection.send_event(false, window, EventMask::POINTER_MOTION, event).unwrap();
        self.connection.sync().unwrap();
    }

    /// Presses or releases the first button at a point of the window.
    pub fn button(&self, window: Window, x: i16, y: i16, pressed: bool) {
        let event = ButtonPressEvent {
            response_type: if pressed { BUTTON_PRESS_EVENT } else { BUTTON_RELEASE_EVENT },
            detail: 1,
            root: self.root,
            event: window,
            root_x: x,
            root_y: y,
            event_x: x,
            event_y: y,
            same_screen: true,
            ..Default::default()
        };
        let mask = if pressed { EventMask::BUTTON_PRESS } else { EventMask::BUTTON_RELEASE };
        self.connection.send_event(false, window, mask, event).unwrap();
        self.connection.sync().unwrap();
    }

    /// The codes of all keys with their symbols, without and with Shift.
    fn keyboard(&self) -> Vec<(u8, u32, u32)> {
        let setup = self.connection.setup();
        let (first, count) = (setup.min_keycode, setup.max_keycode - setup.min_keycode + 1);
        let map = self.connection.get_keyboard_mapping(first, count).unwrap().reply().unwrap();
        let keys = map.keysyms.chunks_exact(usize::from(map.keysyms_per_keycode));
        keys.zip(first..=u8::MAX).map(|(symbols, code)| (code, symbols[0], symbols[1])).collect()
    }

    /// The code of the key that has this symbol, and whether it takes Shift.
    fn keycode(&self, symbol: u32) -> (u8, bool) {
        let keys = self.keyboard();
        let plain = keys.iter().find(|key| key.1 == symbol).map(|key| (key.0, false));
        let shifted = || keys.iter().find(|key| key.2 == symbol).map(|key| (key.0, true));
        plain.or_else(shifted).expect("a key with this symbol")
    }

    /// Moves the mouse itself.
    pub fn mouse(&self, x: i16, y: i16) {
        self.connection.xtest_fake_input(MOTION_NOTIFY_EVENT, 0, 0, self.root, x, y, 0).unwrap();
        self.connection.sync().unwrap();
    }

    /// Presses or releases the first button of the mouse itself.
    pub fn mouse_button(&self, pressed: bool) {
        let event = if pressed { BUTTON_PRESS_EVENT } else { BUTTON_RELEASE_EVENT };
        self.connection.xtest_fake_input(event, 1, 0, self.root, 0, 0, 0).unwrap();
        self.connection.sync().unwrap();
    }

    /// Types a key on the keyboard itself. The server decides which window gets it.
    pub fn type_key(&self, symbol: u32, ctrl: bool) {
        const CTRL: u32 = 0xffe3;
        let code = self.keycode(symbol).0;
        let (down, up) = (KEY_PRESS_EVENT, KEY_RELEASE_EVENT);
        let held = ctrl.then(|| self.keycode(CTRL).0);
        let presses = held.iter().map(|code| (down, *code)).chain([(down, code), (up, code)]);
        for (event, code) in presses.chain(held.iter().map(|code| (up, *code))) {
            self.connection.xtest_fake_input(event, code, 0, self.root, 0, 0, 0).unwrap();
        }
        self.connection.sync().unwrap();
    }

    /// Makes a window of the host's that has the focus and counts its keys, with `inner` inside.
    pub fn host_around(&self, inner: Window, width: u16, height: u16) -> Window {
        let host = self.window(width, height);
        let events = EventMask::KEY_PRESS | EventMask::KEY_RELEASE | EventMask::SUBSTRUCTURE_NOTIFY;
        let attributes = ChangeWindowAttributesAux::new().event_mask(events);
        self.connection.change_window_attributes(host, &attributes).unwrap();
        self.connection.reparent_window(inner, host, 0, 0).unwrap();
        self.connection.map_window(inner).unwrap();
        self.focus(host);
        host
    }

    /// Gives a window the focus.
    pub fn focus(&self, window: Window) {
        self.connection.set_input_focus(InputFocus::PARENT, window, x11rb::CURRENT_TIME).unwrap();
        self.connection.sync().unwrap();
    }

    /// The window with the focus.
    pub fn focused(&self) -> Window {
        self.connection.get_input_focus().unwrap().reply().unwrap().focus
    }

    /// The symbols of the keys that the host's windows have got since the last call, without Shift and Ctrl.
    pub fn keys_of_host(&self) -> Vec<u32> {
        let keys = self.keyboard();
        self.connection.sync().unwrap();
        let mut got = Vec::new();
        while let Some(event) = self.connection.poll_for_event().unwrap() {
            if let Event::KeyPress(event) = event {
                let symbol = keys.iter().find(|key| key.0 == event.detail).map_or(0, |key| key.1);
                got.extend(Some(symbol).filter(|symbol| !(0xffe1..=0xffee).contains(symbol)));
            }
        }
        got
    }

    /// Presses and releases the key that has this symbol, with Ctrl held or not.
    pub fn key(&self, window: Window, symbol: u32, ctrl: bool) {
        let (code, shift) = self.keycode(symbol);
        let mut state = KeyButMask::default();
        if ctrl {
            state |= KeyButMask::CONTROL;
        }
        if shift {
            state |= KeyButMask::SHIFT;
        }
        for (response_type, mask) in
            [(KEY_PRESS_EVENT, EventMask::KEY_PRESS), (KEY_RELEASE_EVENT, EventMask::KEY_RELEASE)]
        {
            let event = KeyPressEvent {
                response_type,
                detail: code,
                root: self.root,
                event: window,
                same_screen: true,
                state,
                ..Default::default()
            };
            self.connection.send_event(false, window, mask, event).unwrap();
        }
        self.connection.sync().unwrap();
    }

    /// Drops a file on the window, by the protocol XDND, version 5; `wait` is called while there is no answer.
    pub fn drop_file(&self, window: Window, path: &Path, (x, y): (i16, i16), mut wait: impl FnMut()) {
        let uri = format!("file://{}\r\n", path.display());
        let list = self.atom("text/uri-list");
        let (selection, copy) = (self.atom("XdndSelection"), self.atom("XdndActionCopy"));
        let (status, finished) = (self.atom("XdndStatus"), self.atom("XdndFinished"));
        let source = self.window(1, 1);
        self.connection.set_selection_owner(source, selection, x11rb::CURRENT_TIME).unwrap();
        let send = |name: &str, data: [u32; 5]| {
            let message = ClientMessageEvent::new(32, window, self.atom(name), data);
            self.connection.send_event(false, window, EventMask::NO_EVENT, message).unwrap();
            self.connection.flush().unwrap();
        };
        send("XdndEnter", [source, 5 << 24, list, 0, 0]);
        let at = (x as u32) << 16 | y as u32;
        send("XdndPosition", [source, 0, at, x11rb::CURRENT_TIME, copy]);
        for _ in 0..1000 {
            while let Some(event) = self.connection.poll_for_event().unwrap() {
                match event {
                    Event::ClientMessage(message) if message.type_ == status => {
                        assert_eq!(message.data.as_data32()[1] & 1, 1, "the window refuses the drop");
                        send("XdndDrop", [source, 0, x11rb::CURRENT_TIME, 0, 0]);
                    }
                    Event::ClientMessage(message) if message.type_ == finished => {
                        self.close(source);
                        return;
                    }
                    Event::SelectionRequest(request) => self.answer(&request, list, uri.as_bytes()),
                    _ => {}
                }
            }
            wait();
        }
        panic!("the drop was not taken");
    }

    /// A window that takes files which are dragged onto it.
    pub fn taker(&self, x: i16, y: i16) -> Window {
        let window = self.connection.generate_id().unwrap();
        let (class, aux) = (WindowClass::INPUT_OUTPUT, CreateWindowAux::new());
        self.connection.create_window(0, window, self.root, x, y, 100, 100, 0, class, 0, &aux).unwrap();
        let (aware, mode) = (self.atom("XdndAware"), PropMode::REPLACE);
        self.connection.change_property32(mode, window, aware, AtomEnum::ATOM, &[5]).unwrap();
        self.connection.map_window(window).unwrap();
        self.connection.sync().unwrap();
        window
    }

    /// Lets the mouse, which drags something over the window, go there, and returns the files as the protocol names them.
    pub fn take_drop(&self, window: Window, mut wait: impl FnMut()) -> String {
        let [list, selection, copy] =
            ["text/uri-list", "XdndSelection", "XdndActionCopy"].map(|name| self.atom(name));
        let [position, dropped] = ["XdndPosition", "XdndDrop"].map(|name| self.atom(name));
        let send = |to: Window, name: &str, data: [u32; 5]| {
            let message = ClientMessageEvent::new(32, to, self.atom(name), data);
            self.connection.send_event(false, to, EventMask::NO_EVENT, message).unwrap();
            self.connection.sync().unwrap();
        };
        let mut source = 0;
        for _ in 0..1000 {
            while let Some(event) = self.connection.poll_for_event().unwrap() {
                match event {
                    Event::ClientMessage(message) if message.type_ == position => {
                        let is_first = source == 0;
                        source = message.data.as_data32()[0];
                        send(source, "XdndStatus", [window, 1, 0, 0, copy]);
                        if is_first {
                            wait();
                            self.mouse_button(false);
                        }
                    }
                    Event::ClientMessage(message) if message.type_ == dropped => {
                        let time = x11rb::CURRENT_TIME;
                        self.connection.convert_selection(window, selection, list, list, time).unwrap();
                        self.connection.sync().unwrap();
                    }
                    Event::SelectionNotify(_) => {
                        let files = self.connection.get_property(true, window, list, list, 0, 1000);
                        let files = files.unwrap().reply().unwrap().value;
                        send(source, "XdndFinished", [window, 1, copy, 0, 0]);
                        return String::from_utf8(files).unwrap();
                    }
                    _ => {}
                }
            }
            wait();
        }
        panic!("nothing was dropped");
    }

    fn answer(&self, request: &SelectionRequestEvent, kind: Atom, content: &[u8]) {
        let SelectionRequestEvent { requestor, property, .. } = *request;
        self.connection.change_property8(PropMode::REPLACE, requestor, property, kind, content).unwrap();
        let notify = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor,
            selection: request.selection,
            target: request.target,
            property,
        };
        self.connection.send_event(false, requestor, EventMask::NO_EVENT, notify).unwrap();
        self.connection.sync().unwrap();
    }
}
