//! The build for Windows, under Wine, against this one. `make plugin-wine` builds what it needs and runs it.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

#[path = "../host/mod.rs"]
mod host;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use host::display::Display;
use host::{BARE, Module, TS9, noise, null_db, state_with};

/// Parameters under which every part of the chain has an effect.
const CHAIN: &str = r#"{"gate_threshold": {"f32": -30.0}, "bass": {"f32": 4.0}, "middle": {"f32": -3.0},
    "treble": {"f32": 5.0}, "input": {"f32": 6.0}, "oversampling": {"string": "2x"}, "mix": {"f32": 0.8}}"#;

/// The path as a program of Windows names it.
fn windows(path: &Path) -> String {
    format!("Z:{}", path.canonicalize().unwrap().display()).replace('/', "\\")
}

/// The folder of what is built.
fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target")
}

/// Runs the guest on the build for Windows with these further arguments; prints what it says.
fn run_guest(name: &str, arguments: &[PathBuf]) {
    let target = target().canonicalize().unwrap();
    let plugin = target.join("bundled/x86_64-pc-windows-gnu/neurdsp.vst3/Contents/x86_64-win/neurdsp.vst3");
    let mut run = Command::new("wine")
        .arg(target.join("windows/x86_64-pc-windows-gnu/release/examples/guest.exe"))
        .args(std::iter::once(&plugin).chain(arguments).map(|path| windows(path)))
        .env("WINEPREFIX", target.join("wine"))
        .env("WINEDEBUG", "-all")
        // Wine is not to offer the installation of Mono and Gecko.
        .env("WINEDLLOVERRIDES", "mscoree,mshtml=")
        .stdout(Stdio::piped())
        .spawn()
        .expect("wine: apt-get install wine wine64");
    for line in BufReader::new(run.stdout.take().unwrap()).lines().map_while(Result::ok) {
        println!("{name}: {line}");
    }
    let status = run.wait().unwrap();
    assert!(status.success(), "{name}: {status}");
}

/// The samples in a file.
fn samples_of(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    let (samples, rest) = bytes.as_chunks::<4>();
    assert!(rest.is_empty());
    samples.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

#[test]
#[ignore = "needs Wine and the build for Windows: make plugin-wine"]
fn under_wine_every_plugin_of_the_library_plays_what_it_plays_here() {
    let _display = Display::start(1000, 600).expect("Xvfb: apt-get install xvfb");
    let output = tempfile::NamedTempFile::new().unwrap();
    run_guest("all others", &[output.path().to_owned()]);
    let there = samples_of(output.path());
    let mut begin = 0;
    for (name, here) in host::tour(&Module::load()) {
        assert!(here.iter().any(|sample| *sample != 0.0), "{name} is silent");
        let db = null_db(&there[begin..begin + here.len()], &here);
        println!("{name}: null against the build for Linux {db:.1} dB");
        assert!(db <= -110.0, "{name}: {db} dB");
        begin += here.len();
    }
    assert_eq!(begin, there.len());
}

#[test]
#[ignore = "needs Wine and the build for Windows: make plugin-wine"]
fn under_wine_it_plays_what_it_plays_here_and_shows_its_editor() {
    let _display = Display::start(1000, 600).expect("Xvfb: apt-get install xvfb");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let signal = noise(96_000, 0.3);
    let samples: Vec<u8> = signal.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let (input, output) = (file("input", &samples), file("output", &[]));
    let module = Module::load();
    let mut worst_db = f64::NEG_INFINITY;
    for (name, parameters) in [("model alone", BARE), ("whole chain", CHAIN)] {
        let state = state_with(parameters, TS9);
        run_guest(name, &[file("state", &state), input.clone(), output.clone()]);

        let mut here = module.create();
        assert!(here.set_state(&state));
        here.start(48_000.0, 8192);
        let expected = here.play(&signal, &[512]);
        let there = samples_of(&output);
        assert_eq!(there.len(), expected.len());
        let db = null_db(&there, &expected);
        println!("{name}: null against the build for Linux {db:.1} dB");
        worst_db = worst_db.max(db);
    }
    assert!(worst_db <= -110.0, "{worst_db} dB");
}
