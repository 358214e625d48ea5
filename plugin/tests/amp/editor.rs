//! The editor on a screen without a monitor, in a host that plays: screenshots, a turned knob, dropped files.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../host/mod.rs"]
mod host;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use host::display::Display;
use host::editor::{Editor, MOMENT, play, play_until};
use host::stage::{Stage, shipped};
use host::{Instance, loaded_path, model_path, state};

/// The knob of the input gain, and the tuner's button, in points.
const GAIN: (i16, i16) = (382, 232);
const TUNER: (i16, i16) = (912, 24);
/// The tuner's arrow to a higher reference pitch.
const HIGHER: (i16, i16) = (491, 504);
/// The cross of an error.
const DISMISS: (i16, i16) = (917, 71);

/// Plays a low E, a little sharp.
fn play_tone(instance: &mut Instance, time: Duration) {
    let start = Instant::now();
    let mut at = 0u32;
    while start.elapsed() < time {
        let phase = |i: u32| std::f32::consts::TAU * (82.6 * i as f32 / 48_000.0).fract();
        let tone: Vec<f32> =
            (at..at + 480).map(|i| 0.2 * phase(i).sin() + 0.1 * (2.0 * phase(i)).sin()).collect();
        instance.play(&tone, &[480]);
        at += 480;
        std::thread::sleep(Duration::from_millis(8));
    }
}

fn cabinet(folder: &Path) -> PathBuf {
    let path = folder.join("open back.wav");
    let data: Vec<u8> = (0..480).flat_map(|i| ((30_000 - 60 * i) as i16).to_le_bytes()).collect();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(48_000u32.to_le_bytes());
    file.extend(96_000u32.to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    std::fs::write(&path, file).unwrap();
    path
}

#[test]
fn the_editor_shows_plays_and_takes_files() {
    let Some(Stage { display, home, module, mut instance }) = Stage::start(2000, 1200) else { return };
    let mut editor = Editor::ready(&display, &mut instance, 1);
    play(&mut instance, MOMENT);
    editor.save(&display, "empty");

    // A dropped model plays, is kept in the project, and marks the project modified.
    let amps = home.path().join("amps");
    std::fs::create_dir(&amps).unwrap();
    for name in ["ts9", "crunch", "screamer"] {
        std::fs::copy(shipped(name), amps.join(format!("{name}.safetensors"))).unwrap();
    }
    // Names in other scripts, with emoji, and longer than their place.
    for name in
        ["漢字のアンプ 🎸", "Überdrive à Tröte", "A very long name of an amp that ends with channel 2"]
    {
        let named = amps.join(format!("{name}.safetensors"));
        std::fs::copy(amps.join("ts9.safetensors"), named).unwrap();
    }
    let model = amps.join("ts9.safetensors");
    editor.drop_file(&display, &mut instance, &model);
    play_until(&mut instance, "the model is kept", |instance| model_path(instance) == model);
    let revision = instance.parameter("Revision");
    assert!(instance.handler.edited.lock().unwrap().contains_key(&revision));

    // A folder is browsed, now and in the next project.
    let memory = home.path().join("neurdsp/plugin.json");
    editor.drop_file(&display, &mut instance, &amps);
    play_until(&mut instance, "the folder is remembered", |_| {
        std::fs::read_to_string(&memory).is_ok_and(|memory| memory.contains(amps.to_str().unwrap()))
    });

    let response = cabinet(home.path());
    editor.drop_file(&display, &mut instance, &response);
    play_until(&mut instance, "the cabinet is kept", |i| loaded_path(i, "cabinet") == response);
    // Away from the list, whose tooltips show paths.
    display.point(editor.target(&display), 600, 115, false);
    play(&mut instance, MOMENT);
    editor.save(&display, "model");
    editor.resize(&display, 1920, 1120);
    assert_eq!((editor.width, editor.height), (1920, 1120));
    play(&mut instance, MOMENT);
    editor.save(&display, "model-2x");
    editor.resize(&display, 960, 560);
    play(&mut instance, MOMENT);

    // A file that is no model is refused in words, and the model plays on.
    let broken = home.path().join("broken.nam");
    std::fs::write(&broken, "{}").unwrap();
    editor.drop_file(&display, &mut instance, &broken);
    play(&mut instance, MOMENT);
    assert_eq!(model_path(&instance), model);
    editor.save(&display, "error");

    // The banner is red until it is dismissed, and the list is still that of the folder.
    let is_red = |display: &Display| {
        let (picture, at) = (display.picture(960, 100), 3 * (960 * 98 + 600));
        i32::from(picture[at]) > i32::from(picture[at + 1]) + 20
    };
    assert!(is_red(&display));
    editor.click(&display, &mut instance, DISMISS);
    play(&mut instance, MOMENT);
    assert!(!is_red(&display));
    let listed = std::fs::read_to_string(&memory).unwrap();
    assert!(listed.contains(amps.to_str().unwrap()), "{listed}");

    // A dragged knob turns while sound plays.
    let id = instance.parameter("Input");
    let turned = |instance: &Instance| instance.handler.edited.lock().unwrap().get(&id).copied();
    editor.drag_up(&display, &mut instance, GAIN, 36, |instance| {
        turned(instance).is_some_and(|gain| gain > 0.65)
    });
    play(&mut instance, MOMENT);
    // 36 of the 180 points of the whole range, less the first few, which distinguish a drag from a click.
    let gain = turned(&instance).unwrap();
    assert!((0.65..0.701).contains(&gain), "{gain}");
    assert_eq!(instance.handler.open_edits.load(std::sync::atomic::Ordering::Relaxed), 0);
    let input_db = state(&instance)["params"]["input"]["f32"].as_f64().unwrap();
    assert!((input_db - (48.0 * gain - 24.0)).abs() < 0.06, "{input_db} dB");

    editor.click(&display, &mut instance, TUNER);
    play_tone(&mut instance, MOMENT);
    editor.save(&display, "tuner");

    // Its reference pitch is remembered, and the next project goes on from there.
    let reference_hz = || {
        let memory: Option<serde_json::Value> =
            std::fs::read(&memory).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        memory.and_then(|memory| memory["reference_hz"].as_f64())
    };
    assert_eq!(reference_hz(), None);
    for expected in [441.0, 442.0] {
        editor.click(&display, &mut instance, HIGHER);
        play_until(&mut instance, "the pitch is remembered", |_| reference_hz() == Some(expected));
    }
    editor.close(&display);
    drop(instance);
    let mut next = module.create();
    next.start(48_000.0, 512);
    let editor = Editor::ready(&display, &mut next, 1);
    play(&mut next, MOMENT);
    editor.click(&display, &mut next, TUNER);
    play(&mut next, MOMENT);
    editor.click(&display, &mut next, HIGHER);
    play_until(&mut next, "the pitch is raised further", |_| reference_hz() == Some(443.0));
    let kept = std::fs::read_to_string(&memory).unwrap();
    assert!(kept.contains(amps.to_str().unwrap()), "{kept}");
    editor.close(&display);
}
