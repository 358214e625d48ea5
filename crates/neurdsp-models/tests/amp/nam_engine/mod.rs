//! The engine of the format's WaveNets against double precision, and what it promises besides.

mod random;
mod reference;

use self::random::{Features, Random};
use neurdsp_models::StreamingModel;
use neurdsp_models::amp::nam::{Conventions, MonoStream, NamFile, Network, WavenetNetwork, prepare_wavenet};
use neurdsp_simd::Isa;

const PLAIN: Features = Features { plain: true, films: false };
const RICH: Features = Features { plain: false, films: false };
const FILMS: Features = Features { plain: false, films: true };

/// Noise that begins and ends with silence.
fn signal(frames: usize, seed: u64) -> Vec<f32> {
    let mut random = Random(seed);
    (0..frames).map(|t| if t % 150 < 100 { random.value(0.7) } else { 0.0 }).collect()
}

fn stream(network: &WavenetNetwork, conventions: Conventions, isa: Isa) -> MonoStream {
    let prepared = prepare_wavenet(network, conventions, isa).unwrap();
    MonoStream::new(&prepared, network.receptive_field()).unwrap()
}

fn play(stream: &mut dyn StreamingModel, input: &[f32], blocks: &[usize]) -> Vec<f32> {
    let mut output = vec![f32::NAN; input.len()];
    let (mut at, mut turn) = (0, 0);
    while at < input.len() {
        let n = blocks[turn % blocks.len()].min(input.len() - at);
        stream.process(&input[at..at + n], &mut output[at..at + n]);
        (at, turn) = (at + n, turn + 1);
    }
    output
}

/// The largest difference, in dB of the largest expected value.
fn error_db(got: &[f32], expected: &[f64]) -> f64 {
    let peak = expected.iter().fold(0.0f64, |a, y| a.max(y.abs()));
    let worst = got.iter().zip(expected).fold(0.0f64, |a, (y, e)| a.max((f64::from(*y) - e).abs()));
    assert!(peak > 1e-6, "the network says something");
    20.0 * (worst / peak).log10()
}

fn check(network: &WavenetNetwork, conventions: Conventions, seed: u64) {
    let input = signal(250, seed);
    let exact = vec![input.iter().map(|&x| f64::from(x)).collect()];
    let expected = reference::render(network, &exact, conventions);
    for isa in Isa::available() {
        let got = play(&mut stream(network, conventions, isa), &input, &[64, 7, 33]);
        let error = error_db(&got, &expected[0]);
        assert!(error < -110.0, "{} seed {seed}: {error:.1} dB", isa.name());
    }
}

#[test]
fn plain_networks_match_double_precision() {
    for seed in 0..40 {
        check(&Random(seed).network(PLAIN, 1, 1), Conventions::Core, seed);
    }
}

#[test]
fn networks_of_every_feature_match_double_precision_by_either_convention() {
    let mut by_trainer = 0;
    for seed in 0..60 {
        let features = if seed % 2 == 0 { RICH } else { FILMS };
        let network = Random(seed).network(features, 1, 1);
        check(&network, Conventions::Core, seed);
        // The trainer adds the activation where there is no 1x1, which takes as many channels on both sides.
        let fits = network.arrays.iter().all(|array| {
            array.bottleneck == array.channels || array.layers.iter().all(|layer| layer.layer1x1.is_some())
        });
        if fits {
            check(&network, Conventions::Trainer, seed);
            by_trainer += 1;
        }
    }
    assert!(by_trainer > 30, "{by_trainer}");
}

/// A model of one input and three outputs, as a `.nam` file.
const CONDITION: &str = r#"{"version":"0.7.0","architecture":"WaveNet","sample_rate":48000,
    "config":{"head_scale":1.0,"head":null,"layers":[{"input_size":1,"condition_size":1,"channels":2,
    "head":{"out_channels":3,"kernel_size":2,"bias":true},"kernel_size":2,"dilations":[3],"activation":"Tanh"}]},
    "weights":[0.5,-0.7, 0.1,0.2,0.3,0.4,-0.5,0.6,0.7,0.8, 0.05,-0.1, 0.9,-1.1, 0.2,0.3,0.4,-0.5, 0.1,-0.2,
    0.3,0.5,-0.7,0.9,0.2,-0.4,0.6,0.8,1.0,-0.3,0.2,-0.6, 0.4,0.1,-0.2, 1.0]}"#;

