//! Music networks with random weights, in single precision and in int8.
#![allow(dead_code, reason = "each test uses a part")]

use neurdsp_models::music::{MusicNetwork, MusicPart};
use neurdsp_models::{AudioSpec, Header, ModelFile, Tensor, Tensors, Values};
use neurdsp_simd::Isa;
use serde_json::{Value, json};

/// Numbers between −1 and 1 that are the same on every run.
pub(crate) fn noise(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// The shape of a network before it is pruned.
pub(crate) fn whole(part: MusicPart) -> Value {
    match part {
        MusicPart::Emotion => json!({
            "mels": 128, "first": 64, "second": 192, "hidden": 256, "outputs": 64,
            "sample_rate": 22_050, "n_fft": 2048, "hop_length": 512, "f_min_hz": 30.0, "f_max_hz": 11_025.0,
        }),
        MusicPart::Melody => json!({
            "tokens": 128, "condition": 64, "width": 128, "heads": 4, "head_width": 32, "hidden": 448,
            "blocks": 2, "window": 64,
        }),
        MusicPart::Harmony => json!({ "inputs": 128, "first": 256, "second": 128, "outputs": 64 }),
        MusicPart::Dynamics => json!({ "inputs": 32, "first": 128, "second": 64, "outputs": 16 }),
        MusicPart::Groove => json!({ "inputs": 64, "first": 128, "second": 64, "outputs": 32 }),
    }
}

/// A small shape whose widths are no whole registers.
pub(crate) fn small(part: MusicPart) -> Value {
    match part {
        MusicPart::Emotion => json!({
            "mels": 7, "first": 5, "second": 18, "hidden": 11, "outputs": 3,
            "sample_rate": 22_050, "n_fft": 2048, "hop_length": 512, "f_min_hz": 30.0, "f_max_hz": 11_025.0,
        }),
        MusicPart::Melody => json!({
            "tokens": 9, "condition": 3, "width": 10, "heads": 2, "head_width": 3, "hidden": 21,
            "blocks": 2, "window": 5,
        }),
        _ => json!({ "inputs": 13, "first": 17, "second": 6, "outputs": 5 }),
    }
}

/// Name and shape of each tensor, by the formulas of the torch networks.
pub(crate) fn shapes(part: MusicPart, config: &Value) -> Vec<(String, Vec<usize>)> {
    let of = |name: &str| config[name].as_u64().unwrap() as usize;
    let mut shapes: Vec<(String, Vec<usize>)> = Vec::new();
    let mut put = |name: &str, shape: &[usize]| shapes.push((name.to_owned(), shape.to_vec()));
    match part {
        MusicPart::Emotion => {
            put("input.weight", &[of("first"), of("mels")]);
            put("hidden.weight", &[of("second"), of("first")]);
            put("lstm.weight_ih_l0", &[4 * of("hidden"), of("second")]);
            put("lstm.weight_hh_l0", &[4 * of("hidden"), of("hidden")]);
            put("lstm.bias_ih_l0", &[4 * of("hidden")]);
            put("lstm.bias_hh_l0", &[4 * of("hidden")]);
            put("output.weight", &[of("outputs"), of("hidden")]);
        }
        MusicPart::Melody => {
            let (width, inner) = (of("width"), of("heads") * of("head_width"));
            put("token.weight", &[of("tokens"), width]);
            put("position.weight", &[of("window"), width]);
            put("condition.weight", &[width, of("condition")]);
            put("condition.bias", &[width]);
            for block in 0..of("blocks") {
                let name = |layer: &str| format!("blocks.{block}.{layer}");
                put(&name("attention_norm.weight"), &[width]);
                for layer in ["query", "key", "value"] {
                    put(&name(&format!("{layer}.weight")), &[inner, width]);
                    put(&name(&format!("{layer}.bias")), &[inner]);
                }
                put(&name("out.weight"), &[width, inner]);
                put(&name("out.bias"), &[width]);
                put(&name("feed_forward_norm.weight"), &[width]);
                put(&name("up.weight"), &[of("hidden"), width]);
                put(&name("up.bias"), &[of("hidden")]);
                put(&name("down.weight"), &[width, of("hidden")]);
                put(&name("down.bias"), &[width]);
            }
            put("norm.weight", &[width]);
            put("head.weight", &[of("tokens"), width]);
            put("head.bias", &[of("tokens")]);
        }
        _ => {
            put("input.weight", &[of("first"), of("inputs")]);
            put("input.bias", &[of("first")]);
            put("hidden.weight", &[of("second"), of("first")]);
            put("output.weight", &[of("outputs"), of("second")]);
            put("output.bias", &[of("outputs")]);
            if part == MusicPart::Groove {
                put("hidden.bias", &[of("second")]);
                for (norm, width) in [("input_norm", of("first")), ("hidden_norm", of("second"))] {
                    put(&format!("{norm}.weight"), &[width]);
                    put(&format!("{norm}.bias"), &[width]);
                }
            }
        }
    }
    shapes
}

/// A file of such a network, without test vectors.
pub(crate) fn file(part: MusicPart, config: &Value, int8: bool) -> ModelFile {
    let header = Header {
        architecture: part.architecture().to_owned(),
        config: config.to_string(),
        audio: AudioSpec { sample_rate: 48_000.0, channels: 1 },
        producer: "a test".to_owned(),
        metrics: serde_json::Map::new(),
        parity_db: -45.0,
    };
    let mut tensors = Tensors::new();
    for (seed, (name, shape)) in shapes(part, config).into_iter().enumerate() {
        let (n, columns) = (shape.iter().product(), *shape.last().unwrap());
        let scale = if shape.len() == 2 { (3.0 / columns as f32).sqrt() } else { 0.5 };
        let offset = if name.contains("norm.weight") { 1.0 } else { 0.0 };
        let values: Vec<f32> = noise(n, seed as u32).iter().map(|value| offset + value * scale).collect();
        if int8 && shape.len() == 2 {
            let largest = |row: &[f32]| row.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
            let scales: Vec<f32> = values.chunks(columns).map(|row| largest(row) / 127.0).collect();
            let integers = values.iter().enumerate().map(|(i, v)| (v / scales[i / columns]).round() as i8);
            tensors.insert(format!("{name}_scale"), Tensor::new(vec![scales.len()], scales.clone()).unwrap());
            let integers = Values::I8(integers.collect());
            tensors.insert(name, Tensor::from_values(shape, integers).unwrap());
        } else {
            tensors.insert(name, Tensor::new(shape, values).unwrap());
        }
    }
    ModelFile { metadata: header.to_metadata(), tensors }
}

pub(crate) fn network(part: MusicPart, config: &Value, int8: bool, isa: Isa) -> MusicNetwork {
    let file = file(part, config, int8);
    MusicNetwork::for_isa(&file, &Header::from_metadata(&file.metadata).unwrap(), isa).unwrap()
}

/// Rows of inputs, those of the melody with a token in front.
pub(crate) fn inputs(network: &MusicNetwork, steps: usize, seed: u32) -> Vec<f32> {
    let n = network.n_inputs();
    let mut inputs = noise(steps * n, seed);
    if network.part() == MusicPart::Melody {
        for token in inputs.iter_mut().step_by(n) {
            *token = ((*token + 1.0) * 0.5 * network.n_outputs() as f32)
                .floor()
                .min(network.n_outputs() as f32 - 1.0);
        }
    }
    inputs
}
