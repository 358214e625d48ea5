//! The editor on a screen without a monitor, in a host that plays meanwhile: pictures, a turned knob, a dropped model.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr)]

#[path = "host/display.rs"]
mod display;
mod host;
#[path = "host/view.rs"]
mod view;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use display::Display;
use host::{Instance, Module, noise};
use view::Editor;

/// Plays noise as a host does, in real time.
fn play(instance: &mut Instance, time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        instance.play(&noise(480, 0.1), &[480]);
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Where the knob of the input gain and the tuner's button are, in points.
const GAIN: (i16, i16) = (362, 222);
const TUNER: (i16, i16) = (916, 24);

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

fn screenshot(name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
    target.join(format!("{name}.ppm"))
}

/// The JSON that the plugin keeps in a project beside its parameters.
fn session(instance: &Instance) -> serde_json::Value {
    let state: serde_json::Value = serde_json::from_slice(&instance.state()).unwrap();
    serde_json::from_str(state["fields"]["session"].as_str().unwrap()).unwrap()
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
    let Some(display) = Display::start(2000, 1200) else {
        eprintln!("skipped: Xvfb is not installed");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    // SAFETY: no other thread of this process reads the environment yet.
    unsafe { std::env::set_var("XDG_CONFIG_HOME", folder.path()) };
    let module = Module::load();
    let mut instance = module.create();
    instance.start(48_000.0, 512);
    let moment = Duration::from_millis(1500);

    let mut editor = Editor::open(&display, &instance);
    play(&mut instance, 2 * moment);
    display.save(editor.width, editor.height, &screenshot("empty"));
    let target = display.target(editor.parent);

    // A model that is dropped plays, is kept in the project, and tells the host that the project has changed.
    let amps = folder.path().join("amps");
    std::fs::create_dir(&amps).unwrap();
    for name in ["ts9", "crunch", "screamer"].map(|name| format!("{name}.safetensors")) {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python/neurdsp/amp/shipped");
        std::fs::copy(shipped.join(&name), amps.join(&name)).unwrap();
    }
    let model = amps.join("ts9.safetensors");
    display.drop_file(target, &model, || play(&mut instance, Duration::from_millis(10)));
    play(&mut instance, moment);
    assert_eq!(session(&instance)["model"]["path"], model.to_str().unwrap());
    let revision = instance.parameter("Revision");
    assert!(instance.handler.edited.lock().unwrap().contains_key(&revision));

    // A folder is browsed, now and in the next project.
    display.drop_file(target, &amps, || play(&mut instance, Duration::from_millis(10)));
    play(&mut instance, moment);
    let memory = std::fs::read_to_string(folder.path().join("neurdsp/plugin.json")).unwrap();
    assert!(memory.contains(amps.to_str().unwrap()), "{memory}");

    let response = cabinet(folder.path());
    display.drop_file(target, &response, || play(&mut instance, Duration::from_millis(10)));
    play(&mut instance, moment);
    assert_eq!(session(&instance)["cabinet"]["path"], response.to_str().unwrap());
    // Away from the list, whose hints name paths.
    display.point(target, 600, 115, false);
    play(&mut instance, moment);
    display.save(editor.width, editor.height, &screenshot("model"));
    editor.resize(&display, 1920, 1120);
    play(&mut instance, moment);
    assert_eq!((editor.width, editor.height), (1920, 1120));
    display.save(editor.width, editor.height, &screenshot("model-2x"));
    editor.resize(&display, 960, 560);

    // What is no model leaves the one that plays, and says so.
    let broken = folder.path().join("broken.nam");
    std::fs::write(&broken, "{}").unwrap();
    display.drop_file(target, &broken, || play(&mut instance, Duration::from_millis(10)));
    play(&mut instance, moment);
    assert_eq!(session(&instance)["model"]["path"], model.to_str().unwrap());
    display.save(editor.width, editor.height, &screenshot("error"));

    // A knob that is dragged turns while sound plays. A busy machine may show it late.
    let (x, y) = GAIN;
    let id = instance.parameter("Input");
    display.point(target, x, y, false);
    play(&mut instance, Duration::from_millis(300));
    display.button(target, x, y, true);
    play(&mut instance, Duration::from_millis(300));
    let turned = |instance: &Instance| instance.handler.edited.lock().unwrap().get(&id).copied();
    for step in 1..=100 {
        display.point(target, x, y - 4 * step.min(9), true);
        play(&mut instance, Duration::from_millis(50));
        if step > 9 && turned(&instance).is_some_and(|gain| gain > 0.65) {
            break;
        }
    }
    display.button(target, x, y - 36, false);
    play(&mut instance, moment);
    // 36 of the 180 points of the whole range, less the first few, which tell a drag from a click.
    let gain = turned(&instance).unwrap();
    assert!((0.65..0.701).contains(&gain), "{gain}");
    assert_eq!(instance.handler.open_edits.load(std::sync::atomic::Ordering::Relaxed), 0);
    let state: serde_json::Value = serde_json::from_slice(&instance.state()).unwrap();
    let input_db = state["params"]["input"]["f32"].as_f64().unwrap();
    assert!((input_db - (48.0 * gain - 24.0)).abs() < 0.06, "{input_db} dB");

    let (x, y) = TUNER;
    display.point(target, x, y, false);
    display.button(target, x, y, true);
    play(&mut instance, Duration::from_millis(100));
    display.button(target, x, y, false);
    play_tone(&mut instance, moment);
    display.save(editor.width, editor.height, &screenshot("tuner"));
    editor.close(&display);
}
