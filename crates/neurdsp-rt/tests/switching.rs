//! What is switched on plays no old sound, a start makes no step, and neither allocates.
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Toy, noise};
use neurdsp_rt::alloc_guard::{Allocations, GuardedAllocator, count_allocations};
use neurdsp_rt::{AmpChain, Bank, ChainHandle, ImpulseResponse, ModelLevels, Operation, Parameter, adapt};

#[global_allocator]
static ALLOCATOR: GuardedAllocator = GuardedAllocator;

const RATE: f64 = 48_000.0;
const STAGES: [Parameter; 6] = [
    Parameter::GateOn,
    Parameter::ModelOn,
    Parameter::ToneOn,
    Parameter::CabinetOn,
    Parameter::DcBlockOn,
    Parameter::Mix,
];

/// A chain of everything: an amp whose sound hardly decays, and a cabinet that rings for half a second.
fn chain(rate: f64, oversample: usize) -> (AmpChain, ChainHandle) {
    chain_of(|| Toy::new(2.0, 0.0, 0.98, 900, |x| x.clamp(-0.9, 0.9)), rate, oversample)
}

fn chain_of(amp: fn() -> Toy, rate: f64, oversample: usize) -> (AmpChain, ChainHandle) {
    let (mut chain, mut handle) = AmpChain::new(rate, 2).unwrap();
    let operation = Operation { oversample, ..Operation::at(rate) };
    let stream = || adapt(&mut || Ok(amp().boxed()), RATE, operation).unwrap();
    handle.send_model(Bank::new(vec![stream(), stream()], ModelLevels::default()).unwrap()).unwrap();
    let ring = noise(24_000, 5).iter().enumerate().map(|(n, x)| x * (-2e-4 * n as f32).exp()).collect();
    handle.load_cabinet(&ImpulseResponse::new(vec![ring], RATE).unwrap(), true).unwrap();
    handle.settings().set(Parameter::BassDb, 12.0);
    handle.settings().set(Parameter::GateThresholdDb, -60.0);
    chain.process(&mut [&mut [], &mut []]);
    chain.reset();
    (chain, handle)
}

fn play(chain: &mut AmpChain, input: &[f32], block: usize) -> Vec<f32> {
    let (mut left, mut right) = (input.to_vec(), input.to_vec());
    for (left, right) in left.chunks_mut(block).zip(right.chunks_mut(block)) {
        chain.process(&mut [left, right]);
    }
    assert_eq!(left, right);
    left
}

fn peak_db(samples: &[f32]) -> f32 {
    20.0 * samples.iter().fold(0.0f32, |peak, y| y.abs().max(peak)).log10()
}

/// What is heard after a stage was off while the sound ended, and then is switched on again in silence.
fn ghost_db(stage: Parameter, off_samples: usize, rate: f64, oversample: usize) -> f32 {
    let (mut chain, handle) = chain(rate, oversample);
    // Without the model's own long memory when another stage is under test.
    if stage != Parameter::ModelOn {
        handle.settings().set(Parameter::ModelOn, 0.0);
    }
    handle.settings().set(stage, 1.0);
    play(&mut chain, &noise(24_000, 7), 64);
    handle.settings().set(stage, 0.0);
    play(&mut chain, &noise(4_800, 8), 64);
    play(&mut chain, &vec![0.0; off_samples], 64);
    handle.settings().set(stage, 1.0);
    peak_db(&play(&mut chain, &[0.0; 48_000], 64))
}

#[test]
fn a_stage_that_was_off_plays_no_old_sound_when_it_is_on_again() {
    for stage in STAGES {
        for (rate, oversample) in [(RATE, 1), (RATE, 2), (44_100.0, 1)] {
            let level = ghost_db(stage, 96_000, rate, oversample);
            assert!(level < -120.0, "{stage:?} at {rate} Hz, {oversample} times: {level} dBFS");
        }
    }
}

#[test]
fn a_model_that_is_switched_on_again_fades_in_without_a_click() {
    for (rate, oversample) in [(RATE, 1), (RATE, 2), (44_100.0, 1)] {
        // One that soon forgets: from rest, a long memory makes an echo of the onset.
        let (mut chain, handle) = chain_of(|| Toy::new(2.0, 0.0, 0.2, 3, |x| x), rate, oversample);
        handle.settings().set(Parameter::CabinetOn, 0.0);
        let sine: Vec<f32> = (0..96_000).map(|n| (n as f32 * 0.01).sin() * 0.1).collect();
        let mut output = Vec::new();
        for (index, part) in sine.chunks(9_600).enumerate() {
            handle.settings().set(Parameter::ModelOn, if index % 2 == 0 { 1.0 } else { 0.0 });
            output.extend(play(&mut chain, part, 64));
        }
        // The model makes of a slope of 0.001 one of 0.0025, and the bass at most 0.01 of that.
        let steepest = output.windows(2).skip(9_600).map(|y| (y[1] - y[0]).abs()).fold(0.0, f32::max);
        assert!(steepest < 0.012, "{rate} Hz, {oversample} times: {steepest}");
    }
}

