//! What the parts of the chain cost in each block of 64 samples, and what the dearest block costs.
//!
//! `cargo bench -p neurdsp-benches --bench chain` prints a line for each part: the median, the 99th per cent and the worst
//! of the CPU times of its blocks, and the worst as a share of what a block lasts at 48 kHz. The worst of a few
//! repetitions counts, each block at its fastest, so that other programs do not.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints, and a failure ends it")]

use neurdsp_dsp::live::{
    Convolver, GateSettings, LiveBlock, NoiseGate, ResampleQuality, ToneSettings, ToneStack,
};
use neurdsp_models::StreamingModel;
use neurdsp_rt::{Operation, adapt};
use std::hint::black_box;
use std::time::{Duration, Instant};

const BLOCK: usize = 64;
/// Covers every phase of the convolver's schedule, which repeats after 4096 samples, and of a ratio of 147 to 160.
const BLOCKS: usize = 960;
const REPETITIONS: usize = 15;

fn noise(n: usize) -> Vec<f32> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// Nothing: what is measured is what stands around it.
struct Nothing;

impl StreamingModel for Nothing {
    fn reset(&mut self) {}
    fn prewarm(&mut self) {}
    fn receptive_field(&self) -> usize {
        1
    }
    fn latency(&self) -> usize {
        0
    }
    fn process(&mut self, input: &[f32], output: &mut [f32]) {
        output.copy_from_slice(input);
    }
}

fn measure(name: &str, mut play: impl FnMut(&mut [f32])) {
    let sound = noise(BLOCK * BLOCKS);
    let mut fastest = vec![Duration::MAX; BLOCKS];
    for _ in 0..REPETITIONS {
        let mut samples = sound.clone();
        for (block, fastest) in samples.chunks_mut(BLOCK).zip(&mut fastest) {
            let start = Instant::now();
            play(block);
            *fastest = start.elapsed().min(*fastest);
        }
        black_box(&samples);
    }
    fastest.sort();
    let us = |index: usize| fastest[index].as_secs_f64() * 1e6;
    let (median, p99, worst) = (us(BLOCKS / 2), us(BLOCKS * 99 / 100), us(BLOCKS - 1));
    let share = worst * 1e-6 * 48_000.0 / BLOCK as f64;
    println!("{name:34} {median:8.2} {p99:8.2} {worst:8.2} us {:7.2} %", 100.0 * share);
}

fn main() {
    println!("{:34} {:>8} {:>8} {:>8}    of a block of {BLOCK}", "", "median", "p99", "worst");
    let mut tone = ToneStack::new(48_000.0).unwrap();
    tone.set(ToneSettings { bass_db: 5.0, mid_db: -3.0, treble_db: 2.0 });
    measure("tone stack", |block| tone.process(block));
    let mut gate = NoiseGate::new(48_000.0, GateSettings::default()).unwrap();
    measure("gate", |block| gate.process(block));
    for (name, taps) in [
        ("cabinet, 64 taps", 64),
        ("cabinet, 43 ms", 2048),
        ("cabinet, 0.17 s", 8192),
        ("room, 1 s", 48_000),
        ("room, 10 s", 480_000),
    ] {
        let mut convolver = Convolver::new(&noise(taps)).unwrap();
        measure(name, |block| convolver.process(block));
    }
    for (name, sample_rate, oversample, quality) in [
        ("44.1 kHz around 48, high", 44_100.0, 1, ResampleQuality::High),
        ("44.1 kHz around 48, low latency", 44_100.0, 1, ResampleQuality::LowLatency),
        ("96 kHz around 48, high", 96_000.0, 1, ResampleQuality::High),
        ("2 times oversampled, high", 48_000.0, 2, ResampleQuality::High),
        ("2 times oversampled, low latency", 48_000.0, 2, ResampleQuality::LowLatency),
        ("4 times oversampled, high", 48_000.0, 4, ResampleQuality::High),
    ] {
        let operation = Operation { sample_rate, oversample, quality };
        let mut stream = adapt(&mut || Ok(Box::new(Nothing)), 48_000.0, operation).unwrap();
        let mut output = [0.0; BLOCK];
        measure(name, |block| {
            stream.process(block, &mut output);
            block.copy_from_slice(&output);
        });
    }
}
