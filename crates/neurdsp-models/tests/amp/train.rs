//! Training passes: forward against the definition of the networks, gradients against difference quotients.

use neurdsp_models::amp::nam::{Activation, Conv, Gating, NamFile, Network, WavenetNetwork};
use neurdsp_models::amp::residual::ResidualConfig;
use neurdsp_models::amp::train::WavenetTrainer;

/// Noise between -1 and 1.
fn noise(seed: u64, len: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

/// Configs with every feature that can be trained.
fn configs() -> Vec<String> {
    let array = |more: &str| {
        format!(r#"{{"head_scale": 1, "layers": [{{"input_size": 1, "condition_size": 1, {more}}}]}}"#)
    };
    vec![
        array(
            r#""channels": 3, "kernel_sizes": [6, 2, 15], "dilations": [1, 7, 3], "activation": "LeakyReLU",
               "head": {"out_channels": 1, "kernel_size": 16, "bias": true}"#,
        ),
        array(
            r#""channels": 5, "bottleneck": 4, "kernel_size": 3, "dilations": [1, 40], "activation": ["Tanh", "SiLU"],
               "gating_mode": ["gated", "none"], "head1x1": {"active": true, "out_channels": 2},
               "head": {"out_channels": 1, "kernel_size": 3, "bias": false, "head_dilation": 5}"#,
        ),
        array(
            r#""channels": 2, "kernel_size": 2, "dilations": [1, 2, 4], "layer1x1": {"active": false},
               "activation": [{"type": "PReLU", "negative_slopes": [0.2, -0.3]}, "Softsign", "Hardswish"],
               "head_size": 1, "head_bias": true"#,
        ),
        r#"{"head_scale": 1, "layers": [
            {"input_size": 1, "condition_size": 1, "channels": 9, "kernel_size": 3, "dilations": [1, 2, 4],
             "activation": "Tanh", "gated": true, "head_size": 4, "head_bias": false},
            {"input_size": 9, "condition_size": 1, "channels": 4, "kernel_size": 3, "dilations": [64, 1],
             "activation": [{"type": "LeakyHardtanh", "min_slope": 0.2}, "ReLU"],
             "head_size": 1, "head_bias": true}]}"#
            .to_owned(),
    ]
}

fn network(config: &str) -> (WavenetNetwork, Vec<f64>) {
    let count = WavenetTrainer::<f64>::nam(&WavenetNetwork::from_config(config.as_bytes()).unwrap()).unwrap();
    let weights: Vec<f64> =
        noise(7, count.n_parameters()).iter().map(|w| f64::from((0.5 * w) as f32)).collect();
    let list: Vec<String> = weights.iter().map(ToString::to_string).collect();
    let text = format!(
        r#"{{"version": "0.5.4", "architecture": "WaveNet", "config": {config}, "weights": [{}]}}"#,
        list.join(",")
    );
    let Network::Wavenet(network) = NamFile::from_bytes(text.as_bytes()).unwrap().network().clone() else {
        panic!("not a WaveNet")
    };
    (network, weights)
}

type Rows = Vec<Vec<f64>>;

/// The definition of a convolution, with zeros before the beginning.
fn convolve(conv: &Conv, input: &Rows) -> Rows {
    let bias = conv.dense_bias();
    (0..conv.outputs)
        .map(|o| {
            (0..input[0].len())
                .map(|t| {
                    let mut sum = f64::from(bias[o]);
                    for (i, row) in input.iter().enumerate() {
                        for k in 0..conv.kernel_size {
                            let lag = (conv.kernel_size - 1 - k) * conv.dilation;
                            let weight = conv.weight[(o * conv.inputs + i) * conv.kernel_size + k];
                            sum += if lag <= t { f64::from(weight) * row[t - lag] } else { 0.0 };
                        }
                    }
                    sum
                })
                .collect()
        })
        .collect()
}

fn add(a: &Rows, b: &Rows) -> Rows {
    a.iter().zip(b).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a + b).collect()).collect()
}

fn apply(activation: &Activation, rows: &[Vec<f64>]) -> Rows {
    let one =
        |(channel, row): (usize, &Vec<f64>)| row.iter().map(|&x| activation.evaluate(x, channel)).collect();
    rows.iter().enumerate().map(one).collect()
}

/// The definition of the network, from silence.
fn play(network: &WavenetNetwork, input: &[f64]) -> Vec<f64> {
    let condition = vec![input.to_vec()];
    let mut hidden = condition.clone();
    let mut sum: Option<Rows> = None;
    for array in &network.arrays {
        hidden = convolve(&array.rechannel, &hidden);
        for layer in &array.layers {
            let z = add(&convolve(&layer.conv, &hidden), &convolve(&layer.mixin, &condition));
            let mut values = apply(&layer.activation, &z[..array.bottleneck]);
            if let Gating::Gated(gate) = &layer.gating {
                for (row, gate) in values.iter_mut().zip(apply(gate, &z[array.bottleneck..])) {
                    row.iter_mut().zip(gate).for_each(|(value, gate)| *value *= gate);
                }
            }
            let head = layer.head1x1.as_ref().map_or_else(|| values.clone(), |conv| convolve(conv, &values));
            sum = Some(sum.map_or_else(|| head.clone(), |sum| add(&sum, &head)));
            if let Some(conv) = &layer.layer1x1 {
                hidden = add(&hidden, &convolve(conv, &values));
            }
        }
        sum = sum.map(|sum| convolve(&array.head, &sum));
    }
    sum.unwrap()[0].iter().map(|value| f64::from(network.head_scale) * value).collect()
}