#[test]
fn a_condition_of_several_channels_comes_from_a_model_of_its_own() {
    let condition = NamFile::from_bytes(CONDITION.as_bytes()).unwrap();
    for seed in 0..20 {
        let mut network = Random(seed).network(FILMS, 3, 1);
        network.condition = Some(Box::new(condition.clone()));
        check(&network, Conventions::Core, seed);
    }
}

#[test]
fn the_cut_into_blocks_does_not_change_a_bit() {
    let input = signal(500, 3);
    for seed in 0..30 {
        let network = Random(seed).network([PLAIN, RICH, FILMS][seed as usize % 3], 1, 1);
        for isa in Isa::available() {
            let whole = play(&mut stream(&network, Conventions::Core, isa), &input, &[500]);
            for blocks in [&[64][..], &[1], &[16, 5, 63, 65], &[37]] {
                let cut = play(&mut stream(&network, Conventions::Core, isa), &input, blocks);
                assert!(whole.iter().zip(&cut).all(|(a, b)| a.to_bits() == b.to_bits()), "seed {seed}");
            }
        }
    }
}

#[test]
fn the_start_is_the_state_after_silence_and_reset_returns_to_it() {
    for seed in 0..30 {
        let network = Random(seed).network(FILMS, 1, 1);
        let mut amp = stream(&network, Conventions::Core, Isa::detect());
        let input = signal(300, seed);
        let first = play(&mut amp, &input, &[64]);
        // Denormal input is not zero, so the idle path does not hide what is computed, but counts as zero in the network.
        play(&mut amp, &vec![1e-40; network.receptive_field() + 70], &[64]);
        assert_eq!(play(&mut amp, &input, &[64]), first, "after silence, seed {seed}");
        amp.reset();
        assert_eq!(play(&mut amp, &input, &[64]), first, "after a reset, seed {seed}");
    }
}

#[test]
fn silence_is_computed_once_and_stays_the_same_to_the_bit() {
    for seed in 0..20 {
        let network = Random(seed).network(RICH, 1, 1);
        let field = network.receptive_field();
        let mut input = signal(200, seed);
        input.extend(vec![0.0; field + 400]);
        input.extend(signal(200, seed + 1));
        // The same input to the network, but never silent by its bits.
        let awake: Vec<f32> = input.iter().map(|&x| if x == 0.0 { 1e-40 } else { x }).collect();
        let idle = play(&mut stream(&network, Conventions::Core, Isa::detect()), &input, &[64, 13]);
        let full = play(&mut stream(&network, Conventions::Core, Isa::detect()), &awake, &[64, 13]);
        assert!(idle.iter().zip(&full).all(|(a, b)| a == b), "seed {seed}");
    }
}

#[test]
fn nan_and_infinity_leave_no_trace_after_one_receptive_field() {
    for seed in 0..30 {
        let network = Random(seed).network([PLAIN, FILMS][seed as usize % 2], 1, 1);
        let field = network.receptive_field();
        let input = signal(field + 400, seed);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 3e38] {
            let mut spoilt = input.clone();
            spoilt[100] = bad;
            for isa in Isa::available() {
                let clean = play(&mut stream(&network, Conventions::Core, isa), &input, &[64, 30]);
                let got = play(&mut stream(&network, Conventions::Core, isa), &spoilt, &[64, 30]);
                assert_eq!(got[..100], clean[..100], "seed {seed}");
                assert_eq!(got[100 + field..], clean[100 + field..], "{bad} {} seed {seed}", isa.name());
            }
        }
    }
}

#[test]
fn several_outputs_come_frame_by_frame() {
    let condition = NamFile::from_bytes(CONDITION.as_bytes()).unwrap();
    let Network::Wavenet(network) = condition.network() else { panic!("a WaveNet") };
    let input = signal(200, 1);
    let exact = vec![input.iter().map(|&x| f64::from(x)).collect()];
    let expected = reference::render(network, &exact, Conventions::Core);
    let prepared = prepare_wavenet(network, Conventions::Core, Isa::detect()).unwrap();
    let mut amp = prepared.clone().build().unwrap();
    assert_eq!((amp.in_channels(), amp.out_channels()), (1, 3));
    let mut frames = vec![0.0; 600];
    amp.process_frames(&input, &mut frames);
    for (channel, expected) in expected.iter().enumerate() {
        let got: Vec<f32> = frames.iter().skip(channel).step_by(3).copied().collect();
        assert!(error_db(&got, expected) < -120.0);
    }
    let mut frame = [0.0; 3];
    amp.settle(&mut frame);
    let mut silent = [0.0; 3];
    prepared.build().unwrap().process_frames(&[1e-40], &mut silent);
    assert_eq!(frame, silent);
}
