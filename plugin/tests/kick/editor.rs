//! The kick instrument's window: words that are clicked, a variation that is taken, undo; and pictures of it.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr)]

#[path = "../host/mod.rs"]
mod host;

use std::time::{Duration, Instant};

use host::display::Display;
use host::editor::{Editor, MOMENT, play, play_until};
use host::{Instance, Module, Press, codes, generated_by, loaded_path, own_generator, rendered, state};

const KICK: usize = 3;

// Points of the window.
const DEEP: (i16, i16) = (60, 251);
const PUNCHY: (i16, i16) = (385, 251);
const FLAT: (i16, i16) = (385, 281);
const GENERATE: (i16, i16) = (82, 336);
const CELL_6: (i16, i16) = (808, 515);
const UNDO: (i16, i16) = (190, 24);
const DISMISS: (i16, i16) = (916, 72);
const SHIPPED: (i16, i16) = (528, 220);
const TUNE: (i16, i16) = (66, 468);
const WAVEFORM: (i16, i16) = (300, 130);
/// Where nothing is.
const AWAY: (i16, i16) = (500, 573);

/// Plays four to the floor.
fn play_beats(instance: &mut Instance, time: Duration) {
    let start = Instant::now();
    let mut at = 0;
    while start.elapsed() < time {
        let hits: &[Press] =
            if at % 44 == 0 { &[Press { at: 0, key: 36, velocity: Some(1.0) }] } else { &[] };
        instance.play_instrument(480, &[480], hits);
        at += 1;
        std::thread::sleep(Duration::from_millis(9));
    }
}

#[test]
fn words_make_a_kick_a_variation_is_taken_and_undone() {
    let Some(display) = Display::start(2000, 1200) else {
        eprintln!("skipped: Xvfb is not installed");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    // SAFETY: no other thread of this process reads the environment yet.
    unsafe {
        std::env::set_var("HOME", folder.path());
        std::env::set_var("TMPDIR", folder.path());
    }
    let module = Module::load();
    let mut instance = module.create_class(KICK);
    instance.start(48_000.0, 512);
    let mut editor = Editor::ready(&display, &mut instance, 1);
    assert_eq!((editor.width, editor.height), (960, 588));

    // A click on a word asks for it, two for its contrary.
    let first = codes(&instance);
    for at in [DEEP, PUNCHY, FLAT, FLAT] {
        editor.click(&display, &mut instance, at);
    }
    let wish =
        |instance: &Instance, id: &str| state(instance)["params"][id]["string"].as_str().unwrap().to_owned();
    play(&mut instance, MOMENT);
    assert_eq!(
        [wish(&instance, "word_deep"), wish(&instance, "word_punchy"), wish(&instance, "word_flat")],
        ["on", "on", "not"]
    );
    editor.click(&display, &mut instance, GENERATE);
    play_until(&mut instance, "there is another seed", |instance| {
        state(instance)["params"]["seed"]["i32"] != 0
    });
    play_until(&mut instance, "there is another kick", |instance| codes(instance)[0] != first[0]);
    display.point(editor.target(&display), AWAY.0, AWAY.1, false);
    play_beats(&mut instance, 2 * MOMENT);
    editor.save(&display, "kick");

    // A variation becomes the kick, marks the project modified, and is undone.
    let before = codes(&instance);
    editor.click(&display, &mut instance, CELL_6);
    play_until(&mut instance, "the variation is the kick", |instance| codes(instance)[0] == before[6]);
    let revision = instance.parameter("Revision");
    play_until(&mut instance, "the host is told", |instance| {
        instance.handler.edited.lock().unwrap().contains_key(&revision)
    });
    play(&mut instance, MOMENT);
    editor.click(&display, &mut instance, UNDO);
    play_until(&mut instance, "the kick is back", |instance| codes(instance)[0] == before[0]);
    // The kick comes back with the parameters; the rest of the undo, which would replace what is dropped next, a little later.
    play(&mut instance, 3 * MOMENT);
    assert!(codes(&instance) == before);

    // A generator of one's own is dropped: it makes the kicks, and its name is kept. What is none is refused in a banner.
    let own = folder.path().join("a generator.safetensors");
    std::fs::write(&own, own_generator()).unwrap();
    editor.drop_file(&display, &mut instance, &own);
    play_until(&mut instance, "the generator is kept", |instance| loaded_path(instance, "model") == own);
    let seed = state(&instance)["params"]["seed"]["i32"].as_u64().unwrap();
    let made = generated_by(&own_generator(), &["deep", "punchy", "not flat"], seed);
    play_until(&mut instance, "it has made its kick", |instance| codes(instance).first() == Some(&made));
    let amp = folder.path().join("an amp.safetensors");
    std::fs::write(&amp, host::TS9).unwrap();
    editor.drop_file(&display, &mut instance, &amp);
    play_beats(&mut instance, MOMENT);
    editor.save(&display, "kick-error");
    assert_eq!(loaded_path(&instance, "model"), own);
    editor.click(&display, &mut instance, DISMISS);
    play(&mut instance, MOMENT);
    editor.click(&display, &mut instance, SHIPPED);
    play_until(&mut instance, "the kick is that of the network inside", |instance| {
        !state(instance)["fields"]["session"].as_str().unwrap().contains("a generator")
    });

    let tune = instance.parameter("tune");
    editor.drag_up(&display, &mut instance, TUNE, 40, |instance| {
        instance.handler.edited.lock().unwrap().get(&tune).is_some_and(|value| *value > 0.6)
    });
    assert_eq!(instance.handler.open_edits.load(std::sync::atomic::Ordering::Relaxed), 0);
    // The waveform is dragged out, as a file of the kick that plays.
    let taker = display.taker(1500, 100);
    let mut drag = |x: i16, pressed: Option<bool>| {
        display.mouse(x, WAVEFORM.1);
        pressed.into_iter().for_each(|pressed| display.mouse_button(pressed));
        play(&mut instance, Duration::from_millis(150));
    };
    drag(WAVEFORM.0, None);
    drag(WAVEFORM.0, Some(true));
    [320, 360, 900, 1540].into_iter().for_each(|x| drag(x, None));
    let files = display.take_drop(taker, || play(&mut instance, Duration::from_millis(20)));
    let path = files.strip_prefix("file://").unwrap().trim_end();
    assert!(path.ends_with("_01.wav") && path.contains("/neurdsp/kick_deep_punchy_"), "{path}");
    let mut dropped = hound::WavReader::open(path).unwrap();
    assert_eq!((dropped.spec().sample_rate, dropped.duration()), (48_000, 96_000));
    // Kicks are tuned by whole cents.
    let semitones = (100.0 * state(&instance)["params"]["tune"]["f32"].as_f64().unwrap()).round() / 100.0;
    let kick = rendered(&codes(&instance)[0], 48_000, semitones);
    let samples = dropped.samples::<i32>().map(|sample| sample.unwrap() as f32 / 8_388_607.0);
    let worst = samples.zip(&kick).map(|(sample, x)| (sample - x).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-6, "{worst} at {semitones} st, {path}");
    display.close(taker);
    editor.resize(&display, 1920, 1176);
    play_beats(&mut instance, 2 * MOMENT);
    editor.save(&display, "kick-2x");
    editor.close(&display);
}
