//! A preset that the editor of version 0.1.0 wrote, loaded by the editor: dropped on its window.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr)]

#[path = "../host/mod.rs"]
mod host;

use host::display::Display;
use host::editor::{Editor, play_until};
use host::{Module, model_path, state};

const PRESET: &[u8] = include_bytes!("../frozen/lead.vstpreset");
const PROJECT: &[u8] = include_bytes!("../frozen/project.vst3.json");

/// Parameters that the editor leaves alone: knobs that the model does not have, and the count of loaded files.
const APART: [&str; 7] = ["knob3", "knob4", "knob5", "knob6", "knob7", "knob8", "revision"];

/// Whether two values of a parameter are the same; a host sets them normalised, which rounds numbers.
fn is_same(value: &serde_json::Value, frozen: &serde_json::Value) -> bool {
    match (value["f32"].as_f64(), frozen["f32"].as_f64()) {
        (Some(value), Some(frozen)) => (value - frozen).abs() < 1e-5,
        _ => value == frozen,
    }
}

#[test]
fn a_frozen_preset_that_is_dropped_sets_every_value_and_both_files() {
    let Some(display) = Display::start(1000, 600) else {
        eprintln!("skipped: Xvfb is not installed");
        return;
    };
    let home = tempfile::tempdir().unwrap();
    // SAFETY: no other thread of this process reads the environment yet.
    unsafe {
        std::env::set_var("XDG_CONFIG_HOME", home.path());
        std::env::set_var("HOME", home.path());
    }
    let path = home.path().join("lead.vstpreset");
    std::fs::write(&path, PRESET).unwrap();
    let module = Module::load();
    let mut instance = module.create();
    instance.start(48_000.0, 512);
    let editor = Editor::ready(&display, &mut instance, 1);
    editor.drop_file(&display, &mut instance, &path);

    let frozen: serde_json::Value = serde_json::from_slice(PROJECT).unwrap();
    play_until(&mut instance, "the preset is loaded", |instance| {
        model_path(instance).ends_with("tiny.safetensors")
            && frozen["params"].as_object().unwrap().iter().all(|(id, value)| {
                APART.contains(&id.as_str()) || is_same(&state(instance)["params"][id], value)
            })
    });
    let session = |state: &serde_json::Value| -> serde_json::Value {
        serde_json::from_str(state["fields"]["session"].as_str().unwrap()).unwrap()
    };
    assert_eq!(session(&state(&instance)), session(&frozen));
    editor.close(&display);
}
