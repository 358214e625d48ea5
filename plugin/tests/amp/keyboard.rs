//! Whose keys they are, in a host that counts its own: the plugin's while a field is edited, and otherwise the host's, with the
//! pointer over the plugin's window too. Keys and clicks come from the keyboard and the mouse themselves, so the server decides.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../host/mod.rs"]
mod host;

use std::time::Duration;

use host::display::Display;
use host::editor::{Editor, MOMENT, play, play_until};
use host::stage::Stage;
use host::{Instance, state};

/// Points of the window: the field that searches, one that nothing is at, the knob of the input gain, and its value.
const SEARCH: (i16, i16) = (110, 94);
const NOTHING: (i16, i16) = (500, 545);
const GAIN: (i16, i16) = (382, 232);
const GAIN_VALUE: (i16, i16) = (382, 275);

const SPACE: u32 = 0x20;
const ESCAPE: u32 = 0xff1b;
const ENTER: u32 = 0xff0d;
const Z: u32 = b'z' as u32;
const S: u32 = b's' as u32;

fn click(display: &Display, instance: &mut Instance, (x, y): (i16, i16)) {
    display.mouse(x, y);
    play(instance, Duration::from_millis(150));
    for pressed in [true, false] {
        display.mouse_button(pressed);
        play(instance, Duration::from_millis(150));
    }
    play(instance, Duration::from_millis(300));
}

/// Types a letter, space, Ctrl+Z and Ctrl+S; returns what the host has got of it.
fn typed(display: &Display, instance: &mut Instance) -> Vec<u32> {
    display.keys_of_host();
    for (symbol, ctrl) in [(u32::from(b't'), false), (SPACE, false), (Z, true), (S, true)] {
        display.type_key(symbol, ctrl);
        play(instance, Duration::from_millis(60));
    }
    play(instance, Duration::from_millis(400));
    display.keys_of_host()
}

#[test]
fn keys_are_the_hosts_unless_a_field_is_edited() {
    let Some(Stage { display, home: _home, module: _module, mut instance }) = Stage::start(1000, 600) else {
        return;
    };
    let editor = Editor::ready(&display, &mut instance, 1);
    let host = display.host_around(editor.parent, editor.width, editor.height);
    play(&mut instance, MOMENT);
    let all = vec![u32::from(b't'), SPACE, Z, S];
    let none: Vec<u32> = Vec::new();

    // The pointer is over the window, before and after clicks on it and a drag of a knob.
    display.mouse(NOTHING.0, NOTHING.1);
    assert_eq!(typed(&display, &mut instance), all);
    click(&display, &mut instance, NOTHING);
    assert_eq!(typed(&display, &mut instance), all);
    click(&display, &mut instance, GAIN);
    assert_eq!((typed(&display, &mut instance), display.focused()), (all.clone(), host));

    // A field that is edited takes them all, until Escape, Enter, or a click elsewhere.
    let target = editor.target(&display);
    for end in [Some(ESCAPE), Some(ENTER), None] {
        click(&display, &mut instance, SEARCH);
        assert_eq!(display.focused(), target, "{end:?}");
        assert_eq!(typed(&display, &mut instance), none);
        editor.save(&display, "keyboard");
        match end {
            Some(symbol) => display.type_key(symbol, false),
            None => click(&display, &mut instance, NOTHING),
        }
        play(&mut instance, MOMENT);
        assert_eq!(display.keys_of_host(), none, "the key that ends it is no key of the host");
        assert_eq!(display.focused(), host, "{end:?}");
        assert_eq!(typed(&display, &mut instance), all, "{end:?}");
    }

    // A value that is typed, with a decimal comma.
    click(&display, &mut instance, GAIN_VALUE);
    assert_eq!(display.focused(), target);
    for symbol in [b'3', b',', b'5'] {
        display.type_key(u32::from(symbol), false);
        play(&mut instance, Duration::from_millis(80));
    }
    display.type_key(ENTER, false);
    let input_db = |instance: &Instance| state(instance)["params"]["input"]["f32"].as_f64().unwrap();
    play_until(&mut instance, "the value is set", |instance| (input_db(instance) - 3.5).abs() < 1e-6);
    play(&mut instance, MOMENT);
    assert_eq!((typed(&display, &mut instance), display.focused()), (all.clone(), host));

    // The host takes the keyboard from a field.
    click(&display, &mut instance, SEARCH);
    assert_eq!(display.focused(), target);
    display.focus(host);
    play(&mut instance, MOMENT);
    assert_eq!(typed(&display, &mut instance), all);

    // The window closes while a field is edited.
    click(&display, &mut instance, SEARCH);
    assert_eq!(display.focused(), target);
    editor.close(&display);
    play(&mut instance, MOMENT);
    assert_eq!((typed(&display, &mut instance), display.focused()), (all, host));
}
