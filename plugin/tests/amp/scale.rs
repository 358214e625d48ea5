//! Dense screens: the editor's window has the size that the scale factor of the screen, or the host's, makes of it.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr)]

#[path = "../host/mod.rs"]
mod host;

use std::time::{Duration, Instant};

use host::Module;
use host::display::Display;
use host::editor::Editor;

const NORMAL: (u16, u16) = (960, 560);
const DOUBLE: (u16, u16) = (1920, 1120);

/// Runs the host and the window until the window inside has this size.
fn settle(display: &Display, editor: &mut Editor, size: (u16, u16)) {
    let start = Instant::now();
    let mut kept = 0;
    while kept < 10 {
        editor.pump(display);
        std::thread::sleep(Duration::from_millis(20));
        kept = if display.child_size(editor.parent) == size { kept + 1 } else { 0 };
        let now = display.child_size(editor.parent);
        assert!(start.elapsed() < Duration::from_secs(20), "the window is {now:?}, not {size:?}");
    }
}

#[test]
fn the_scale_of_a_host_or_of_the_screen_sizes_the_window() {
    let Some(display) = Display::start(2000, 1200) else {
        eprintln!("skipped: Xvfb is not installed");
        return;
    };
    let module = Module::load();

    // The framework takes a factor only while the editor is open, and refuses it before that.
    let instance = module.create();
    let (mut editor, taken) = Editor::open_scaled(&display, &instance, Some(2.0));
    assert!(!taken);
    settle(&display, &mut editor, NORMAL);
    // The host is asked to make room, each time the factor changes.
    for (scale, size) in [(2.0, DOUBLE), (1.5, (1440, 840)), (1.0, NORMAL), (2.0, DOUBLE)] {
        assert!(editor.set_scale(scale));
        assert_eq!(editor.size(), size);
        settle(&display, &mut editor, size);
        assert_eq!((editor.width, editor.height), size);
    }
    editor.close(&display);
    // The factor is the host's in its next window too.
    let mut again = Editor::open(&display, &instance);
    assert_eq!((again.width, again.height), DOUBLE);
    settle(&display, &mut again, DOUBLE);
    again.close(&display);
    // Some hosts make room by themselves.
    let instance = module.create();
    let mut editor = Editor::open(&display, &instance);
    assert!(editor.set_scale(2.0));
    display.resize(editor.parent, DOUBLE.0, DOUBLE.1);
    settle(&display, &mut editor, DOUBLE);
    editor.close(&display);

    // A CLAP host sets it before it asks for the size.
    let instance = host::clap::Instance::create();
    let size = instance.create_editor(2.0);
    assert_eq!(size, DOUBLE);
    let parent = display.window(size.0, size.1);
    instance.show_editor(parent);
    assert_eq!(display.child_size(parent), DOUBLE);
    instance.destroy_editor();
    display.close(parent);

    // On a dense screen the host makes the window before the plugin knows the factor, and is asked for a larger one.
    display.set_dpi(192);
    let instance = module.create();
    let mut editor = Editor::open(&display, &instance);
    assert_eq!((editor.width, editor.height), NORMAL);
    settle(&display, &mut editor, DOUBLE);
    assert_eq!((editor.width, editor.height), DOUBLE);
    editor.close(&display);
    let mut again = Editor::open(&display, &instance);
    assert_eq!((again.width, again.height), DOUBLE);
    settle(&display, &mut again, DOUBLE);
    again.close(&display);

    // If the host refuses, the whole editor is shown smaller.
    let instance = module.create();
    let mut editor = Editor::open(&display, &instance);
    editor.refuse_sizes();
    settle(&display, &mut editor, NORMAL);
    editor.close(&display);
}
