//! The stream of a band-split network: any blocks, both channels, silence, latency, and the sum of what comes out.
//!
//! That it computes what the network in torch does is tested from Python, where torch is.

use super::random::{network, noise};
use neurdsp_models::drumsep::BandSplit;
use neurdsp_models::{Model, StreamSource, StreamingModel};
use neurdsp_simd::Isa;

const HOP: usize = 16;
const N_FFT: usize = 128;
const OUTPUTS: usize = 6;

/// Plays both channels in blocks of these lengths, in turn.
fn play(stream: &mut dyn StreamingModel, audio: [&[f32]; 2], blocks: &[usize]) -> Vec<Vec<f32>> {
    let n = audio[0].len();
    let mut outputs = vec![vec![f32::NAN; n]; stream.out_channels()];
    let (mut at, mut turn) = (0, blocks.iter().cycle());
    while at < n {
        let end = n.min(at + turn.next().unwrap());
        let mut slices: Vec<&mut [f32]> = outputs.iter_mut().map(|output| &mut output[at..end]).collect();
        stream.process_channels(&[&audio[0][at..end], &audio[1][at..end]], &mut slices);
        at = end;
    }
    outputs
}

fn separate(network: &BandSplit, audio: [&[f32]; 2], blocks: &[usize]) -> Vec<Vec<f32>> {
    play(&mut network.stream().unwrap(), audio, blocks)
}

/// Stereo, then mono, then silence, then only one channel, then stereo again.
fn passages() -> [Vec<f32>; 2] {
    let (mut left, mut right) = (noise(4_000, 1), noise(4_000, 2));
    right[700..1_600].copy_from_slice(&left[700..1_600]);
    left[1_600..2_500].fill(0.0);
    right[1_600..3_000].fill(0.0);
    (left[3_100], right[3_101]) = (-0.0, 0.0);
    [left, right]
}

fn bits(outputs: &[Vec<f32>]) -> Vec<Vec<u32>> {
    outputs.iter().map(|output| output.iter().map(|sample| sample.to_bits()).collect()).collect()
}

fn db(error: f64, reference: f64) -> f64 {
    10.0 * (error / reference).log10()
}

#[test]
fn any_block_size_gives_the_same_bits() {
    let [left, right] = passages();
    for isa in Isa::available() {
        let network = network(isa);
        let whole = bits(&separate(&network, [&left, &right], &[usize::MAX >> 1]));
        for blocks in [&[1][..], &[7], &[64], &[256], &[1000], &[16], &[5, 129, 1, 300, 16]] {
            assert!(bits(&separate(&network, [&left, &right], blocks)) == whole, "{} {blocks:?}", isa.name());
        }
    }
}

#[test]
fn instruction_sets_agree_to_better_than_100_db() {
    let [left, right] = passages();
    let reference = separate(&network(Isa::Scalar), [&left, &right], &[500]);
    let energy: f64 = reference.iter().flatten().map(|x| f64::from(*x).powi(2)).sum();
    for isa in Isa::available() {
        let outputs = separate(&network(isa), [&left, &right], &[500]);
        let pairs = outputs.iter().flatten().zip(reference.iter().flatten());
        let error: f64 = pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
        assert!(db(error, energy) < -100.0, "{}: {} dB", isa.name(), db(error, energy));
    }
}

#[test]
fn outputs_sum_to_the_recording_two_hops_later() {
    let [left, right] = passages();
    let network = network(Isa::detect());
    assert_eq!((StreamSource::latency(&network), network.audio().channels), (2 * HOP, 2));
    let outputs = separate(&network, [&left, &right], &[100]);
    for (channel, input) in [left, right].iter().enumerate() {
        let (mut error, mut energy) = (0.0, 0.0);
        for i in 0..input.len() {
            let sum: f64 = outputs.iter().skip(channel).step_by(2).map(|output| f64::from(output[i])).sum();
            let wanted = if i < 2 * HOP { 0.0 } else { f64::from(input[i - 2 * HOP]) };
            error += (sum - wanted).powi(2);
            energy += wanted.powi(2);
        }
        assert!(db(error, energy) < -130.0, "channel {channel}: {} dB", db(error, energy));
    }
    // The stems are not empty: each holds a fair part of the energy.
    for output in &outputs {
        assert!(output.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() > 10.0);
    }
}

