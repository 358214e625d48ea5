//! A sound taken apart and mixed again: sums, alignment, faders, a network that is replaced, and what the audio thread may do.
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

mod common;

use common::{ToyStems, noise};
use neurdsp_rt::alloc_guard::{GuardedAllocator, forbid_allocations};
use neurdsp_rt::{Error, Operation, StemHandle, StemMixer, adapt};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[global_allocator]
static ALLOCATOR: GuardedAllocator = GuardedAllocator;

const RATE: f64 = 44_100.0;
const STEMS: usize = 3;
/// Of three stems, and of the residual.
const SHARES: [f32; 4] = [0.5, 0.25, -0.125, 0.375];
const PLACES: [usize; 3] = [0, 1, 2];
const LATENCY: usize = 512;
/// The length of a ramp.
const RAMP: usize = 882;

/// What a mixer has played: the mix, then each output; left and right.
type Played = Vec<[Vec<f32>; 2]>;

fn mixer(sample_rate: f64) -> (StemMixer, StemHandle) {
    StemMixer::new(sample_rate, STEMS).unwrap()
}

fn loaded(sample_rate: f64) -> StemMixer {
    let (mut mixer, mut handle) = mixer(sample_rate);
    let mut build = || Ok(ToyStems::new(&SHARES, LATENCY).boxed());
    handle.send(adapt(&mut build, RATE, Operation::at(sample_rate)).unwrap(), &PLACES).unwrap();
    mixer.reset();
    mixer
}

/// Plays in blocks; `before` changes the mixer in front of each, which begins at that sample.
fn play(
    mixer: &mut StemMixer,
    [left, right]: [&[f32]; 2],
    block: usize,
    mut before: impl FnMut(&mut StemMixer, usize),
) -> Played {
    let mut played = vec![[vec![], vec![]]; STEMS + 2];
    let mut at = 0;
    while at < left.len() {
        before(mixer, at);
        let end = left.len().min(at + block);
        let mut from = at;
        while from < end {
            let count = forbid_allocations(|| mixer.play(&left[from..end], &right[from..end]));
            let [mix, outputs @ ..] = played.as_mut_slice() else { return played };
            for (side, samples) in mix.iter_mut().enumerate() {
                samples.extend(mixer.mix(side));
            }
            for (index, output) in outputs.iter_mut().enumerate() {
                output.iter_mut().zip(mixer.output(index)).for_each(|(to, samples)| to.extend(samples));
            }
            from += count;
        }
        at = end;
    }
    played
}

/// The level of the difference from a signal `late` samples before, relative to it, in dB.
fn null_db(played: &[f32], signal: &[f32], late: usize, gain: f32) -> f64 {
    let pairs = played[late..].iter().zip(signal);
    let error: f64 = pairs.map(|(y, x)| f64::from(y - gain * x).powi(2)).sum();
    let energy: f64 = signal[..signal.len() - late].iter().map(|x| f64::from(*x).powi(2)).sum();
    10.0 * (error / energy + 1e-30).log10()
}

