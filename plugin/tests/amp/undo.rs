//! Undo in the editor: one step for a gesture, one for a file that was loaded, none for what the host automates.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../host/mod.rs"]
mod host;

use host::editor::{Editor, MOMENT, play, play_until};
use host::stage::{Stage, shipped};
use host::{Instance, loaded_path, model_path, state};

/// Points of the window: the buttons, the knob of the input gain, the first knob of the model, and the arrow to the next cabinet.
const UNDO: (i16, i16) = (132, 24);
const REDO: (i16, i16) = (196, 24);
const GAIN: (i16, i16) = (382, 232);
const KNOB: (i16, i16) = (690, 235);
const NEXT_CABINET: (i16, i16) = (679, 363);

fn value(instance: &Instance, id: &str) -> f64 {
    state(instance)["params"][id]["f32"].as_f64().unwrap()
}

#[test]
fn gestures_and_loaded_files_are_undone_one_by_one_and_automation_is_not() {
    let Some(Stage { display, home: _home, module: _module, mut instance }) = Stage::start(1000, 600) else {
        return;
    };
    let editor = Editor::ready(&display, &mut instance, 1);
    let click = |instance: &mut Instance, at| {
        editor.click(&display, instance, at);
        play(instance, MOMENT);
    };

    // Two drags of one knob, and automation between and after them.
    let (input, bass) = ("input", "bass");
    editor.drag_up(&display, &mut instance, GAIN, 36, |instance| value(instance, input) > 7.0);
    let first = value(&instance, input);
    for step in 0..30 {
        instance.automate("Bass", &[(0, 0.3 + 0.01 * f64::from(step))]);
        play(&mut instance, std::time::Duration::from_millis(40));
    }
    editor.drag_up(&display, &mut instance, GAIN, 36, |instance| value(instance, input) > first + 7.0);
    let second = value(&instance, input);
    assert!(first > 7.0 && second > first + 7.0, "{first} {second}");
    instance.automate("Bass", &[(0, 0.75)]);
    play(&mut instance, MOMENT);
    let automated = value(&instance, bass);
    assert!((automated - 10.0).abs() < 0.1, "{automated}");

    for expected in [first, 0.0] {
        click(&mut instance, UNDO);
        assert!((value(&instance, input) - expected).abs() < 0.06, "{}", value(&instance, input));
    }
    // Nothing is left to undo: the automation is where it was.
    click(&mut instance, UNDO);
    assert!((value(&instance, input)).abs() < 0.06 && (value(&instance, bass) - automated).abs() < 1e-3);
    click(&mut instance, REDO);
    assert!((value(&instance, input) - first).abs() < 0.06);

    // A model with a turned knob, and another model after it.
    editor.drop_file(&display, &mut instance, &shipped("crunch"));
    play_until(&mut instance, "the model plays", |instance| model_path(instance) == shipped("crunch"));
    play(&mut instance, MOMENT);
    let maker = value(&instance, "knob1");
    editor.drag_up(&display, &mut instance, KNOB, 36, |instance| value(instance, "knob1") > maker + 0.15);
    let turned = value(&instance, "knob1");
    assert!(turned > maker + 0.15, "{maker} {turned}");
    editor.drop_file(&display, &mut instance, &shipped("screamer"));
    play_until(&mut instance, "the other model plays", |instance| {
        model_path(instance) == shipped("screamer")
    });
    play(&mut instance, MOMENT);
    editor.save(&display, "undo");
    assert!((value(&instance, "knob1") - turned).abs() > 0.01);

    // One step brings the model back with its knob, the next one turns the knob back, and the one after that takes the model.
    click(&mut instance, UNDO);
    play_until(&mut instance, "the model is back", |instance| model_path(instance) == shipped("crunch"));
    play(&mut instance, MOMENT);
    assert!((value(&instance, "knob1") - turned).abs() < 1e-4, "{}", value(&instance, "knob1"));
    click(&mut instance, UNDO);
    assert!((value(&instance, "knob1") - maker).abs() < 1e-4, "{}", value(&instance, "knob1"));
    assert_eq!(model_path(&instance), shipped("crunch"));
    click(&mut instance, UNDO);
    play_until(&mut instance, "no model plays", |instance| model_path(instance).as_os_str().is_empty());
    assert!((value(&instance, input) - first).abs() < 0.06);

    // All of it comes back, one by one.
    click(&mut instance, REDO);
    play_until(&mut instance, "the model is back", |instance| model_path(instance) == shipped("crunch"));
    play(&mut instance, MOMENT);
    click(&mut instance, REDO);
    assert!((value(&instance, "knob1") - turned).abs() < 1e-4, "{}", value(&instance, "knob1"));
    click(&mut instance, REDO);
    play_until(&mut instance, "the other model plays", |instance| {
        model_path(instance) == shipped("screamer")
    });

    // A cabinet is a step too.
    click(&mut instance, NEXT_CABINET);
    let cabinet = |instance: &Instance| loaded_path(instance, "cabinet");
    play_until(&mut instance, "a cabinet plays", |instance| cabinet(instance).starts_with("shipped"));
    play(&mut instance, MOMENT);
    click(&mut instance, UNDO);
    play_until(&mut instance, "no cabinet plays", |instance| cabinet(instance).as_os_str().is_empty());
    editor.close(&display);
}
