//! A small model and its file, and files with a header made by hand.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test uses a part; a failure here is the failure of the test"
)]

use neurdsp_models::amp::residual::{LayerWeights, ResidualConfig, ResidualStream, ResidualWeights};
use neurdsp_models::{AudioSpec, Header, ModelFile, SeedModel, StreamingModel, Tensor, Values, bf16, f16};
use std::collections::BTreeMap;

pub(crate) const CONFIG: ResidualConfig =
    ResidualConfig { channels: 2, num_layers: 2, kernel_size: 3, dilation_base: 2 };

/// Values between −1 and 1 without a pattern.
pub(crate) fn values(n: usize, seed: u32) -> Vec<f32> {
    (0..n).map(|i| ((i as f32 + 1.0) * 1.7 + seed as f32 * 0.9).sin()).collect()
}

pub(crate) fn weights() -> ResidualWeights {
    let layer = |seed| LayerWeights { weight: values(12, seed), bias: values(2, seed + 1) };
    ResidualWeights {
        input_weight: values(2, 1),
        input_bias: values(2, 2),
        layers: vec![layer(3), layer(5)],
        output_weight: values(2, 7),
        output_bias: 0.125,
    }
}

pub(crate) fn seed_model() -> SeedModel {
    SeedModel { name: "a test".to_owned(), sample_rate: 44_100.5, config: CONFIG, weights: weights() }
}

/// A file whose parity vectors are what the engine computes.
pub(crate) fn model_file() -> ModelFile {
    let header = Header {
        architecture: "amp.wavenet".to_owned(),
        config: serde_json::to_string(&CONFIG).unwrap(),
        audio: AudioSpec { sample_rate: 48_000.0, channels: 1 },
        producer: "a test".to_owned(),
        metrics: serde_json::Map::new(),
        parity_db: -100.0,
    };
    let mut tensors = weights().to_tensors(&CONFIG).unwrap();
    let input = values(64, 11);
    let mut output = vec![0.0; input.len()];
    ResidualStream::new(&CONFIG, &weights()).unwrap().process(&input, &mut output);
    tensors.insert("parity.input".to_owned(), Tensor::new(vec![64], input).unwrap());
    tensors.insert("parity.output".to_owned(), Tensor::new(vec![64], output).unwrap());
    ModelFile { metadata: header.to_metadata(), tensors }
}

/// A file with tensors of every type, scalars and empty ones among them; no architecture has these.
pub(crate) fn mixed_file() -> ModelFile {
    let tensor = |shape: &[usize], data| Tensor::from_values(shape.to_vec(), data).unwrap();
    let tensors = [
        ("a.int8", tensor(&[3], Values::I8(vec![-128, 0, 127]))),
        ("b.half", tensor(&[1, 3], Values::F16([1.5, -65_504.0, 6e-8].map(f16::from_f32).to_vec()))),
        ("c.brain", tensor(&[], Values::BF16(vec![bf16::from_f32(3e38)]))),
        ("d.single", tensor(&[2], Values::F32(vec![0.1, -0.0]))),
        ("e.none", tensor(&[0, 7], Values::I8(Vec::new()))),
        ("g.many", tensor(&[30, 20], Values::F16(values(600, 5).into_iter().map(f16::from_f32).collect()))),
        ("f.none", tensor(&[0], Values::F32(Vec::new()))),
    ];
    ModelFile {
        metadata: BTreeMap::from([("title".to_owned(), "every type".to_owned())]),
        tensors: tensors.into_iter().map(|(name, tensor)| (name.to_owned(), tensor)).collect(),
    }
}

/// A file of this header and so many zeros.
pub(crate) fn raw_file(header: &str, data_bytes: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.resize(bytes.len() + data_bytes, 0);
    bytes
}

/// A `.nam` document of the architecture and config, with as many small weights as it asks for.
pub(crate) fn nam(architecture: &str, config: serde_json::Value, n_weights: usize) -> serde_json::Value {
    let weights: Vec<f32> = values(n_weights, 3).iter().map(|w| 0.5 * w).collect();
    serde_json::json!({
        "version": "0.7.0", "architecture": architecture, "config": config, "weights": weights,
        "sample_rate": 48_000, "metadata": { "name": "a test", "loudness": -18.5, "gear_type": "amp" },
    })
}

