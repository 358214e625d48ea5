//! Hybrid generators with random weights, and random codes.
#![allow(dead_code, reason = "each test uses a part")]

use neurdsp_models::kick::{CODE_SIZE, HYBRID, Hybrid, KickCode, Part};
use neurdsp_models::{AudioSpec, Header, ModelFile, Tensor, Tensors};
use neurdsp_simd::Isa;
use serde_json::{Value, json};

/// A small generator whose widths fill no registers.
pub(crate) fn config() -> Value {
    json!({
        "latent": 20, "width": 24, "blocks": 2, "embedding": 12, "probe_width": 18, "candidates": 4,
        "decoder": [
            {"latent": 9, "width": 20, "size": 208},
            {"latent": 11, "width": 17, "size": 1408},
        ],
        "quantities": [{"name": "pitch", "mean": 60.0, "sd": 12.0}, {"name": "length", "mean": 0.4, "sd": 0.2}],
        "keywords": [
            {"name": "deep", "quantity": "pitch", "side": "below", "threshold": -0.5, "meaning": "low"},
            {"name": "long", "quantity": "length", "side": "above", "threshold": 0.5, "meaning": "rings"},
        ],
        "attributes": [{"name": "pitch", "quantity": "pitch", "low": 30.0, "high": 120.0, "meaning": "in Hz"}],
    })
}

/// The shape of the shipped size.
pub(crate) fn full_config() -> Value {
    let mut config = config();
    for (name, value) in
        [("latent", 64), ("width", 256), ("blocks", 4), ("embedding", 128), ("probe_width", 256)]
    {
        config[name] = json!(value);
    }
    config["candidates"] = json!(8);
    config["decoder"] = json!([
        {"latent": 32, "width": 384, "size": 208},
        {"latent": 16, "width": 256, "size": 1248},
        {"latent": 16, "width": 256, "size": 160},
    ]);
    config
}

/// Numbers between −1 and 1 that are the same on every run.
pub(crate) fn noise(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// Name and shape of each tensor, by the contract.
pub(crate) fn shapes(config: &Value) -> Vec<(String, Vec<usize>)> {
    let of = |name: &str| config[name].as_u64().unwrap() as usize;
    let count = |name: &str| config[name].as_array().unwrap().len();
    let (latent, width, embedding, probe) = (of("latent"), of("width"), of("embedding"), of("probe_width"));
    let conditions = count("keywords") + 2 * count("attributes") + 2;
    let mut shapes = Vec::new();
    let mut linear = |name: String, outputs: usize, inputs: usize| {
        shapes.push((format!("{name}.weight"), vec![outputs, inputs]));
        shapes.push((format!("{name}.bias"), vec![outputs]));
    };
    linear("generator.time.0".into(), embedding, 64);
    linear("generator.time.1".into(), embedding, embedding);
    linear("generator.condition.0".into(), embedding, conditions);
    linear("generator.condition.1".into(), embedding, embedding);
    linear("generator.input".into(), width, latent);
    for block in 0..of("blocks") {
        linear(format!("generator.blocks.{block}.modulation"), 3 * width, embedding);
        linear(format!("generator.blocks.{block}.up"), 2 * width, width);
        linear(format!("generator.blocks.{block}.down"), width, 2 * width);
    }
    linear("generator.output".into(), latent, width);
    linear("probe.0".into(), probe, latent);
    linear("probe.1".into(), probe, probe);
    linear("probe.2".into(), count("quantities"), probe);
    let mut norms = Vec::new();
    for (index, part) in config["decoder"].as_array().unwrap().iter().enumerate() {
        let of = |name: &str| part[name].as_u64().unwrap() as usize;
        linear(format!("decoder.{index}.input"), of("width"), of("latent"));
        for block in 0..2 {
            linear(format!("decoder.{index}.blocks.{block}.up"), of("width"), of("width"));
            linear(format!("decoder.{index}.blocks.{block}.down"), of("width"), of("width"));
            norms.push((format!("decoder.{index}.blocks.{block}.norm"), of("width")));
        }
        norms.push((format!("decoder.{index}.norm"), of("width")));
        linear(format!("decoder.{index}.output"), of("size"), of("width"));
    }
    for (name, width) in norms {
        shapes.push((format!("{name}.weight"), vec![width]));
        shapes.push((format!("{name}.bias"), vec![width]));
    }
    shapes
}

/// A file of such a generator, without test vectors.
pub(crate) fn file(config: &Value) -> ModelFile {
    let header = Header {
        architecture: HYBRID.to_owned(),
        config: config.to_string(),
        audio: AudioSpec { sample_rate: 44_100.0, channels: 1 },
        producer: "a test".to_owned(),
        metrics: serde_json::Map::new(),
        parity_db: -60.0,
    };
    let mut tensors = Tensors::new();
    for (seed, (name, shape)) in shapes(config).into_iter().enumerate() {
        let scale = match shape.len() {
            1 => 0.3,
            _ => (1.5 / shape[1] as f32).sqrt(),
        };
        let n = shape.iter().product();
        let values = noise(n, seed as u32).iter().map(|value| value * scale).collect();
        tensors.insert(name, Tensor::new(shape, values).unwrap());
    }
    ModelFile { metadata: header.to_metadata(), tensors }
}

pub(crate) fn model(isa: Isa) -> Hybrid {
    let file = file(&config());
    Hybrid::for_isa(&file, &Header::from_metadata(&file.metadata).unwrap(), isa).unwrap()
}

/// A kick with all parts: gliding partials, a waveshaper, and noise that decays.
pub(crate) fn code(seed: u32) -> KickCode {
    let mut values = noise(CODE_SIZE, seed);
    for part in Part::ALL {
        let range = part.range();
        let len = range.len();
        for (i, value) in values[range].iter_mut().enumerate() {
            let way = i as f32 / len as f32;
            *value = match part {
                Part::LogF => {
                    4.2 + (-(8.0 * (i % 31) as f32 / 31.0)).exp() * 2.0 + 0.1 * *value + (i / 31) as f32 * 0.4
                }
                Part::LogA => -0.5 - 6.0 * (i % 31) as f32 / 31.0 + 0.2 * *value - (i / 31) as f32,
                Part::Phase => 3.0 * *value,
                Part::Drive => 4.0 * value.abs() * (1.0 - way),
                Part::Bias => 0.5 * *value,
                Part::Low | Part::Noise => -3.0 - 6.5 * way + *value,
                Part::Transient => *value / (8.0 + 4.0 * i as f32),
                Part::Fine => -4.0 + *value,
            };
        }
    }
    KickCode::new(&values).unwrap()
}
