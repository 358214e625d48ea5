//! Models that are dropped on the window while it plays, one after the other. The library is a debug build: an allocation on
//! the audio thread ends the process.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr)]

#[path = "../host/mod.rs"]
mod host;

use std::path::Path;
use std::time::{Duration, Instant};

use host::display::Display;
use host::editor::Editor;
use host::{BARE, Instance, Module, state_with, steepest};

const RATE: f64 = 48_000.0;
const SWAPS: usize = 100;
/// A period of the sine, and the length of the blocks, so that a model plays the same in each block.
const PERIOD: usize = 240;
/// Samples over which the old model fades out and the new one in.
const FADE: f32 = 0.02 * RATE as f32;

/// Plays one period; returns what comes out.
fn play(instance: &mut Instance) -> Vec<f32> {
    let step = std::f32::consts::TAU / PERIOD as f32;
    let sine: Vec<f32> = (0..PERIOD).map(|i| 0.05 * (step * i as f32).sin()).collect();
    instance.play(&sine, &[PERIOD])
}

/// Plays a model until it has settled; returns a period.
fn settled(module: &Module, model: &[u8]) -> Vec<f32> {
    let mut instance = module.create();
    assert!(instance.set_state(&state_with(BARE, model)));
    instance.start(RATE, 512);
    for _ in 0..100 {
        play(&mut instance);
    }
    play(&mut instance)
}

fn peak(signal: &[f32]) -> f32 {
    signal.iter().fold(0.0, |peak, x| peak.max(x.abs()))
}

#[test]
fn a_hundred_models_dropped_while_it_plays_do_not_click() {
    let Some(display) = Display::start(1000, 600) else {
        eprintln!("skipped: Xvfb is not installed");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    // SAFETY: no other thread of this process reads the environment yet.
    unsafe { std::env::set_var("XDG_CONFIG_HOME", folder.path()) };
    let module = Module::load();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python/neurdsp/amp/shipped");
    let models = ["ts9", "crunch"].map(|name| shipped.join(name).with_extension("safetensors"));
    let expected = models.each_ref().map(|path| settled(&module, &std::fs::read(path).unwrap()));
    let apart = expected[0].iter().zip(&expected[1]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);

    let mut instance = module.create();
    assert!(instance.set_state(&state_with(BARE, &std::fs::read(&models[1]).unwrap())));
    instance.start(RATE, 512);
    let mut editor = Editor::open(&display, &instance);
    for _ in 0..100 {
        play(&mut instance);
    }
    let mut output = Vec::new();
    let target = editor.target(&display);
    for index in 0..SWAPS {
        display.drop_file(target, &models[index % 2], (200, 200), || {
            output.extend(play(&mut instance));
            std::thread::sleep(Duration::from_millis(2));
        });
        let expected = &expected[index % 2];
        let start = Instant::now();
        let arrived = |output: &[f32]| {
            let end = &output[output.len().saturating_sub(PERIOD)..];
            end.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.05 * apart)
        };
        while !arrived(&output) {
            editor.pump(&display);
            output.extend(play(&mut instance));
            std::thread::sleep(Duration::from_millis(2));
            assert!(start.elapsed() < Duration::from_secs(30), "swap {index} has not arrived");
        }
    }
    editor.close(&display);

    // Two sounds that fade with equal power are at most as steep as 1.41 of the steeper one, and the fades themselves have a
    // slope. A cut from one to the other would be a step of up to `apart`.
    let slope = expected.iter().map(|x| steepest(x)).fold(0.0, f32::max);
    let fades = std::f32::consts::FRAC_PI_2 / FADE * (peak(&expected[0]) + peak(&expected[1]));
    let bound = 2f32.sqrt() * slope + fades;
    let worst = steepest(&output);
    eprintln!("steepest {worst:.4}, of the models alone {slope:.4}, bound {bound:.4}, a cut {apart:.4}");
    assert!(worst < bound, "a step of {worst}, more than {bound}");
    assert!(bound < 0.5 * apart, "a cut would go unseen: {bound} {apart}");
}
