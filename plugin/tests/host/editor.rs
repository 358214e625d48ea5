//! The editor of a VST3 plugin in a window of the host: what the host does for it, and a user's hands on it.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::time::{Duration, Instant};

use vst3::Steinberg::Linux::{
    FileDescriptor, IEventHandler, IEventHandlerTrait, IRunLoop, IRunLoopTrait, ITimerHandler, TimerInterval,
};
use vst3::Steinberg::Vst::IEditControllerTrait;
use vst3::Steinberg::{
    IPlugFrame, IPlugFrameTrait, IPlugView, IPlugViewContentScaleSupport, IPlugViewContentScaleSupportTrait,
    IPlugViewTrait, ViewRect, kNotImplemented, kPlatformTypeX11EmbedWindowID, kResultFalse, kResultOk,
    tresult,
};
use vst3::{Class, ComPtr, ComRef, ComWrapper};

use super::display::Display;
use super::{Instance as Plugin, noise};

/// Long enough for a busy machine to draw a change.
pub const MOMENT: Duration = Duration::from_millis(1500);

/// The host's side of a view.
#[derive(Default)]
struct Frame {
    handlers: RefCell<Vec<ComPtr<IEventHandler>>>,
    wanted: Cell<Option<(u16, u16)>>,
    refuses: Cell<bool>,
}

impl Class for Frame {
    type Interfaces = (IPlugFrame, IRunLoop);
}

impl IPlugFrameTrait for Frame {
    unsafe fn resizeView(&self, _view: *mut IPlugView, size: *mut ViewRect) -> tresult {
        if self.refuses.get() {
            return kResultFalse;
        }
        let size = unsafe { *size };
        self.wanted.set(Some(((size.right - size.left) as u16, (size.bottom - size.top) as u16)));
        kResultOk
    }
}

impl IRunLoopTrait for Frame {
    unsafe fn registerEventHandler(&self, handler: *mut IEventHandler, _file: FileDescriptor) -> tresult {
        self.handlers
            .borrow_mut()
            .extend(unsafe { ComRef::from_raw(handler) }.map(|handler| handler.to_com_ptr()));
        kResultOk
    }

    unsafe fn unregisterEventHandler(&self, handler: *mut IEventHandler) -> tresult {
        self.handlers.borrow_mut().retain(|known| known.as_ptr() != handler);
        kResultOk
    }

    unsafe fn registerTimer(&self, _handler: *mut ITimerHandler, _interval: TimerInterval) -> tresult {
        kNotImplemented
    }

    unsafe fn unregisterTimer(&self, _handler: *mut ITimerHandler) -> tresult {
        kResultFalse
    }
}

/// An open editor.
pub struct Editor {
    view: ComPtr<IPlugView>,
    frame: ComWrapper<Frame>,
    pub parent: u32,
    pub width: u16,
    pub height: u16,
}

impl Editor {
    /// Opens the editor in a new window of the host.
    pub fn open(display: &Display, plugin: &Plugin) -> Editor {
        Editor::open_scaled(display, plugin, None).0
    }

    /// Opens the editor after setting a scale factor; the second value tells whether the plugin took it.
    pub fn open_scaled(display: &Display, plugin: &Plugin, scale: Option<f32>) -> (Editor, bool) {
        Editor::open_in(display, plugin, scale, true)
    }

    /// Opens the editor in a host without a run loop for plugins. The framework never releases what it registers with one, two
    /// open files among it.
    pub fn open_without_loop(display: &Display, plugin: &Plugin) -> Editor {
        Editor::open_in(display, plugin, None, false).0
    }

    fn open_in(display: &Display, plugin: &Plugin, scale: Option<f32>, with_loop: bool) -> (Editor, bool) {
        unsafe {
            let view = plugin.controller.createView(c"editor".as_ptr());
            let view = ComPtr::from_raw(view).expect("the plugin has an editor");
            let frame = ComWrapper::new(Frame::default());
            if with_loop {
                assert_eq!(view.setFrame(frame.to_com_ptr::<IPlugFrame>().unwrap().as_ptr()), kResultOk);
            }
            let mut editor = Editor { view, frame, parent: 0, width: 0, height: 0 };
            let taken = scale.is_some_and(|scale| editor.set_scale(scale));
            (editor.width, editor.height) = editor.size();
            editor.parent = display.window(editor.width, editor.height);
            let handle = editor.parent as usize as *mut std::ffi::c_void;
            assert_eq!(editor.view.attached(handle, kPlatformTypeX11EmbedWindowID), kResultOk);
            (editor, taken)
        }
    }

    /// The size that the plugin asks for.
    pub fn size(&self) -> (u16, u16) {
        let mut size: ViewRect = unsafe { std::mem::zeroed() };
        assert_eq!(unsafe { self.view.getSize(&mut size) }, kResultOk);
        (size.right as u16, size.bottom as u16)
    }