#[test]
fn swapped_channels_give_swapped_stems_and_equal_ones_equal_stems() {
    let [left, right] = passages();
    let network = network(Isa::detect());
    let (forth, back) =
        (separate(&network, [&left, &right], &[64]), separate(&network, [&right, &left], &[64]));
    let mono = separate(&network, [&left, &left], &[64]);
    for stem in 0..OUTPUTS / 2 {
        assert!(forth[2 * stem] == back[2 * stem + 1] && forth[2 * stem + 1] == back[2 * stem]);
        assert_eq!(mono[2 * stem], mono[2 * stem + 1]);
        assert_ne!(forth[2 * stem], forth[2 * stem + 1]);
    }
}

#[test]
fn a_mono_passage_is_what_it_would_be_with_channels_that_differ_by_almost_nothing() {
    // One row is run for both channels, or two: a difference far below a unit in the last place takes the other way.
    let network = network(Isa::detect());
    let left = noise(2_000, 3);
    let mut right = left.clone();
    right[0] = f32::from_bits(left[0].to_bits() + 1);
    let (one, two) = (separate(&network, [&left, &left], &[64]), separate(&network, [&left, &right], &[64]));
    let energy: f64 = one.iter().flatten().map(|x| f64::from(*x).powi(2)).sum();
    let pairs = one.iter().flatten().zip(two.iter().flatten());
    let error: f64 = pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    assert!(error > 0.0 && db(error, energy) < -100.0, "{} dB", db(error, energy));
}

#[test]
fn silence_is_exactly_silent() {
    let network = network(Isa::detect());
    let silence = vec![0.0; 5_000];
    let outputs = separate(&network, [&silence, &silence], &[333]);
    assert!(outputs.iter().flatten().all(|sample| sample.to_bits() == 0));
    // After a sound, once it has left the frame and the overlap; and in one channel alone.
    let mut left = silence.clone();
    left[..1_000].copy_from_slice(&noise(1_000, 4));
    let outputs = separate(&network, [&left, &silence], &[333]);
    for (index, output) in outputs.iter().enumerate() {
        let from = if index % 2 == 0 { 1_000 + N_FFT + 2 * HOP } else { 0 };
        assert!(output[from..].iter().all(|sample| sample.to_bits() == 0), "output {index}");
        assert!(index % 2 == 1 || output[..1_000].iter().any(|sample| *sample != 0.0));
    }
}

#[test]
fn reset_begins_anew_and_so_does_prewarm() {
    let [left, right] = passages();
    let network = network(Isa::detect());
    let mut stream = network.stream().unwrap();
    let first = play(&mut stream, [&left, &right], &[99]);
    stream.reset();
    assert!(bits(&play(&mut stream, [&left, &right], &[99])) == bits(&first));
    stream.prewarm();
    assert!(bits(&play(&mut stream, [&left, &right], &[50])) == bits(&first));
}

#[test]
fn samples_that_are_not_finite_count_as_zero() {
    let (mut left, right) = (noise(2_000, 5), noise(2_000, 6));
    (left[500], left[501], left[502], left[503]) = (f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 3e38);
    let mut zeros = left.clone();
    zeros[500..504].fill(0.0);
    let network = network(Isa::detect());
    let outputs = separate(&network, [&left, &right], &[64]);
    assert!(outputs.iter().flatten().all(|sample| sample.is_finite()));
    assert_eq!(outputs, separate(&network, [&zeros, &right], &[64]));
}

#[test]
fn a_mono_signal_is_played_on_both_channels_and_missing_channels_are_passed_over() {
    let signal = noise(1_000, 7);
    let network = network(Isa::detect());
    let wanted = separate(&network, [&signal, &signal], &[64]);
    let (mut stream, mut output) = (network.build_stream().unwrap(), vec![0.0; 1_000]);
    assert_eq!((stream.in_channels(), stream.out_channels()), (2, OUTPUTS));
    signal.chunks(70).zip(output.chunks_mut(70)).for_each(|(input, output)| stream.process(input, output));
    assert_eq!(output, wanted[0]);
    let mut few = [7.0; 10];
    stream.process_channels(&[&signal[..10]], &mut [&mut few]);
    stream.process_channels(&[&signal[..10], &signal[..10]], &mut [&mut few]);
    stream.process_channels(&[], &mut []);
    assert_eq!(few, [7.0; 10]);
}