#[test]
fn a_start_a_reset_and_a_new_model_make_no_step_through_the_dc_block() {
    let offset = || Toy::new(1.0, 0.03, 0.0, 1, |x| x).boxed();
    for (rate, oversample) in [(RATE, 1), (RATE, 2), (44_100.0, 1)] {
        let operation = Operation { oversample, ..Operation::at(rate) };
        let (mut chain, mut handle) = AmpChain::new(rate, 1).unwrap();
        let silence = |chain: &mut AmpChain| {
            let mut samples = vec![0.0; 9_600];
            samples.chunks_mut(480).for_each(|block| chain.process(&mut [block]));
            peak_db(&samples)
        };
        handle.hold_latency(400).unwrap();
        for step in ["a start", "another model", "a reset"] {
            if step == "a reset" {
                chain.reset();
            } else {
                let stream = adapt(&mut || Ok(offset()), RATE, operation).unwrap();
                handle.send_model(Bank::new(vec![stream], ModelLevels::default()).unwrap()).unwrap();
            }
            let level = silence(&mut chain);
            assert!(level < -120.0, "{step} at {rate} Hz, {oversample} times: {level} dBFS");
        }
        for on in [0.0, 1.0] {
            handle.settings().set(Parameter::ModelOn, on);
            let level = silence(&mut chain);
            assert!(level < -120.0, "model {on} at {rate} Hz, {oversample} times: {level} dBFS");
        }
        // Without the block the offset is what the model puts out.
        handle.settings().set(Parameter::DcBlockOn, 0.0);
        silence(&mut chain);
        assert!((silence(&mut chain) - 20.0 * 0.03f32.log10()).abs() < 0.01);
    }
}

#[test]
fn switching_does_not_depend_on_the_cut_into_blocks() {
    let run = |block: usize| {
        let (mut chain, handle) = chain(RATE, 2);
        let mut output = Vec::new();
        for (index, part) in noise(96_000, 11).chunks(4_800).enumerate() {
            for stage in [Parameter::ModelOn, Parameter::CabinetOn] {
                handle.settings().set(stage, if (index / 3).is_multiple_of(2) { 1.0 } else { 0.0 });
            }
            output.extend(play(&mut chain, part, block));
        }
        output
    };
    let whole = run(4_800);
    for block in [37, 480] {
        assert!(run(block) == whole, "in blocks of {block}");
    }
}

#[test]
fn switching_neither_allocates_nor_frees() {
    let (mut chain, handle) = chain(44_100.0, 2);
    let (mut left, mut right) = (noise(480, 1), noise(480, 2));
    let ((), seen) = count_allocations(|| {
        for turn in 0..40 {
            for stage in STAGES {
                handle.settings().set(stage, if turn % 2 == 0 { 0.0 } else { 1.0 });
            }
            for _ in 0..4 {
                chain.process(&mut [&mut left, &mut right]);
            }
            if turn % 7 == 0 {
                chain.reset();
            }
        }
    });
    assert_eq!(seen, Allocations::default());
}

#[test]
fn samples_of_a_model_that_are_not_valid_are_zero_and_are_counted() {
    for bad in [|_| f32::NAN, |_| f32::INFINITY, |_| 1e30] as [fn(f32) -> f32; 3] {
        let (mut chain, mut handle) = AmpChain::new(RATE, 1).unwrap();
        for stage in [Parameter::DcBlockOn, Parameter::ToneOn] {
            handle.settings().set(stage, 0.0);
        }
        let stream = Toy::new(1.0, 0.0, 0.0, 1, bad).boxed();
        handle.send_model(Bank::new(vec![stream], ModelLevels::default()).unwrap()).unwrap();
        chain.process(&mut []);
        chain.reset();
        let mut samples = noise(100, 1);
        chain.process(&mut [&mut samples]);
        assert_eq!(samples, [0.0; 100]);
        assert_eq!(handle.monitor().dropped_samples(), 100);
    }
}