fn steepest(samples: &[f32]) -> f32 {
    samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

#[test]
fn the_outputs_sum_to_the_delayed_input_at_every_rate() {
    for rate in [44_100.0, 48_000.0, 96_000.0, 22_050.0, 192_000.0] {
        let (left, right) = (noise(20_000, 1), noise(20_000, 2));
        let mut mixer = loaded(rate);
        let late = mixer.latency();
        assert_eq!(late == LATENCY, rate == RATE);
        let played = play(&mut mixer, [&left, &right], 333, |_, _| {});
        for (side, signal) in [&left, &right].into_iter().enumerate() {
            assert!(null_db(&played[0][side], signal, late, 1.0) < -130.0, "{rate}");
            let sum: Vec<f32> =
                (0..signal.len()).map(|i| played[1..].iter().map(|output| output[side][i]).sum()).collect();
            assert!(null_db(&sum, signal, late, 1.0) < -130.0, "{rate}");
        }
    }
}

#[test]
fn each_output_is_the_stem_of_its_place_and_the_rest_is_the_residual() {
    let (left, right) = (noise(8000, 3), noise(8000, 4));
    let played = play(&mut loaded(RATE), [&left, &right], 64, |_, _| {});
    for (index, share) in SHARES.into_iter().enumerate() {
        assert!(null_db(&played[index + 1][0], &left, LATENCY, share) < -130.0, "{index}");
        assert!(null_db(&played[index + 1][1], &right, LATENCY, share) < -130.0, "{index}");
    }
    // A network of two stems in another order: what no output is, is silent and in the residual.
    let (mut mixer, mut handle) = mixer(RATE);
    handle.send(ToyStems::new(&[0.5, 0.25, 0.25], LATENCY).boxed(), &[2, 0]).unwrap();
    mixer.reset();
    let played = play(&mut mixer, [&left, &right], 64, |_, _| {});
    for (index, share) in [(0, 0.25), (1, 0.0), (2, 0.5), (3, 0.25)] {
        assert!(null_db(&played[index + 1][1], &right, LATENCY, share) < -130.0, "{index}");
    }
}

#[test]
fn the_cut_into_blocks_changes_no_bit_and_a_reset_begins_anew() {
    for rate in [44_100.0, 48_000.0] {
        let (left, right) = (noise(9000, 5), noise(9000, 6));
        let mut mixer = loaded(rate);
        let whole = play(&mut mixer, [&left, &right], 9000, |_, _| {});
        mixer.reset();
        assert!(play(&mut mixer, [&left, &right], 9000, |_, _| {}) == whole);
        for block in [1, 7, 64, 1000] {
            assert!(play(&mut loaded(rate), [&left, &right], block, |_, _| {}) == whole, "{block}");
        }
    }
}

#[test]
fn gains_move_without_a_step_and_scale_what_they_belong_to() {
    let ones = vec![1.0f32; 20_000];
    let mut mixer = loaded(RATE);
    let played = play(&mut mixer, [&ones, &ones], 100, |mixer, at| match at {
        2000 => mixer.set_gain(0, 0.0),
        6000 => {
            mixer.set_gain(STEMS, 2.0);
            mixer.set_level(0.5);
        }
        10_000 => mixer.set_bypass(true),
        14_000 => mixer.set_bypass(false),
        _ => {}
    });
    let mix = &played[0][0];
    let at = |sample: usize| (mix[sample], played[1][1][sample], played[4][0][sample]);
    assert_eq!(at(1999), (1.0, 0.5, 0.375));
    assert_eq!(at(5999), (0.5, 0.0, 0.375));
    assert_eq!(at(9999), (0.4375, 0.0, 0.75));
    assert_eq!(at(13_999), (1.0, 0.0, 0.0));
    assert_eq!(at(19_999), (0.4375, 0.0, 0.75));
    assert!(mix[2000 + RAMP / 2] > 0.7 && mix[2000 + RAMP / 2] < 0.8);
    // The largest change, of the bypass, is 0.5625 in a ramp.
    let step = steepest(&mix[LATENCY..]);
    assert!(step < 1.5 * 0.5625 / RAMP as f32, "{step}");
    assert!(!mixer.is_moving());
}

#[test]
fn a_network_fades_in_over_another_and_both_are_freed_elsewhere() {
    let alive = Arc::new(AtomicUsize::new(0));
    let build = |shares: &[f32], latency| ToyStems::new(shares, latency).counted(&alive).boxed();
    let (mut mixer, mut handle) = mixer(RATE);
    handle.send(build(&[0.5, 0.25, 0.0, 0.25], 256), &PLACES).unwrap();
    mixer.reset();
    let ones = vec![1.0f32; 30_000];
    let mut after = None;
    let played = play(&mut mixer, [&ones, &ones], 100, |mixer, at| match at {
        2000 => handle.send(build(&[0.0, 0.75, 0.0, 0.25], LATENCY), &PLACES).unwrap(),
        10_000 => {
            assert_eq!((mixer.latency(), mixer.is_fading()), (LATENCY, false));
            handle.remove().unwrap();
        }
        20_000 => after = Some((mixer.latency(), alive.load(Ordering::SeqCst))),
        _ => {}
    });
    // The sum does not change, whatever the network; the stems move slowly.
    assert!(played[0][0][256..].iter().all(|y| (y - 1.0).abs() < 1e-6));
    for (index, [first, second, third]) in [(1, [0.5, 0.0, 0.0]), (2, [0.25, 0.75, 0.0])] {
        let stem = &played[index][0];
        assert_eq!([stem[1999], stem[9999], stem[19_999]], [first, second, third]);
        let step = steepest(&stem[256..]);
        assert!(step < 1.5 * 0.75 / RAMP as f32, "{index}: {step}");
    }
    // Nothing was freed while it played, but for what the last sending took back.
    assert_eq!(after, Some((0, 1)));
    handle.collect();
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

#[test]
fn it_rests_in_silence_and_begins_anew_with_the_next_sound_whatever_the_blocks() {
    let mut sound = noise(3000, 9);
    sound.extend(vec![0.0; 6000]);
    sound.extend(noise(3000, 10));
    let halves = |played: &Played| played.iter().map(|output| output[0][9000..].to_vec()).collect::<Vec<_>>();
    let alone = play(&mut loaded(RATE), [&sound[9000..], &sound[9000..]], 3000, |_, _| {});
    let whole = play(&mut loaded(RATE), [&sound, &sound], 12_000, |_, _| {});
    assert!(halves(&whole).iter().zip(&alone).all(|(after, alone)| *after == alone[0]));
    for block in [1, 13, 64, 1000] {
        let mut rested = 0;
        let count = |mixer: &mut StemMixer, _: usize| rested += usize::from(mixer.is_resting());
        assert!(play(&mut loaded(RATE), [&sound, &sound], block, count) == whole, "{block}");
        // Twice the latency after the sound; and in front of the first block.
        let expected = 1 + (6000 - 2 * LATENCY) / block;
        assert!(rested.abs_diff(expected) <= 2, "{block}: {rested} of {expected}");
    }
}

#[test]
fn bad_samples_leave_no_trace() {
    let (mut bad, mut healed) = (noise(4000, 8), noise(4000, 8));
    for (at, value) in [(700, f32::NAN), (701, f32::INFINITY), (702, 1e30)] {
        (bad[at], healed[at]) = (value, 0.0);
    }
    let [a, b] = [&bad, &healed].map(|left| play(&mut loaded(RATE), [left, &bad], 64, |_, _| {}));
    assert!(a == b && a[0][1].iter().all(|y| y.is_finite()));
}

#[test]
fn networks_and_sizes_that_do_not_fit_are_refused_in_words() {
    let (_mixer, mut handle) = mixer(RATE);
    let mut refused = |shares: &[f32], latency, places: &[usize]| {
        handle.send(ToyStems::new(shares, latency).boxed(), places).unwrap_err().to_string()
    };
    let four = [0.25; 4];
    assert!(refused(&four, 0, &[0, 1]).contains("output channels of the network is 8, but it must be 6"));
    assert!(refused(&four, 0, &[0, 1, 1]).contains("each place may be taken once"));
    assert!(refused(&four, 0, &[0, 1, 3]).contains("must be below 3"));
    assert!(refused(&four, 40_000, &PLACES).contains("at most 32768 samples"));
    let wrong = |rate, stems| StemMixer::new(rate, stems).err().unwrap().to_string();
    assert_eq!(wrong(RATE, 0), "n_stems is 0, but it must be 1 to 16");
    assert!(wrong(f64::NAN, 5).contains("8000 to 768000 Hz"));
    for _ in 0..8 {
        handle.send(ToyStems::new(&four, 0).boxed(), &PLACES).unwrap();
    }
    assert!(matches!(handle.remove(), Err(Error::Busy { waiting: 8 })));
}
