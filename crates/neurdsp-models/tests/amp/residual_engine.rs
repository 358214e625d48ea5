//! The engine against the definition of the amp model, computed naively in double precision.

use neurdsp_models::StreamingModel;
use neurdsp_models::amp::residual::{
    LayerWeights, PreparedResidual, ResidualConfig, ResidualStream, ResidualWeights,
};
use neurdsp_simd::Isa;
use proptest::prelude::*;
use std::sync::Arc;

/// Values in [-1, 1), the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    }

    fn values(&mut self, count: usize, scale: f32) -> Vec<f32> {
        (0..count).map(|_| self.next() * scale).collect()
    }
}

fn config(channels: usize, num_layers: usize, kernel_size: usize, dilation_base: usize) -> ResidualConfig {
    ResidualConfig { channels, num_layers, kernel_size, dilation_base }
}

fn random_weights(config: &ResidualConfig, seed: u64) -> ResidualWeights {
    let mut random = Random(seed);
    let (c, k) = (config.channels, config.kernel_size);
    // The scale of PyTorch's initial weights.
    let scale = 1.0 / ((c * k) as f32).sqrt();
    ResidualWeights {
        input_weight: random.values(c, 1.0),
        input_bias: random.values(c, 1.0),
        layers: (0..config.num_layers)
            .map(|_| LayerWeights { weight: random.values(c * c * k, scale), bias: random.values(c, scale) })
            .collect(),
        output_weight: random.values(c, 1.0 / (c as f32).sqrt()),
        output_bias: random.next() * 0.1,
    }
}

/// The definition: every layer over the whole signal, after one receptive field of zeros.
fn reference(config: &ResidualConfig, weights: &ResidualWeights, input: &[f32]) -> Vec<f64> {
    let (c, k) = (config.channels, config.kernel_size);
    let burn_in = config.receptive_field();
    let frames = burn_in + input.len();
    let mut h = vec![0.0; frames * c];
    for t in 0..frames {
        let x = if t < burn_in { 0.0 } else { f64::from(input[t - burn_in]) };
        for o in 0..c {
            h[t * c + o] = f64::from(weights.input_weight[o]) * x + f64::from(weights.input_bias[o]);
        }
    }
    for (layer, dilation) in weights.layers.iter().zip(config.dilations()) {
        let w: Vec<f64> = layer.weight.iter().map(|&w| f64::from(w)).collect();
        let mut next = h.clone();
        for t in 0..frames {
            for o in 0..c {
                let mut sum = f64::from(layer.bias[o]);
                for tap in 0..k {
                    // Before the burn-in the past repeats its first frame: with zeros for ever, it is constant.
                    let at = t.saturating_sub((k - 1 - tap) * dilation);
                    for i in 0..c {
                        sum += w[(o * c + i) * k + tap] * h[at * c + i];
                    }
                }
                next[t * c + o] += sum.tanh();
            }
        }
        h = next;
    }
    let out = |t: usize| -> f64 {
        (0..c).map(|o| f64::from(weights.output_weight[o]) * h[t * c + o]).sum::<f64>()
            + f64::from(weights.output_bias)
    };
    (burn_in..frames).map(out).collect()
}

fn stream(config: &ResidualConfig, weights: &ResidualWeights, isa: Isa) -> ResidualStream {
    ResidualStream::from_prepared(Arc::new(PreparedResidual::for_isa(config, weights, isa).unwrap())).unwrap()
}

/// Plays `input` in blocks of these lengths, over and over.
fn play(model: &mut ResidualStream, input: &[f32], blocks: &[usize]) -> Vec<f32> {
    let mut output = vec![f32::NAN; input.len()];
    let (mut at, mut lengths) = (0, blocks.iter().cycle());
    while at < input.len() {
        let end = (at + lengths.next().unwrap()).min(input.len());
        model.process(&input[at..end], &mut output[at..end]);
        at = end;
    }
    output
}

/// Asserts that the engine meets the definition to 2e-6 of its peak, on every instruction set. The peak counts as at least
/// `least`.
fn assert_meets_definition(config: &ResidualConfig, seed: u64, samples: usize, least: f64) {
    let weights = random_weights(config, seed);
    let input = Random(seed + 1).values(samples, 0.8);
    let expected = reference(config, &weights, &input);
    let peak = expected.iter().fold(least, |a: f64, b| a.max(b.abs()));
    for isa in Isa::available() {
        let output = play(&mut stream(config, &weights, isa), &input, &[samples]);
        let worst = output.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
        assert!(worst <= 2e-6 * peak, "{config:?} on {}: {:e} of peak", isa.name(), worst / peak);
    }
}

#[test]
fn the_presets_meet_the_definition_on_every_instruction_set() {
    assert_meets_definition(&config(16, 6, 3, 2), 1, 600, 0.0);
    assert_meets_definition(&config(18, 9, 3, 2), 2, 400, 0.0);
    assert_meets_definition(&config(32, 10, 3, 2), 3, 200, 0.0);
}

#[test]
fn the_largest_preset_meets_the_definition_on_every_instruction_set() {
    assert_meets_definition(&config(48, 12, 3, 2), 4, 100, 0.0);
}

