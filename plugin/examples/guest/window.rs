//! Opens and closes the editor in a window of Windows several times.
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "all of it is calls of a foreign interface by its rules"
)]

use std::ffi::{c_char, c_void};
use std::time::{Duration, Instant};

use vst3::ComPtr;
use vst3::Steinberg::Vst::IEditControllerTrait;
use vst3::Steinberg::{IPlugView, IPlugViewTrait, ViewRect, kPlatformTypeHWND, kResultOk};

use crate::host::{Instance, noise};

type Handle = *mut c_void;

/// A window message.
#[repr(C)]
struct Message {
    window: Handle,
    kind: u32,
    first: usize,
    second: isize,
    time: u32,
    at: [i32; 2],
    private: u32,
}

#[link(name = "user32")]
unsafe extern "system" {
    fn CreateWindowExA(
        extended: u32,
        class: *const c_char,
        title: *const c_char,
        style: u32,
        x: i32,
        y: i32,
        width: i32,
        height: i32,
        parent: Handle,
        menu: Handle,
        module: Handle,
        parameter: *mut c_void,
    ) -> Handle;
    fn DestroyWindow(window: Handle) -> i32;
    fn PeekMessageW(message: *mut Message, window: Handle, first: u32, last: u32, remove: u32) -> i32;
    fn TranslateMessage(message: *const Message) -> i32;
    fn DispatchMessageW(message: *const Message) -> isize;
}

/// Visible, without a frame, so that the window is as large as its contents.
const STYLE: u32 = 0x8000_0000 | 0x1000_0000;
const OPENS: usize = 5;

/// Handles the messages of this thread's windows, and plays, for a while.
fn work(instance: &mut Instance, time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        let mut message: Message = unsafe { std::mem::zeroed() };
        while unsafe { PeekMessageW(&mut message, std::ptr::null_mut(), 0, 0, 1) } != 0 {
            unsafe {
                TranslateMessage(&message);
                DispatchMessageW(&message);
            }
        }
        instance.play(&noise(480, 0.1), &[480]);
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Opens and closes the editor; the last time it stays open for a while.
pub(crate) fn show(instance: &mut Instance) {
    for index in 1..=OPENS {
        unsafe {
            let view: ComPtr<IPlugView> =
                ComPtr::from_raw(instance.controller.createView(c"editor".as_ptr())).expect("an editor");
            let mut size: ViewRect = std::mem::zeroed();
            assert_eq!(view.getSize(&mut size), kResultOk);
            let null = std::ptr::null_mut();
            let (class, title) = (c"STATIC".as_ptr(), c"guest".as_ptr());
            let window = CreateWindowExA(
                0,
                class,
                title,
                STYLE,
                0,
                0,
                size.right,
                size.bottom,
                null,
                null,
                null,
                null,
            );
            assert!(!window.is_null(), "no window");
            assert_eq!(view.attached(window, kPlatformTypeHWND), kResultOk);
            work(instance, Duration::from_millis(if index == OPENS { 3000 } else { 300 }));
            assert_eq!(view.removed(), kResultOk);
            drop(view);
            DestroyWindow(window);
        }
        work(instance, Duration::from_millis(100));
    }
    println!("the editor opened and closed {OPENS} times");
}
