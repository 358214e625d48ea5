//! The allocation guard trips when it should, and the amp model never trips it.
// Helpers outside of a test function may unwrap as well.
#![allow(clippy::unwrap_used)]

use neurdsp_models::StreamingModel;
use neurdsp_models::amp::residual::{LayerWeights, ResidualConfig, ResidualStream, ResidualWeights};
use neurdsp_rt::alloc_guard::{Allocations, GuardedAllocator, count_allocations, forbid_allocations};
use std::hint::black_box;
use std::process::Command;

#[global_allocator]
static ALLOCATOR: GuardedAllocator = GuardedAllocator;

/// Set in the child processes that are meant to abort.
const CHILD: &str = "NEURDSP_TEST_ALLOC_GUARD_CHILD";

#[test]
fn allocations_and_frees_are_counted_each() {
    let (boxed, seen) = count_allocations(|| black_box(Box::new(1u64)));
    assert_eq!(seen, Allocations { allocations: 1, frees: 0 });
    let ((), seen) = count_allocations(|| drop(boxed));
    assert_eq!(seen, Allocations { allocations: 0, frees: 1 });
    let mut vector = vec![0u8; 10];
    let ((), seen) = count_allocations(|| vector.reserve_exact(100_000));
    assert_eq!(seen, Allocations { allocations: 1, frees: 0 });
    let (_, seen) = count_allocations(|| black_box(1 + 1));
    assert_eq!(seen, Allocations::default());
}

#[test]
fn other_threads_are_not_counted() {
    let (from, to) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            from.wait();
            drop(black_box(vec![0u8; 1000]));
            to.wait();
        });
        let ((), seen) = count_allocations(|| {
            from.wait();
            to.wait();
        });
        assert_eq!(seen, Allocations::default());
    });
}

#[test]
fn a_forbidden_allocation_or_free_ends_the_process() {
    if let Ok(what) = std::env::var(CHILD) {
        let boxed = Box::new(1u64);
        match what.as_str() {
            "allocate" => drop(forbid_allocations(|| black_box(Box::new(2u64)))),
            "free" => forbid_allocations(|| drop(black_box(boxed))),
            _ => assert_eq!(forbid_allocations(|| black_box(2)), 2),
        }
        return;
    }
    for (what, said) in
        [("allocate", Some("memory was allocated")), ("free", Some("memory was freed")), ("nothing", None)]
    {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_forbidden_allocation_or_free_ends_the_process", "--nocapture"])
            .env(CHILD, what)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&child.stderr);
        assert_eq!(child.status.success(), said.is_none(), "{what}: {stderr}");
        assert!(stderr.contains(said.unwrap_or("")), "{what}: {stderr}");
    }
}

#[test]
fn the_amp_model_never_allocates_or_frees_once_built() {
    for (channels, num_layers) in [(16, 6), (18, 9), (32, 10), (48, 12), (3, 4)] {
        let config = ResidualConfig { channels, num_layers, kernel_size: 3, dilation_base: 2 };
        let mut value = 0.0f32;
        let mut values = |count: usize| -> Vec<f32> {
            let mut next = || {
                value = (value + 0.37) % 1.0;
                (value - 0.5) / channels as f32
            };
            (0..count).map(|_| next()).collect()
        };
        let weights = ResidualWeights {
            input_weight: values(channels),
            input_bias: values(channels),
            layers: (0..num_layers)
                .map(|_| LayerWeights { weight: values(channels * channels * 3), bias: values(channels) })
                .collect(),
            output_weight: values(channels),
            output_bias: 0.0,
        };
        let mut amp = ResidualStream::new(&config, &weights).unwrap();
        let input: Vec<f32> = (0..2048).map(|i| (i as f32 * 0.05).sin()).collect();
        let mut output = vec![0.0; input.len()];
        let ((), seen) = count_allocations(|| {
            for block in [1, 7, 16, 63, 64, 65, 128, 500, 512, 2048] {
                for (input, output) in input.chunks(block).zip(output.chunks_mut(block)) {
                    amp.process(input, output);
                }
            }
            amp.process(&[f32::NAN, f32::INFINITY, 1e-40], &mut output);
            amp.process(&[], &mut []);
            amp.reset();
            amp.prewarm();
        });
        assert_eq!(seen, Allocations::default(), "{config:?}");
        assert!(output[3..].iter().all(|y| y.is_finite()));
    }
}

