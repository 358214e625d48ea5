//! A small model and its file, and files with a header made by hand.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test uses a part; a failure here is the failure of the test"
)]

use neurdsp_models::wavenet::{LayerWeights, Wavenet, WavenetConfig, WavenetWeights};
use neurdsp_models::{AudioSpec, Header, ModelFile, SeedModel, StreamingModel, Tensor};

pub(crate) const CONFIG: WavenetConfig =
    WavenetConfig { channels: 2, num_layers: 2, kernel_size: 3, dilation_base: 2 };

/// Values between −1 and 1 without a pattern.
pub(crate) fn values(n: usize, seed: u32) -> Vec<f32> {
    (0..n).map(|i| ((i as f32 + 1.0) * 1.7 + seed as f32 * 0.9).sin()).collect()
}

pub(crate) fn weights() -> WavenetWeights {
    let layer = |seed| LayerWeights { weight: values(12, seed), bias: values(2, seed + 1) };
    WavenetWeights {
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
    Wavenet::new(&CONFIG, &weights()).unwrap().process(&input, &mut output);
    tensors.insert("parity.input".to_owned(), Tensor { shape: vec![64], data: input });
    tensors.insert("parity.output".to_owned(), Tensor { shape: vec![64], data: output });
    ModelFile { metadata: header.to_metadata(), tensors }
}

/// A file of this header and so many zeros.
pub(crate) fn raw_file(header: &str, data_bytes: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.resize(bytes.len() + data_bytes, 0);
    bytes
}