#[test]
fn the_output_is_the_same_bit_for_bit_whatever_the_blocks() {
    for shape in [config(16, 6, 3, 2), config(18, 9, 3, 2), config(32, 10, 3, 2), config(5, 3, 4, 3)] {
        let weights = random_weights(&shape, 7);
        let input = Random(8).values(3 * shape.receptive_field() + 1000, 0.8);
        for isa in Isa::available() {
            let mut model = stream(&shape, &weights, isa);
            let whole = play(&mut model, &input, &[input.len()]);
            let mut random = Random(9);
            let random: Vec<usize> = (0..50).map(|_| 1 + (random.next().abs() * 600.0) as usize).collect();
            for blocks in [&[1][..], &[7], &[64], &[65], &[512], &[63, 2, 130, 1], &random] {
                model.reset();
                let same = play(&mut model, &input, blocks) == whole;
                assert!(same, "{shape:?} on {} with blocks {:?}", isa.name(), &blocks[..blocks.len().min(4)]);
            }
        }
    }
}

#[test]
fn a_new_stream_has_heard_silence_for_ever() {
    for shape in [config(16, 6, 3, 2), config(18, 5, 3, 2), config(7, 3, 5, 3)] {
        let weights = random_weights(&shape, 11);
        for isa in Isa::available() {
            let mut model = stream(&shape, &weights, isa);
            let silence = play(&mut model, &vec![0.0; 2 * shape.receptive_field()], &[64]);
            assert!(silence.iter().all(|y| y.to_bits() == silence[0].to_bits()), "{shape:?} {}", isa.name());
        }
    }
}

#[test]
fn silence_of_either_sign_is_the_same_to_the_bit() {
    let shape = config(16, 6, 3, 2);
    let weights = random_weights(&shape, 12);
    let sound = Random(13).values(300, 0.8);
    for isa in Isa::available() {
        // A denormal number counts as zero in the network, but is not silence, so the last stream never rests.
        let [positive, negative, awake] = [0.0, -0.0, 1e-40].map(|zero| {
            let input = [&sound[..], &vec![zero; 3 * shape.receptive_field()], &sound].concat();
            play(&mut stream(&shape, &weights, isa), &input, &[64])
        });
        let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
        assert!(bits(&positive) == bits(&negative) && bits(&positive) == bits(&awake), "{}", isa.name());
    }
}

#[test]
fn nan_and_infinity_leave_no_trace_after_one_receptive_field() {
    let shape = config(18, 6, 3, 2);
    let weights = random_weights(&shape, 13);
    let clean = Random(14).values(1000, 0.8);
    for isa in Isa::available() {
        let expected = play(&mut stream(&shape, &weights, isa), &clean, &[64]);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
            let mut dirty = clean.clone();
            dirty[300] = bad;
            let output = play(&mut stream(&shape, &weights, isa), &dirty, &[64]);
            assert!(output[..300] == expected[..300]);
            assert_ne!(output[300].to_bits(), expected[300].to_bits());
            let after = 300 + shape.receptive_field();
            assert!(output[after..] == expected[after..], "{bad} on {}", isa.name());
        }
    }
}

#[test]
fn streams_that_share_weights_do_not_disturb_each_other() {
    let shape = config(16, 4, 3, 2);
    let weights = random_weights(&shape, 17);
    let mut first = ResidualStream::new(&shape, &weights).unwrap();
    let mut second = ResidualStream::from_prepared(first.prepared().clone()).unwrap();
    let input = Random(18).values(500, 0.8);
    let expected = play(&mut first, &input, &[500]);
    first.reset();
    let mut outputs = [vec![0.0; 500], vec![0.0; 500]];
    for at in (0..500).step_by(50) {
        first.process(&input[at..at + 50], &mut outputs[0][at..at + 50]);
        second.process(&input[at..at + 50], &mut outputs[1][at..at + 50]);
    }
    assert!(outputs[0] == expected && outputs[1] == expected);
}

#[test]
fn lengths_that_differ_are_cut_to_the_shorter() {
    let shape = config(4, 2, 2, 2);
    let mut model = ResidualStream::new(&shape, &random_weights(&shape, 19)).unwrap();
    let mut output = [9.0; 6];
    model.process(&[0.1; 4], &mut output);
    assert_eq!(output[4..], [9.0, 9.0]);
    assert!(output[..4].iter().all(|&y| y != 9.0));
    model.process(&[], &mut output);
    model.process(&[0.1; 4], &mut []);
}

#[test]
fn weights_that_do_not_fit_are_refused_by_name() {
    let shape = config(4, 2, 3, 2);
    let mut weights = random_weights(&shape, 21);
    weights.layers[1].bias.pop();
    let message = ResidualStream::new(&shape, &weights).unwrap_err().to_string();
    assert!(message.contains("layers.1.conv.bias"), "{message}");
    assert!(ResidualStream::new(&config(1_000_000_000, 2, 3, 2), &weights).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn random_models_meet_the_definition_at_random_block_sizes(
        channels in 1usize..26,
        num_layers in 1usize..5,
        kernel_size in 1usize..6,
        dilation_base in 1usize..4,
        blocks in prop::collection::vec(1usize..200, 1..6),
        seed in any::<u32>(),
    ) {
        let shape = config(channels, num_layers, kernel_size, dilation_base);
        let weights = random_weights(&shape, u64::from(seed));
        // With few channels the terms of the output can cancel: the rounding error scales with the terms, not the output.
        let terms = weights.output_weight.iter().map(|w| f64::from(w.abs())).sum::<f64>();
        assert_meets_definition(&shape, u64::from(seed), 150, terms);
        let input = Random(u64::from(seed) + 1).values(600, 0.8);
        for isa in Isa::available() {
            let mut model = stream(&shape, &weights, isa);
            let whole = play(&mut model, &input, &[600]);
            model.reset();
            prop_assert!(play(&mut model, &input, &blocks) == whole);
        }
    }
}
