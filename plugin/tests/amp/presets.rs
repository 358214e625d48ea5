//! Knobs of a model and presets in the editor, on a screen without a monitor, in a host that plays.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../host/mod.rs"]
mod host;

use std::path::Path;

use host::editor::{Editor, MOMENT, play, play_until};
use host::stage::{Stage, shipped};
use host::{loaded_path, model_path, state};
use neurdsp_models::{ModelFile, Tensor};

/// Points of the window: the first knob of the model, the name of the preset, and the arrow to the previous one.
const GAIN: (i16, i16) = (680, 240);
const NAME: (i16, i16) = (450, 24);
const PREVIOUS: (i16, i16) = (338, 24);
/// In the list of presets: its field, and a line, with the cross and the button that confirms at its right end.
const FIELD: (i16, i16) = (440, 414);
const CROSS: i16 = 640;
const DELETE: i16 = 575;
/// The last of eight knobs.
const MASTER: (i16, i16) = (862, 286);

const ENTER: u32 = 0xff0d;

/// The middle of a line of the list of presets; headings are lines too.
fn line(index: i16) -> (i16, i16) {
    (450, 67 + 26 * index)
}

/// A file of `crunch` with six more knobs, which have no effect.
fn eight_knobs(folder: &Path) -> std::path::PathBuf {
    let mut file = ModelFile::read(shipped("crunch")).unwrap();
    let more = ["bass", "middle", "treble", "presence", "low_cut", "master"];
    let named: String =
        more.iter().map(|name| format!(r#", {{"name": "{name}", "default": 0.5}}"#)).collect();
    let config = &file.metadata["neurdsp.config"];
    let config = config.replacen("}], \"hidden\"", &format!("}}{named}], \"hidden\""), 1);
    file.metadata.insert("neurdsp.config".to_owned(), config);
    let weight = &file.tensors["knobs.hidden.weight"];
    let values = weight.to_f32("knobs.hidden.weight").unwrap();
    let rows = values.chunks_exact(2).flat_map(|row| [row[0], row[1], 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let wider = Tensor::new(vec![weight.shape[0], 8], rows.collect()).unwrap();
    file.tensors.insert("knobs.hidden.weight".to_owned(), wider);
    let path = folder.join("eight.safetensors");
    file.write(&path).unwrap();
    path
}

#[test]
fn knobs_turn_and_presets_are_saved_listed_recalled_and_deleted() {
    let Some(Stage { display, home, module: _module, mut instance }) = Stage::start(2000, 1200) else {
        return;
    };
    let folder = home.path().join(".vst3/presets/neurdsp/neurdsp");
    let editor = Editor::ready(&display, &mut instance, 1);

    // A model that is loaded by hand has its knobs where its maker left them, and the host is told.
    editor.drop_file(&display, &mut instance, &shipped("crunch"));
    let gain = instance.parameter("knob1");
    let edited = |instance: &host::Instance| instance.handler.edited.lock().unwrap().get(&gain).copied();
    play_until(&mut instance, "the host is told of the knobs", |instance| edited(instance).is_some());
    assert!((edited(&instance).unwrap() - 0.411_765).abs() < 1e-6);

    // Its knob is dragged while sound plays.
    editor.drag_up(&display, &mut instance, GAIN, 36, |instance| {
        edited(instance).is_some_and(|gain| gain > 0.58)
    });
    let turned = edited(&instance).unwrap();
    // 36 of the 180 points of the whole range, less the first few, which distinguish a drag from a click.
    assert!((0.56..0.613).contains(&turned), "{turned}");
    let kept = state(&instance)["params"]["knob1"]["f32"].as_f64().unwrap();
    assert!((kept - turned).abs() < 1e-6, "{kept}");
    editor.save(&display, "knobs");

    // Saved under a name that is typed.
    editor.click(&display, &mut instance, NAME);
    play(&mut instance, MOMENT);
    editor.save(&display, "presets");
    editor.click(&display, &mut instance, FIELD);
    play(&mut instance, MOMENT);
    for letter in b"lead" {
        editor.key(&display, &mut instance, u32::from(*letter), false);
    }
    play(&mut instance, MOMENT);
    editor.save(&display, "preset-saved");
    editor.key(&display, &mut instance, ENTER, false);
    let lead = folder.join("lead.vstpreset");
    play_until(&mut instance, "the preset is written", |_| lead.is_file());

    // A damaged preset, and another model.
    std::fs::write(folder.join("broken.vstpreset"), "VST3").unwrap();
    editor.drop_file(&display, &mut instance, &shipped("ts9"));
    play_until(&mut instance, "the other model plays", |instance| model_path(instance) == shipped("ts9"));

    // Recalled from the list: the model is back, and its knob.
    editor.click(&display, &mut instance, NAME);
    play(&mut instance, MOMENT);
    editor.click(&display, &mut instance, line(2));
    play_until(&mut instance, "the preset is recalled", |instance| model_path(instance) == shipped("crunch"));
    let recalled = state(&instance)["params"]["knob1"]["f32"].as_f64().unwrap();
    assert!((recalled - turned).abs() < 1e-6, "{recalled}");

    // The one before it is damaged: it is refused in words and changes nothing.
    play(&mut instance, MOMENT);
    let before = state(&instance)["params"].clone();
    editor.click(&display, &mut instance, PREVIOUS);
    play(&mut instance, MOMENT);
    editor.save(&display, "preset-error");
    assert_eq!(state(&instance)["params"], before);
    assert_eq!(model_path(&instance), shipped("crunch"));

    // Deleted, once it is confirmed.
    editor.click(&display, &mut instance, NAME);
    play(&mut instance, MOMENT);
    editor.click(&display, &mut instance, (CROSS, line(2).1));
    play(&mut instance, MOMENT);
    editor.save(&display, "preset-delete");
    assert!(lead.is_file());
    editor.click(&display, &mut instance, (DELETE, line(2).1));
    play_until(&mut instance, "the preset is deleted", |_| !lead.is_file());

    // The first of those that come with the plugin: a shipped amp through a shipped cabinet.
    play(&mut instance, MOMENT);
    editor.click(&display, &mut instance, line(3));
    let clean = Path::new("shipped/clean");
    play_until(&mut instance, "the factory preset is recalled", |instance| model_path(instance) == clean);
    let cabinet = loaded_path(&instance, "cabinet");
    assert_eq!(cabinet, Path::new("shipped/1x12 open back.wav"));
    play(&mut instance, MOMENT);
    editor.save(&display, "factory");
    editor.close(&display);

    // Each of many knobs has a place and a parameter of its own.
    let eight = eight_knobs(home.path());
    let editor = Editor::ready(&display, &mut instance, 1);
    editor.drop_file(&display, &mut instance, &eight);
    play_until(&mut instance, "the model of eight knobs plays", |instance| model_path(instance) == eight);
    play(&mut instance, MOMENT);
    editor.save(&display, "knobs-8");
    let last = instance.parameter("knob8");
    let of_last = |instance: &host::Instance| instance.handler.edited.lock().unwrap().get(&last).copied();
    editor.drag_up(&display, &mut instance, MASTER, 36, |instance| {
        of_last(instance).is_some_and(|at| at > 0.65)
    });
    let turned = of_last(&instance).unwrap();
    assert!((0.65..0.701).contains(&turned), "{turned}");
    editor.close(&display);

    // The list, with a preset of one's own.
    std::fs::write(&lead, std::fs::read(folder.join("broken.vstpreset")).unwrap()).unwrap();
    let large = Editor::ready(&display, &mut instance, 2);
    large.click(&display, &mut instance, (2 * NAME.0, 2 * NAME.1));
    play(&mut instance, MOMENT);
    large.save(&display, "presets-2x");
    large.close(&display);
}