const CROPS: usize = 3;

/// Outputs for all crops, and what was kept.
fn forward(
    trainer: &WavenetTrainer<f64>,
    weights: &[f64],
    input: &[f64],
    threads: usize,
) -> (Vec<f64>, Vec<f64>) {
    let n_samples = input.len() / CROPS;
    let mut output = vec![0.0; CROPS * (n_samples + 1 - trainer.receptive_field())];
    let mut tape = vec![f64::NAN; CROPS * trainer.tape_len(n_samples).unwrap()];
    trainer.forward(weights, input, n_samples, &mut output, &mut tape, threads).unwrap();
    assert!(tape.iter().all(|value| value.is_finite()), "every value of the tape is written");
    (output, tape)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Checks both gradients of `trainer` along random directions, and that threads change nothing.
fn check_gradients(trainer: &WavenetTrainer<f64>, weights: &[f64]) {
    for n_samples in [trainer.receptive_field(), trainer.receptive_field() + 777] {
        let input = noise(1, CROPS * n_samples);
        let (output, tape) = forward(trainer, weights, &input, 1);
        let output_gradient = noise(2, output.len());
        let loss =
            |weights: &[f64], input: &[f64]| dot(&forward(trainer, weights, input, 2).0, &output_gradient);
        let gradients = |threads| {
            let mut gradient = vec![f64::NAN; weights.len()];
            let mut input_gradient = vec![f64::NAN; input.len()];
            let wanted = Some(&mut input_gradient[..]);
            trainer
                .backward(weights, &tape, n_samples, &output_gradient, &mut gradient, wanted, threads)
                .unwrap();
            (gradient, input_gradient)
        };
        let (gradient, input_gradient) = gradients(1);
        assert_eq!((gradient.clone(), input_gradient.clone()), gradients(3));
        let mut alone = vec![f64::NAN; weights.len()];
        trainer.backward(weights, &tape, n_samples, &output_gradient, &mut alone, None, 1).unwrap();
        assert_eq!(alone, gradient);

        let step = 1e-6;
        let moved = |from: &[f64], along: &[f64], by: f64| -> Vec<f64> {
            from.iter().zip(along).map(|(a, b)| a + by * b).collect()
        };
        for seed in 0..4 {
            let along = noise(20 + seed, weights.len());
            let change =
                loss(&moved(weights, &along, step), &input) - loss(&moved(weights, &along, -step), &input);
            let found = dot(&gradient, &along);
            assert!((change / (2.0 * step) - found).abs() < 1e-6 * (1.0 + found.abs()), "{change} {found}");
            let along = noise(30 + seed, input.len());
            let change =
                loss(weights, &moved(&input, &along, step)) - loss(weights, &moved(&input, &along, -step));
            let found = dot(&input_gradient, &along);
            assert!((change / (2.0 * step) - found).abs() < 1e-6 * (1.0 + found.abs()), "{change} {found}");
        }
    }
}

#[test]
fn networks_of_the_nam_format_are_their_definition_and_so_are_their_gradients() {
    for config in configs() {
        let (network, weights) = network(&config);
        let trainer = WavenetTrainer::nam(&network).unwrap();
        let field = network.receptive_field();
        assert_eq!(trainer.receptive_field(), field);
        let n_samples = field + 300;
        let input = noise(3, CROPS * n_samples);
        let (output, _) = forward(&trainer, &weights, &input, 2);
        for (input, output) in input.chunks(n_samples).zip(output.chunks(301)) {
            for (found, wanted) in output.iter().zip(&play(&network, input)[field - 1..]) {
                assert!((found - wanted).abs() < 1e-12 * (1.0 + wanted.abs()), "{found} {wanted} {config}");
            }
        }
        check_gradients(&trainer, &weights);
    }
}

#[test]
fn the_residual_network_is_its_definition_and_so_are_its_gradients() {
    let config = ResidualConfig { channels: 3, num_layers: 4, kernel_size: 3, dilation_base: 2 };
    let trainer = WavenetTrainer::residual(&config).unwrap();
    let weights: Vec<f64> = noise(5, config.n_parameters()).iter().map(|w| 0.6 * w).collect();
    assert_eq!(trainer.n_parameters(), weights.len());
    let conv = |weight: &[f64], bias: &[f64], inputs, kernel_size, dilation| Conv {
        inputs,
        outputs: bias.len(),
        kernel_size,
        dilation,
        groups: 1,
        weight: weight.iter().map(|&w| w as f32).collect(),
        bias: Some(bias.iter().map(|&b| b as f32).collect()),
    };
    let weights: Vec<f64> = weights.iter().map(|&w| f64::from(w as f32)).collect();
    let n_samples = 400;
    let input = noise(3, CROPS * n_samples);
    let (output, _) = forward(&trainer, &weights, &input, 1);
    let n_outputs = n_samples + 1 - config.receptive_field();
    for (input, output) in input.chunks(n_samples).zip(output.chunks(n_outputs)) {
        let mut hidden = convolve(&conv(&weights[..3], &weights[3..6], 1, 1, 1), &vec![input.to_vec()]);
        for (layer, dilation) in weights[6..].chunks(30).zip(config.dilations()) {
            let z = convolve(&conv(&layer[..27], &layer[27..], 3, 3, dilation), &hidden);
            hidden = add(&hidden, &apply(&Activation::Tanh, &z));
        }
        let last = weights.len() - 4;
        let wanted = convolve(&conv(&weights[last..last + 3], &weights[last + 3..], 3, 1, 1), &hidden);
        for (found, wanted) in output.iter().zip(&wanted[0][config.receptive_field() - 1..]) {
            assert!((found - wanted).abs() < 1e-12);
        }
    }
    check_gradients(&trainer, &weights);
}

#[test]
fn single_precision_is_near_double_precision() {
    for config in configs() {
        let (network, weights) = network(&config);
        let double = WavenetTrainer::nam(&network).unwrap();
        let single = WavenetTrainer::<f32>::nam(&network).unwrap();
        let n_samples = network.receptive_field() + 4095;
        let input: Vec<f64> = noise(4, CROPS * n_samples).iter().map(|&x| f64::from(x as f32)).collect();
        let narrow = |values: &[f64]| -> Vec<f32> { values.iter().map(|&v| v as f32).collect() };
        let (output, tape) = forward(&double, &weights, &input, 1);
        let output_gradient: Vec<f64> = noise(6, output.len()).iter().map(|&x| f64::from(x as f32)).collect();
        let mut wanted = vec![0.0; weights.len()];
        double.backward(&weights, &tape, n_samples, &output_gradient, &mut wanted, None, 1).unwrap();

        let weights = narrow(&weights);
        let mut found = vec![0.0f32; output.len()];
        let mut tape = vec![0.0f32; CROPS * single.tape_len(n_samples).unwrap()];
        single.forward(&weights, &narrow(&input), n_samples, &mut found, &mut tape, 1).unwrap();
        assert!(relative(&found, &output) < 1e-6, "{}", relative(&found, &output));
        let mut found = vec![0.0f32; weights.len()];
        let output_gradient = narrow(&output_gradient);
        single.backward(&weights, &tape, n_samples, &output_gradient, &mut found, None, 1).unwrap();
        assert!(relative(&found, &wanted) < 2e-6, "{}", relative(&found, &wanted));
    }
}

/// The root mean square of the error, relative to that of the truth.
fn relative(found: &[f32], wanted: &[f64]) -> f64 {
    let error: f64 = found.iter().zip(wanted).map(|(&a, b)| (f64::from(a) - b).powi(2)).sum();
    (error / dot(wanted, wanted)).sqrt()
}

#[test]
fn what_cannot_be_trained_is_refused_by_name() {
    let refuse = |more: &str| {
        let config = format!(
            r#"{{"layers": [{{"input_size": 1, "condition_size": 1, "channels": 2, "kernel_size": 2,
                "dilations": [1], "head_size": 1, "head_bias": true, {more}}}]}}"#
        );
        let network = WavenetNetwork::from_config(config.as_bytes()).unwrap();
        WavenetTrainer::<f32>::nam(&network).unwrap_err().to_string()
    };
    for (more, expected) in [
        (r#""activation": "Fasttanh""#, "Fasttanh"),
        (r#""activation": "Tanh", "gating_mode": "blended""#, "blended"),
        (r#""activation": "Tanh", "conv_post_film": {"active": true}"#, "film"),
        (r#""activation": "Tanh", "groups_input": 2"#, "2 groups"),
    ] {
        let message = refuse(more);
        assert!(message.contains(expected) && message.contains("not trained"), "{message}");
    }
    let trainer = WavenetTrainer::<f32>::nam(&network(&configs()[0]).0).unwrap();
    let message = trainer.tape_len(trainer.receptive_field() - 1).unwrap_err().to_string();
    assert!(message.contains("receptive field"), "{message}");
    assert!(trainer.tape_len(1 << 21).is_err());
    let message = trainer.forward(&[0.0; 3], &[0.0; 100], 100, &mut [], &mut [], 1).unwrap_err().to_string();
    assert_eq!(message, format!("the length of the weights is 3, but must be {}", trainer.n_parameters()));
}
