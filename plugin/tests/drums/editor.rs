//! The drum separator's window: a network that is dropped, a fader that is dragged, strips in solo; and pictures of it.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr)]

#[path = "../host/mod.rs"]
mod host;

use std::time::{Duration, Instant};

use host::display::Display;
use host::editor::{Editor, MOMENT, play, play_until};
use host::{Instance, Module, loaded_path, network, state};

const DRUMS: usize = 1;
const STEMS: [&str; 5] = ["kick", "snare", "toms", "hihat", "cymbals"];

// Points of the window.
const KICK_FADER: (i16, i16) = (65, 294);
const SNARE_SOLO: (i16, i16) = (214, 180);
const KICK_MUTE: (i16, i16) = (45, 180);
/// The cross of an error.
const DISMISS: (i16, i16) = (916, 72);
/// Where nothing is.
const AWAY: (i16, i16) = (500, 545);

/// Plays drums of a kind: bursts of noise and low tones, for the meters.
fn play_drums(instance: &mut Instance, time: Duration) {
    let start = Instant::now();
    let mut at = 0u32;
    while start.elapsed() < time {
        let sample = |i: u32| {
            let (beat, rest) = (i / 11_025 % 2, (i % 11_025) as f32 / 44_100.0);
            let tone = 0.8 * (-18.0 * rest).exp() * (std::f32::consts::TAU * 60.0 * rest).sin();
            let noise =
                ((i.wrapping_mul(2_654_435_761) >> 8) as f32 / 8_388_608.0 - 1.0) * (-25.0 * rest).exp();
            if beat == 0 { tone } else { 0.5 * noise }
        };
        let block: Vec<f32> = (at..at + 441).map(sample).collect();
        instance.play(&block, &[441]);
        at += 441;
        std::thread::sleep(Duration::from_millis(8));
    }
}

#[test]
fn a_network_is_dropped_a_fader_dragged_and_strips_put_in_solo() {
    let Some(display) = Display::start(2000, 1200) else {
        eprintln!("skipped: Xvfb is not installed");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    // SAFETY: no other thread of this process reads the environment yet.
    unsafe { std::env::set_var("HOME", folder.path()) };
    let module = Module::load();
    let mut instance = module.create_class(DRUMS);
    instance.start(44_100.0, 512);
    let mut editor = Editor::ready(&display, &mut instance, 1);
    assert_eq!((editor.width, editor.height), (960, 560));
    play_drums(&mut instance, 2 * MOMENT);
    editor.save(&display, "drums");

    // A dropped network plays, is kept in the project, and marks it modified; another file changes nothing.
    let path = folder.path().join("a network.safetensors");
    std::fs::write(&path, network(&STEMS, 1)).unwrap();
    editor.drop_file(&display, &mut instance, &path);
    play_until(&mut instance, "the network is kept", |instance| loaded_path(instance, "model") == path);
    let revision = instance.parameter("Revision");
    play_until(&mut instance, "the host is told", |instance| {
        instance.handler.edited.lock().unwrap().contains_key(&revision)
    });
    let amp = folder.path().join("an amp.safetensors");
    std::fs::write(&amp, host::TS9).unwrap();
    editor.drop_file(&display, &mut instance, &amp);
    play(&mut instance, MOMENT);
    editor.save(&display, "drums-error");
    assert_eq!(loaded_path(&instance, "model"), path);
    editor.click(&display, &mut instance, DISMISS);

    let edited = |instance: &Instance, id: &str| {
        let id = instance.parameter(id);
        instance.handler.edited.lock().unwrap().get(&id).copied()
    };
    editor.drag_up(&display, &mut instance, KICK_FADER, 40, |instance| {
        edited(instance, "kick").is_some_and(|value| value > 0.75)
    });
    play(&mut instance, MOMENT);
    let value = edited(&instance, "kick").unwrap();
    assert!((0.76..0.88).contains(&value), "{value}");
    assert_eq!(instance.handler.open_edits.load(std::sync::atomic::Ordering::Relaxed), 0);
    editor.click(&display, &mut instance, SNARE_SOLO);
    editor.click(&display, &mut instance, KICK_MUTE);
    display.point(editor.target(&display), AWAY.0, AWAY.1, false);
    play_drums(&mut instance, 2 * MOMENT);
    editor.save(&display, "drums-solo");
    let saved = state(&instance);
    for (id, on) in [("snare_solo", true), ("kick_mute", true), ("kick_solo", false), ("toms_mute", false)] {
        assert_eq!(saved["params"][id]["bool"], on, "{id}");
    }
    editor.resize(&display, 1920, 1120);
    play_drums(&mut instance, MOMENT);
    editor.save(&display, "drums-2x");
    editor.close(&display);
}
