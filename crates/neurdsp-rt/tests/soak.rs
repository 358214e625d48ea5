//! Minutes of sound at random block sizes, with swaps and automation of everything, under the allocation guard.
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "../../neurdsp-models/tests/common/mod.rs"]
mod documents;

use common::{Toy, noise};
use documents::{model_file, nam_convnet, nam_linear, nam_lstm, nam_wavenet};
use neurdsp_dsp::live::ResampleQuality;
use neurdsp_models::{LoadedModel, load_bytes};
use neurdsp_rt::alloc_guard::{Allocations, GuardedAllocator, count_allocations};
use neurdsp_rt::{AmpChain, Bank, ChainHandle, ImpulseResponse, ModelLevels, Operation, Parameter, adapt};

#[global_allocator]
static ALLOCATOR: GuardedAllocator = GuardedAllocator;

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }

    fn between(&mut self, [least, largest]: [f32; 2]) -> f32 {
        least + (largest - least) * self.below(10_001) as f32 / 10_000.0
    }
}

/// One model of each architecture.
fn models() -> Vec<LoadedModel> {
    let documents = [nam_convnet(), nam_linear(), nam_lstm(), nam_wavenet()];
    let models = documents.map(|document| load_bytes(document.to_string().as_bytes()).unwrap());
    models.into_iter().chain([LoadedModel::from_file(&model_file()).unwrap()]).collect()
}

/// Sends a model of the list, or half of the time one with feedback and drive.
fn send_model(handle: &mut ChainHandle, models: &[LoadedModel], sample_rate: f64, random: &mut Random) {
    let quality = [ResampleQuality::High, ResampleQuality::LowLatency][random.below(2)];
    let operation = Operation { sample_rate, oversample: [1, 2, 4][random.below(3)], quality };
    let model_rate = [44_100.0, 48_000.0, 96_000.0][random.below(3)];
    let drive = random.between([0.5, 8.0]);
    let chosen = random.below(2 * models.len());
    if let Some(model) = models.get(chosen) {
        return handle.load_model(model, operation).unwrap();
    }
    let mut build = || Ok(Toy::new(drive, 0.02, -0.4, 2, f32::tanh).boxed());
    let streams = (0..2).map(|_| adapt(&mut build, model_rate, operation).unwrap()).collect();
    let levels =
        ModelLevels { loudness_db: Some(-20.0), input_level_dbu: Some(10.0), output_level_dbu: None };
    handle.send_model(Bank::new(streams, levels).unwrap()).unwrap();
}

/// Plays `seconds` of noise in stereo; every 100 ms a model or a cabinet is swapped and parameters jump.
fn soak(seconds: f64) {
    const RATE: f64 = 48_000.0;
    let (models, mut random) = (models(), Random(1));
    let (mut chain, mut handle) = AmpChain::new(RATE, 2).unwrap();
    let long: Vec<f32> = noise(20_000, 3).iter().map(|x| x * 0.01).collect();
    let responses = [vec![noise(900, 2)], vec![long.clone(), long]]
        .map(|channels| ImpulseResponse::new(channels, 44_100.0).unwrap());
    let mut sound = noise(1 << 16, 5);
    (sound[100], sound[2000], sound[30_000]) = (f32::NAN, f32::INFINITY, 1e-40);
    let (mut left, mut right) = (vec![0.0f32; 8192], vec![0.0f32; 8192]);
    let parameters: Vec<Parameter> = Parameter::all().collect();
    let (mut played, mut next_change) = (0usize, 0usize);
    while (played as f64) < seconds * RATE {
        if played >= next_change {
            next_change = played + 4800;
            match random.below(4) {
                0 => handle.load_cabinet(&responses[random.below(2)], true).unwrap(),
                1 => {
                    handle.set_fade_ms(f64::from(random.between([0.0, 80.0])));
                    handle.hold_latency([0, 162][random.below(2)]).unwrap();
                }
                _ => send_model(&mut handle, &models, RATE, &mut random),
            }
            for _ in 0..3 {
                let parameter = parameters[random.below(parameters.len())];
                handle.settings().set(parameter, random.between(parameter.range()));
            }
        }
        let largest = [1, 16, 64, 512, 8192][random.below(5)];
        let n = 1 + random.below(largest);
        let at = random.below(sound.len() - n);
        left[..n].copy_from_slice(&sound[at..at + n]);
        right[..n].copy_from_slice(&sound[at..at + n]);
        let ((), seen) = count_allocations(|| chain.process(&mut [&mut left[..n], &mut right[..n]]));
        assert_eq!(seen, Allocations::default(), "after {played} samples, in a block of {n}");
        assert!(left[..n].iter().chain(&right[..n]).all(|y| y.is_finite()), "after {played} samples");
        played += n;
    }

    // Once everything has settled, the chain plays the same as a new one of the same parts.
    handle.hold_latency(0).unwrap();
    send_model(&mut handle, &models, RATE, &mut Random(7));
    handle.load_cabinet(&responses[0], true).unwrap();
    handle.settings().store(&Default::default());
    for _ in 0..80 {
        chain.process(&mut [&mut left, &mut right]);
    }
    assert!(!chain.is_fading());
    let (_, seen) = count_allocations(|| chain.reset());
    assert_eq!(seen, Allocations::default());
    let (mut fresh, mut fresh_handle) = AmpChain::new(RATE, 2).unwrap();
    send_model(&mut fresh_handle, &models, RATE, &mut Random(7));
    fresh_handle.load_cabinet(&responses[0], true).unwrap();
    fresh.process(&mut []);
    fresh.reset();
    let input = noise(8192, 11);
    let [mut a, mut b, mut c, mut d] = [0; 4].map(|_| input.clone());
    chain.process(&mut [&mut a, &mut b]);
    fresh.process(&mut [&mut c, &mut d]);
    assert_eq!((a, b), (c, d));
}

#[test]
fn twenty_seconds_of_everything() {
    soak(20.0);
}

/// `cargo test --release -p neurdsp-rt --test soak -- --ignored`
#[test]
#[ignore = "takes minutes"]
fn ten_minutes_of_everything() {
    soak(600.0);
}

#[test]
fn every_block_size_from_1_to_8192_is_played_without_an_allocation() {
    let (mut chain, mut handle) = AmpChain::new(44_100.0, 1).unwrap();
    let operation = Operation { oversample: 2, ..Operation::at(44_100.0) };
    let stream = adapt(&mut || Ok(Toy::gain(0.5).boxed()), 48_000.0, operation).unwrap();
    handle.send_model(Bank::new(vec![stream], ModelLevels::default()).unwrap()).unwrap();
    let mut samples = noise(8192, 1);
    for n in (1..=300).chain([511, 512, 513, 1000, 4096, 8191, 8192]) {
        let ((), seen) = count_allocations(|| chain.process(&mut [&mut samples[..n]]));
        assert_eq!(seen, Allocations::default(), "blocks of {n}");
    }
}