/// Two layers of an LSTM of three units.
pub(crate) fn nam_lstm() -> serde_json::Value {
    let config = serde_json::json!({ "input_size": 1, "hidden_size": 3, "num_layers": 2 });
    nam("LSTM", config, (12 * 4 + 12 + 6) + (12 * 6 + 12 + 6) + 4)
}

/// Two blocks of four channels with batch normalisation, whose variances are positive.
pub(crate) fn nam_convnet() -> serde_json::Value {
    let config = serde_json::json!({
        "channels": 4, "dilations": [1, 5], "batchnorm": true,
        "activation": { "type": "PReLU", "negative_slopes": [0.5, 0.25, 0.125, 0.0] },
    });
    let mut file = nam("ConvNet", config, (8 + 17) + (32 + 17) + 5);
    for (first, block) in [(8, 0), (25 + 32, 1)] {
        for channel in 0..4 {
            file["weights"][first + 4 + channel] = (0.5 + 0.25 * f64::from(channel as u32 + block)).into();
        }
        file["weights"][first + 16] = f64::from(1e-5_f32).into();
    }
    file
}

/// An impulse response of 300 samples with a bias.
pub(crate) fn nam_linear() -> serde_json::Value {
    nam("Linear", serde_json::json!({ "receptive_field": 300, "bias": true }), 301)
}

/// A gated WaveNet of two arrays with modulations, whose condition is an LSTM of two outputs, and a post head.
pub(crate) fn nam_wavenet() -> serde_json::Value {
    let condition = nam(
        "LSTM",
        serde_json::json!({ "input_size": 1, "hidden_size": 2, "num_layers": 1, "out_channels": 2 }),
        8 * 3 + 8 + 4 + 6,
    );
    let config = serde_json::json!({
        "condition_dsp": condition,
        "layers": [
            {
                "input_size": 1, "condition_size": 2, "channels": 2, "kernel_sizes": [3, 2], "dilations": [1, 4],
                "activation": ["Tanh", { "type": "LeakyReLU", "negative_slope": 0.2 }],
                "gating_mode": ["gated", "none"], "secondary_activation": ["Sigmoid", null],
                "conv_post_film": { "active": true, "shift": true, "groups": 1 },
                "head": { "out_channels": 3, "kernel_size": 2, "bias": true },
                "head1x1": { "active": true, "out_channels": 3, "groups": 1 },
            },
            {
                "input_size": 2, "condition_size": 2, "channels": 3, "kernel_size": 2, "dilations": [2],
                "activation": "Softsign", "head_size": 2, "head_bias": false,
            },
        ],
        "head": { "channels": 2, "out_channels": 1, "kernel_sizes": [2, 1], "activation": "ReLU" },
        "head_scale": 1.0,
    });
    let layer0 = (2 * 4 * 3 + 4) + 8 + 6 + 9 + (2 * 8 + 8);
    let layer1 = (2 * 2 * 2 + 2) + 4 + 6 + 9 + (2 * 4 + 4);
    let array0 = 2 + layer0 + layer1 + (3 * 3 * 2 + 3);
    let array1 = 6 + (3 * 3 * 2 + 3) + 6 + 12 + 6;
    nam("WaveNet", config, array0 + array1 + (2 * 2 * 2 + 2) + 3 + 1)
}

/// A WaveNet of 4 channels that may be cut to 2, without 1×1 convolutions, so that the conventions differ.
pub(crate) fn nam_slimmable() -> serde_json::Value {
    let config = serde_json::json!({
        "layers": [{
            "input_size": 1, "condition_size": 1, "channels": 4, "kernel_size": 2, "dilations": [1, 3],
            "activation": "Tanh", "head_size": 1, "head_bias": true, "layer1x1": { "active": false },
            "slimmable": { "method": "slice_channels_uniform", "kwargs": { "allowed_channels": [2, 4] } },
        }],
        "head": null, "head_scale": 0.5,
    });
    nam("WaveNet", config, 4 + 2 * (4 * 4 * 2 + 4 + 4) + (4 + 1) + 1)
}

/// A row of numbers as numpy writes it.
pub(crate) fn npy(values: &[f64]) -> Vec<u8> {
    let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({},), }}\n", values.len());
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}
