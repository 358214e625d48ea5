//! The VST3 host of the tests as a program, to be built for Windows and run under Wine: it plays a file through a plugin in blocks
//! of random length, then shows the editor.
//!
//! `guest PLUGIN STATE INPUT OUTPUT` takes the plugin's library, a state, and samples as 32-bit floats. `guest PLUGIN` only loads
//! the library and makes an instance, as a host does that scans for plugins. `guest PLUGIN OUTPUT` plays the other plugins in the
//! library, and writes their samples one behind the other.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

#[path = "../tests/host/mod.rs"]
mod host;
#[cfg(windows)]
#[path = "guest/window.rs"]
mod window;

use std::time::Instant;

use host::Module;

const RATE: f64 = 48_000.0;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let plugin = arguments.next().expect("guest PLUGIN [STATE INPUT OUTPUT]");
    let rest: Vec<String> = arguments.collect();
    let start = Instant::now();
    let module = Module::open(plugin.into());
    let mut instance = module.create();
    println!("load the library and make an instance: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    if let [output] = &rest[..] {
        let played = host::tour(&module).into_iter().flat_map(|(_, samples)| samples);
        std::fs::write(output, played.flat_map(f32::to_le_bytes).collect::<Vec<u8>>()).unwrap();
    }
    if rest.len() < 2 {
        return;
    }
    let [state, input, output] = rest.try_into().expect("guest PLUGIN STATE INPUT OUTPUT");

    let start = Instant::now();
    assert!(instance.set_state(&std::fs::read(state).unwrap()), "the state is refused");
    instance.start(RATE, 8192);
    println!("load the state: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);

    let bytes = std::fs::read(input).unwrap();
    let (samples, _) = bytes.as_chunks::<4>();
    let signal: Vec<f32> = samples.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let mut seed = 1u32;
    let mut block = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        1 + (seed >> 8) as usize % 2048
    };
    let blocks: Vec<usize> = std::iter::repeat_with(&mut block).take(500).collect();
    let start = Instant::now();
    let played = instance.play(&signal, &blocks);
    let speed = signal.len() as f64 / RATE / start.elapsed().as_secs_f64();
    println!("play {} samples: {speed:.0} x real time", signal.len());
    let bytes: Vec<u8> = played.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    std::fs::write(output, bytes).unwrap();

    #[cfg(windows)]
    window::show(&mut instance);
}
