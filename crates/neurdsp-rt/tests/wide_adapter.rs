//! Models of several channels at other rates: exact latency in every channel, and any block size.
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

mod common;

use common::{ToyStems, noise, pulse};
use neurdsp_dsp::live::{Ratio, ResampleQuality, Resampler};
use neurdsp_models::StreamingModel;
use neurdsp_rt::{Operation, adapt};

const SHARES: [f32; 3] = [0.5, 0.25, -0.125];
/// That of the networks that separate drums.
const LATENCY: usize = 512;

fn adapted(sample_rate: f64) -> Box<dyn StreamingModel> {
    let mut build = || Ok(ToyStems::new(&SHARES, LATENCY).boxed());
    adapt(&mut build, 44_100.0, Operation::at(sample_rate)).unwrap()
}

fn played(stream: &mut dyn StreamingModel, input: [&[f32]; 2], block: usize) -> Vec<Vec<f32>> {
    let mut outputs = vec![vec![0.0; input[0].len()]; stream.out_channels()];
    for at in (0..input[0].len()).step_by(block) {
        let end = input[0].len().min(at + block);
        let mut parts: Vec<&mut [f32]> = outputs.iter_mut().map(|output| &mut output[at..end]).collect();
        stream.process_channels(&input.map(|channel| &channel[at..end]), &mut parts);
    }
    outputs
}

#[test]
fn a_pulse_comes_out_of_every_channel_exactly_as_late_as_the_latency_says() {
    for sample_rate in [44_100.0, 48_000.0, 96_000.0, 22_050.0, 44_099.5] {
        let mut stream = adapted(sample_rate);
        // That of the network, and of the two filters.
        match sample_rate {
            44_100.0 => assert_eq!(stream.latency(), LATENCY),
            48_000.0 => assert_eq!(stream.latency(), 735),
            96_000.0 => assert_eq!(stream.latency(), 1468),
            _ => {}
        }
        // Slow enough for the lowest of the rates.
        let shape = |n: f64| pulse(n / 2.0) as f32;
        let left: Vec<f32> = (0..6000).map(|n| shape(f64::from(n) - 1500.0)).collect();
        let right: Vec<f32> = (0..6000).map(|n| -0.5 * shape(f64::from(n) - 2000.0)).collect();
        let outputs = played(stream.as_mut(), [&left, &right], 480);
        for (index, output) in outputs.iter().enumerate() {
            let (gain, at) = [(1.0, 1500.0), (-0.5, 2000.0)][index % 2];
            for (n, y) in output.iter().enumerate() {
                let late = n as f64 - at - stream.latency() as f64;
                let error = y - SHARES[index / 2] * gain * shape(late);
                assert!(error.abs() < 2e-6, "{sample_rate}: channel {index}, sample {n} is off by {error}");
            }
        }
    }
}

#[test]
fn the_cut_into_blocks_changes_no_bit_and_a_reset_begins_anew() {
    let (left, right) = (noise(6000, 5), noise(6000, 6));
    for sample_rate in [48_000.0, 96_000.0, 44_099.5] {
        let whole = played(adapted(sample_rate).as_mut(), [&left, &right], 6000);
        for block in [1, 7, 64, 255, 1000] {
            let mut stream = adapted(sample_rate);
            assert_eq!(played(stream.as_mut(), [&left, &right], block), whole, "{sample_rate}, {block}");
            stream.reset();
            assert_eq!(played(stream.as_mut(), [&left, &right], block), whole, "after a reset");
        }
    }
}

#[test]
fn such_a_model_is_not_oversampled_and_without_its_channels_nothing_happens() {
    let mut build = || Ok(ToyStems::new(&SHARES, LATENCY).boxed());
    let twice = Operation { oversample: 2, ..Operation::at(44_100.0) };
    let refused = adapt(&mut build, 44_100.0, twice).err().unwrap().to_string();
    assert_eq!(
        refused,
        "oversample is 2, but a model of several channels, or with a latency, is not oversampled: 1"
    );
    let mut stream = adapted(48_000.0);
    let mut output = [9.0f32; 4];
    stream.process(&[1.0; 4], &mut output);
    assert_eq!(output, [9.0; 4]);
    let mut ends = [[9.0f32; 4]; 6];
    let mut outputs: Vec<&mut [f32]> = ends.iter_mut().map(|output| &mut output[..]).collect();
    stream.process_channels(&[&[1.0; 4]], &mut outputs);
    assert_eq!(ends, [[9.0; 4]; 6]);
}

#[test]
fn a_total_delay_is_whole_whatever_delay_comes_before() {
    let ratio = Ratio::new(44_100.0, 48_000.0).unwrap();
    for late in [0usize, 1, 147, 511, 512, 100_000] {
        let build = |late| Resampler::with_total_delay(ratio, ResampleQuality::High, 64, late).unwrap();
        let (whole, alone) = (build(late).delay() as f64, build(0).delay() as f64);
        let exact = late as f64 * 48_000.0 / 44_100.0;
        assert!((-1.0..1.0).contains(&(whole - alone - exact)), "{late}: {whole}");
    }
}
