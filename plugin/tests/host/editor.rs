//! The editor of a VST3 plugin in a window of the host, and what the host does for it: it runs what the plugin wants to be run
//! on the host's main thread, and makes its window larger when asked.
#![allow(unreachable_pub, reason = "a test has no outside")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "all of it is calls of a foreign interface by its rules"
)]
#![allow(dead_code, reason = "each test uses a part")]

use std::cell::{Cell, RefCell};

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

use crate::display::Display;
use crate::host::Instance;

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
    pub fn open(display: &Display, instance: &Instance) -> Editor {
        Editor::open_scaled(display, instance, None).0
    }

    /// Names a scale factor before it opens the editor; the second value tells whether the plugin took it.
    pub fn open_scaled(display: &Display, instance: &Instance, scale: Option<f32>) -> (Editor, bool) {
        Editor::open_in(display, instance, scale, true)
    }

    /// Opens the editor in a host without a loop that runs what plugins want to be run. The framework never lets go of what it
    /// registers with one, two open files among it.
    pub fn open_without_loop(display: &Display, instance: &Instance) -> Editor {
        Editor::open_in(display, instance, None, false).0
    }

    fn open_in(
        display: &Display,
        instance: &Instance,
        scale: Option<f32>,
        with_loop: bool,
    ) -> (Editor, bool) {
        unsafe {
            let view = instance.controller.createView(c"editor".as_ptr());
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

    /// The size that the plugin names.
    pub fn size(&self) -> (u16, u16) {
        let mut size: ViewRect = unsafe { std::mem::zeroed() };
        assert_eq!(unsafe { self.view.getSize(&mut size) }, kResultOk);
        (size.right as u16, size.bottom as u16)
    }

    /// Names a scale factor; whether the plugin took it.
    pub fn set_scale(&self, scale: f32) -> bool {
        let support = self.view.cast::<IPlugViewContentScaleSupport>().expect("the view can be scaled");
        unsafe { support.setContentScaleFactor(scale) == kResultOk }
    }

    /// Lets the host refuse every other size of the window.
    pub fn refuse_sizes(&self) {
        self.frame.refuses.set(true);
    }

    /// Makes the window larger, as a host on a dense screen does, or a player with the mouse.
    pub fn resize(&mut self, display: &Display, width: u16, height: u16) {
        let mut size = ViewRect { left: 0, top: 0, right: i32::from(width), bottom: i32::from(height) };
        display.resize(self.parent, width, height);
        unsafe {
            assert_eq!(self.view.checkSizeConstraint(&mut size), kResultOk);
            assert_eq!(self.view.onSize(&mut size), kResultOk);
        }
        (self.width, self.height) = (size.right as u16, size.bottom as u16);
    }

    /// What a host does between other things: runs what waits, and gives the view the size that it asked for.
    pub fn pump(&mut self, display: &Display) {
        for handler in self.frame.handlers.borrow().clone() {
            unsafe { handler.onFDIsSet(0) };
        }
        if let Some((width, height)) = self.frame.wanted.take() {
            self.resize(display, width, height);
        }
    }

    pub fn close(self, display: &Display) {
        unsafe {
            assert_eq!(self.view.removed(), kResultOk);
            assert_eq!(self.view.setFrame(std::ptr::null_mut()), kResultOk);
        }
        display.close(self.parent);
    }
}