    /// Sets the scale factor; returns whether the plugin took it.
    pub fn set_scale(&self, scale: f32) -> bool {
        let support = self.view.cast::<IPlugViewContentScaleSupport>().expect("the view can be scaled");
        unsafe { support.setContentScaleFactor(scale) == kResultOk }
    }

    /// Makes the host refuse every other size of the window.
    pub fn refuse_sizes(&self) {
        self.frame.refuses.set(true);
    }

    /// Resizes the window, as a host does, or a user with the mouse.
    pub fn resize(&mut self, display: &Display, width: u16, height: u16) {
        let mut size = ViewRect { left: 0, top: 0, right: i32::from(width), bottom: i32::from(height) };
        display.resize(self.parent, width, height);
        unsafe {
            assert_eq!(self.view.checkSizeConstraint(&mut size), kResultOk);
            assert_eq!(self.view.onSize(&mut size), kResultOk);
        }
        (self.width, self.height) = (size.right as u16, size.bottom as u16);
    }

    /// Runs what waits for the host's main thread, and gives the view the size that it asked for.
    pub fn pump(&mut self, display: &Display) {
        for handler in self.frame.handlers.borrow().clone() {
            unsafe { handler.onFDIsSet(0) };
        }
        if let Some((width, height)) = self.frame.wanted.take() {
            self.resize(display, width, height);
        }
    }

    /// Opens the editor at `scale` times its size, and plays until it is drawn.
    pub fn ready(display: &Display, plugin: &mut Plugin, scale: u16) -> Editor {
        let mut editor = Editor::open_without_loop(display, plugin);
        if scale > 1 {
            editor.resize(display, scale * editor.width, scale * editor.height);
        }
        play(plugin, MOMENT);
        editor
    }

    /// The window that takes drops and clicks.
    pub fn target(&self, display: &Display) -> u32 {
        display.target(self.parent)
    }

    /// Writes a screenshot to `target/screenshots`.
    pub fn save(&self, display: &Display, name: &str) {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
        display.save(self.width, self.height, &target.join(format!("{name}.ppm")));
    }

    /// Drops a file or a folder.
    pub fn drop_file(&self, display: &Display, plugin: &mut Plugin, path: &Path) {
        self.drop_file_at(display, plugin, path, (200, 200));
    }

    /// Drops a file at a point of the screen.
    pub fn drop_file_at(&self, display: &Display, plugin: &mut Plugin, path: &Path, at: (i16, i16)) {
        display.drop_file(self.target(display), path, at, || play(plugin, Duration::from_millis(10)));
        play(plugin, Duration::from_millis(500));
    }

    /// Clicks a point of the window.
    pub fn click(&self, display: &Display, plugin: &mut Plugin, (x, y): (i16, i16)) {
        display.point(self.target(display), x, y, false);
        play(plugin, Duration::from_millis(150));
        display.button(self.target(display), x, y, true);
        play(plugin, Duration::from_millis(100));
        display.button(self.target(display), x, y, false);
        play(plugin, Duration::from_millis(400));
    }

    /// Drags from a point upwards until `done`, which a busy machine may reach late, or for five seconds.
    pub fn drag_up(
        &self,
        display: &Display,
        plugin: &mut Plugin,
        (x, y): (i16, i16),
        by: i16,
        done: impl Fn(&Plugin) -> bool,
    ) {
        display.point(self.target(display), x, y, false);
        play(plugin, Duration::from_millis(300));
        display.button(self.target(display), x, y, true);
        play(plugin, Duration::from_millis(300));
        for step in 1..=100 {
            display.point(self.target(display), x, y - (4 * step).min(by), true);
            play(plugin, Duration::from_millis(50));
            if 4 * step > by && done(plugin) {
                break;
            }
        }
        display.button(self.target(display), x, y - by, false);
        play(plugin, Duration::from_millis(500));
    }

    /// Types a key, given by its symbol, with Ctrl held or not.
    pub fn key(&self, display: &Display, plugin: &mut Plugin, symbol: u32, ctrl: bool) {
        display.key(self.target(display), symbol, ctrl);
        play(plugin, Duration::from_millis(150));
    }

    pub fn close(self, display: &Display) {
        unsafe {
            assert_eq!(self.view.removed(), kResultOk);
            assert_eq!(self.view.setFrame(std::ptr::null_mut()), kResultOk);
        }
        display.close(self.parent);
    }
}

/// Plays noise as a host does, in real time.
pub fn play(plugin: &mut Plugin, time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        plugin.play(&noise(480, 0.1), &[480]);
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Plays until `done`; fails with `what` after 20 seconds.
pub fn play_until(plugin: &mut Plugin, what: &str, done: impl Fn(&Plugin) -> bool) {
    let start = Instant::now();
    while !done(plugin) {
        play(plugin, Duration::from_millis(50));
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
    }
}
