//! The window of the plugin `pulse` of `bundle.rs`, made of the shared parts, on a screen without a monitor.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr)]

mod host;

use std::path::PathBuf;

use host::display::Display;
use host::editor::{Editor, MOMENT, play, play_until};
use host::{Instance, Module, more_plugins, state};

/// The knob, in points.
const LEVEL: (i16, i16) = (110, 150);
/// The name of the preset, and the field of the list below it while it has no presets.
const NAME: (i16, i16) = (370, 24);
const FIELD: (i16, i16) = (340, 130);
const ENTER: u32 = 0xff0d;

/// The path of the file in the plugin's state.
fn file(instance: &Instance) -> PathBuf {
    let file = state(instance)["fields"]["file"].as_str().unwrap().to_owned();
    let file: serde_json::Value = serde_json::from_str(&file).unwrap();
    file["path"].as_str().unwrap_or_default().into()
}

#[test]
fn it_loads_a_file_turns_its_knob_and_recalls_a_preset() {
    let Some(display) = Display::start(1000, 600) else {
        eprintln!("skipped: Xvfb is not installed");
        return;
    };
    let home = tempfile::tempdir().unwrap();
    // SAFETY: no other thread of this process reads the environment yet.
    unsafe { std::env::set_var("HOME", home.path()) };
    let module = Module::open(more_plugins());
    let mut instance = module.create_class(4);
    instance.start(48_000.0, 512);
    let editor = Editor::ready(&display, &mut instance, 1);
    assert_eq!((editor.width, editor.height), (640, 320));

    // A dropped file is loaded, and marks the project modified; one that is no number changes nothing.
    let [seven, three, words] = [("seven", "7"), ("three", "3"), ("words", "loud")].map(|(name, content)| {
        let path = home.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    });
    let edited = |instance: &Instance, title: &str| {
        let id = instance.parameter(title);
        instance.handler.edited.lock().unwrap().get(&id).copied()
    };
    editor.drop_file(&display, &mut instance, &seven);
    play_until(&mut instance, "the file is loaded", |instance| file(instance) == seven);
    play_until(&mut instance, "the host is told", |instance| edited(instance, "Revision").is_some());
    editor.drop_file(&display, &mut instance, &words);
    play(&mut instance, MOMENT);
    assert_eq!(file(&instance), seven);
    editor.save(&display, "second-plugin");

    // 36 of the 180 points of the whole range, less the first few, which distinguish a drag from a click.
    editor.drag_up(&display, &mut instance, LEVEL, 36, |instance| {
        edited(instance, "Level").is_some_and(|level| level > 0.65)
    });
    let level = edited(&instance, "Level").unwrap();
    assert!((0.65..0.701).contains(&level), "{level}");

    // A preset is saved in the plugin's own folder, and brings back both.
    editor.click(&display, &mut instance, NAME);
    editor.click(&display, &mut instance, FIELD);
    play(&mut instance, MOMENT);
    for letter in b"loud" {
        editor.key(&display, &mut instance, u32::from(*letter), false);
    }
    editor.key(&display, &mut instance, ENTER, false);
    let preset = home.path().join(".vst3/presets/neurdsp/pulse/loud.vstpreset");
    play_until(&mut instance, "the preset is written", |_| preset.is_file());
    editor.drop_file(&display, &mut instance, &three);
    play_until(&mut instance, "the other file is loaded", |instance| file(instance) == three);
    instance.automate("Level", &[(0, 0.1)]);
    play(&mut instance, MOMENT);
    editor.drop_file(&display, &mut instance, &preset);
    play_until(&mut instance, "the preset is recalled", |instance| file(instance) == seven);
    play(&mut instance, MOMENT);
    let recalled = state(&instance)["params"]["level"]["f32"].as_f64().unwrap();
    assert!((recalled - level).abs() < 1e-6, "{recalled}");
    editor.close(&display);
}