#[test]
fn nam_models_never_allocate_or_free_once_built() {
    let wavenet = r#"{"head_scale": 1, "layers": [{"input_size": 1, "condition_size": 1, "channels": 4, "kernel_size": 3,
        "dilations": [1, 2], "activation": "Tanh", "gated": true, "head_size": 1, "head_bias": false}]}"#;
    let cases = [
        ("LSTM", r#"{"input_size": 1, "hidden_size": 16, "num_layers": 2}"#, 1152 + 32 + 2112 + 32 + 17),
        (
            "ConvNet",
            r#"{"channels": 4, "dilations": [1, 8], "batchnorm": false, "activation": "ReLU"}"#,
            12 + 36 + 5,
        ),
        ("Linear", r#"{"receptive_field": 100, "bias": true}"#, 101),
        ("Linear", r#"{"receptive_field": 20000, "bias": false}"#, 20_000),
        ("WaveNet", wavenet, 4 + 2 * (96 + 8 + 8 + 16 + 4) + 4 + 1),
    ];
    for (architecture, config, n_weights) in cases {
        let weights: Vec<String> = (0..n_weights).map(|i| format!("{:.3}", (i as f32).sin() * 0.2)).collect();
        let document = format!(
            r#"{{"version": "0.5.4", "architecture": "{architecture}", "config": {config}, "weights": [{}]}}"#,
            weights.join(",")
        );
        let mut stream = neurdsp_models::load_bytes(document.as_bytes()).unwrap().build_stream().unwrap();
        let input: Vec<f32> = (0..8192).map(|i| (i as f32 * 0.05).sin()).collect();
        let mut output = vec![0.0; input.len()];
        let ((), seen) = count_allocations(|| {
            for block in [1, 7, 64, 65, 500, 8192] {
                for (input, output) in input.chunks(block).zip(output.chunks_mut(block)) {
                    stream.process(input, output);
                }
            }
            stream.process(&[f32::NAN, f32::INFINITY, 1e-40], &mut output);
            stream.process(&[], &mut []);
            stream.reset();
        });
        assert_eq!(seen, Allocations::default(), "{architecture}");
    }
}

/// A `.nam` file of a WaveNet of this config, with so many weights.
fn wavenet(config: &str, n_weights: usize) -> String {
    let weights: Vec<String> =
        (0..n_weights).map(|i| format!("{:.4}", (i as f32 * 0.7).sin() * 0.5)).collect();
    format!(
        r#"{{"version":"0.7.0","architecture":"WaveNet","sample_rate":48000,"config":{config},"weights":[{}]}}"#,
        weights.join(",")
    )
}

#[test]
fn no_wavenet_of_the_nam_format_allocates_or_frees_once_built() {
    let condition = wavenet(
        r#"{"head_scale":1.0,"head":null,"layers":[{"input_size":1,"condition_size":1,"channels":2,"kernel_size":2,
        "head":{"out_channels":3,"kernel_size":2,"bias":true},"dilations":[3],"activation":"Tanh"}]}"#,
        36,
    );
    let rich = format!(
        r#"{{"head_scale":1.0,"head":null,"condition_dsp":{condition},"layers":[{{"input_size":1,"condition_size":3,
        "channels":2,"kernel_size":2,"dilations":[1,2],"activation":"SiLU","gating_mode":"gated",
        "conv_pre_film":{{"active":true}},"activation_post_film":{{"active":true}},
        "head":{{"out_channels":1,"kernel_size":1,"bias":true}}}}]}}"#
    );
    let plain = |channels: usize| {
        format!(
            r#"{{"head_scale":1.0,"head":null,"layers":[{{"input_size":1,"condition_size":1,"channels":{channels},
            "kernel_size":3,"dilations":[1,64],"activation":"Tanh","head_size":1,"head_bias":true}}]}}"#
        )
    };
    let plain_weights = |c: usize| c + 2 * (3 * c * c + c + c + c * c + c) + c + 1 + 1;
    let models =
        [wavenet(&rich, 146), wavenet(&plain(3), plain_weights(3)), wavenet(&plain(13), plain_weights(13))];
    for document in &models {
        let model = neurdsp_models::load_bytes(document.as_bytes()).unwrap();
        let mut amp = model.build_stream().unwrap();
        let input: Vec<f32> = (0..2048).map(|i| (i as f32 * 0.05).sin()).collect();
        let silence = vec![0.0; 2048];
        let mut output = vec![0.0; input.len()];
        let ((), seen) = count_allocations(|| {
            for block in [1, 7, 63, 64, 65, 500, 2048] {
                for (input, output) in input.chunks(block).zip(output.chunks_mut(block)) {
                    amp.process(input, output);
                }
                amp.process(&silence, &mut output);
            }
            amp.process(&[f32::NAN, f32::INFINITY, 1e-40], &mut output);
            amp.process(&[], &mut []);
            amp.reset();
            amp.prewarm();
        });
        assert_eq!(seen, Allocations::default(), "{}", &document[..60]);
        amp.process(&input, &mut output);
        assert!(output.iter().all(|y| y.is_finite()));
    }
}
