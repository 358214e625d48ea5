//! Opens and closes the editor in a window of Windows several times, and types into it.
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
    fn PostMessageW(window: Handle, kind: u32, first: usize, second: isize) -> i32;
    fn GetWindow(window: Handle, relation: u32) -> Handle;
    fn GetFocus() -> Handle;
    fn SetFocus(window: Handle) -> Handle;
}

const MOUSE_MOVE: u32 = 0x200;
const BUTTON_DOWN: u32 = 0x201;
const BUTTON_UP: u32 = 0x202;
const KEY_DOWN: u32 = 0x100;
const KEY_UP: u32 = 0x101;
const CHILD: u32 = 5;
const SPACE: usize = 0x20;
const ESCAPE: usize = 0x1b;

/// Points of the window: the field that searches, and one that nothing is at.
const SEARCH: (isize, isize) = (110, 94);
const NOTHING: (isize, isize) = (500, 545);

/// Visible, without a frame, so that the window is as large as its contents.
const STYLE: u32 = 0x8000_0000 | 0x1000_0000;
const OPENS: usize = 5;

/// Handles the messages of this thread's windows, and plays, for a while; returns how many keys were pressed in `host`.
fn work(instance: &mut Instance, host: Handle, time: Duration) -> usize {
    let start = Instant::now();
    let mut keys = 0;
    while start.elapsed() < time {
        let mut message: Message = unsafe { std::mem::zeroed() };
        while unsafe { PeekMessageW(&mut message, std::ptr::null_mut(), 0, 0, 1) } != 0 {
            keys += usize::from(message.window == host && message.kind == KEY_DOWN);
            unsafe {
                TranslateMessage(&message);
                DispatchMessageW(&message);
            }
        }
        instance.play(&noise(480, 0.1), &[480]);
        std::thread::sleep(Duration::from_millis(5));
    }
    keys
}

/// Types into the plugin's window, as the system does while that window has the focus; returns how many keys the host has got.
fn typed(instance: &mut Instance, host: Handle, key: usize) -> usize {
    let plugin = unsafe { GetWindow(host, CHILD) };
    for kind in [KEY_DOWN, KEY_UP] {
        unsafe { PostMessageW(plugin, kind, key, 1) };
    }
    work(instance, host, Duration::from_millis(400))
}

fn click(instance: &mut Instance, host: Handle, (x, y): (isize, isize)) {
    let plugin = unsafe { GetWindow(host, CHILD) };
    for (kind, button) in [(MOUSE_MOVE, 0), (BUTTON_DOWN, 1), (BUTTON_UP, 0)] {
        unsafe { PostMessageW(plugin, kind, button, x | (y << 16)) };
        work(instance, host, Duration::from_millis(200));
    }
    work(instance, host, Duration::from_millis(600));
}

/// Tries whose keys they are: the host's unless a field is edited.
fn keyboard(instance: &mut Instance, host: Handle) {
    let plugin = unsafe { GetWindow(host, CHILD) };
    unsafe { SetFocus(host) };
    click(instance, host, NOTHING);
    assert_eq!(unsafe { GetFocus() }, host, "a click takes the focus");
    // A host that gives the focus to the plugin's window still gets the keys.
    assert_eq!(typed(instance, host, SPACE), 1, "the host lacks a key");
    click(instance, host, SEARCH);
    assert_eq!(unsafe { GetFocus() }, plugin, "a field does not take the focus");
    assert_eq!(typed(instance, host, SPACE), 0, "the host gets a key of a field");
    assert_eq!(typed(instance, host, ESCAPE), 0, "the host gets the key that ends a field");
    assert_eq!(unsafe { GetFocus() }, host, "a field keeps the focus");
    assert_eq!(typed(instance, host, SPACE), 1, "the host lacks a key after a field");
    println!("the keyboard is the host's unless a field is edited");
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
            work(instance, window, Duration::from_millis(if index == OPENS { 3000 } else { 300 }));
            if index == OPENS {
                keyboard(instance, window);
            }
            assert_eq!(view.removed(), kResultOk);
            drop(view);
            DestroyWindow(window);
        }
        work(instance, std::ptr::null_mut(), Duration::from_millis(100));
    }
    println!("the editor opened and closed {OPENS} times");
}
