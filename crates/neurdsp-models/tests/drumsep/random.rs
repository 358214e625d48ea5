//! Band-split networks with random weights.
#![allow(dead_code, reason = "each test uses a part")]

use neurdsp_models::drumsep::{BAND_SPLIT, BandSplit};
use neurdsp_models::{AudioSpec, Header, ModelFile, Tensor, Tensors};
use neurdsp_simd::Isa;
use serde_json::{Value, json};

/// A small network with bands of all kinds: complex ones, groups that do not divide a band, widths of no whole register.
pub(crate) fn config() -> Value {
    json!({
        "sample_rate": 44_100, "n_fft": 128, "hop_length": 16, "stems": ["kick", "snare"],
        "bands": [1, 2, 5, 8, 20, 29], "n_phase_bins": 16, "mask_group": 3,
        "width": 12, "hidden": 20, "mixer": 7, "n_blocks": 2, "head": 18,
    })
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

/// Name and shape of each tensor of such a config, by the formulas of the torch network.
pub(crate) fn shapes(config: &Value) -> Vec<(String, Vec<usize>)> {
    let of = |name: &str| config[name].as_u64().unwrap() as usize;
    let (width, hidden, mixer, head) = (of("width"), of("hidden"), of("mixer"), of("head"));
    let bands: Vec<usize> =
        config["bands"].as_array().unwrap().iter().map(|bins| bins.as_u64().unwrap() as usize).collect();
    let outputs = config["stems"].as_array().unwrap().len() + 1;
    let (mut shapes, mut first) = (Vec::new(), 0);
    for (band, &bins) in bands.iter().enumerate() {
        let is_complex = first < of("n_phase_bins");
        first += bins;
        let inputs = bins * if is_complex { 4 } else { 2 };
        let masks = if is_complex { 3 * bins } else { bins.div_ceil(of("mask_group")) };
        shapes.push((format!("encoders.{band}.weight"), vec![width, inputs]));
        shapes.push((format!("encoders.{band}.bias"), vec![width]));
        shapes.push((format!("decoders.{band}.weight"), vec![masks * outputs, head]));
        shapes.push((format!("decoders.{band}.bias"), vec![masks * outputs]));
    }
    for block in 0..of("n_blocks") {
        for (name, shape) in [
            ("time_norm.weight", vec![width]),
            ("time_in.weight", vec![3 * hidden, width]),
            ("time_in.bias", vec![3 * hidden]),
            ("time_out.weight", vec![width, hidden]),
            ("time_out.bias", vec![width]),
            ("band_norm.weight", vec![width]),
            ("band_in.weight", vec![mixer, bands.len()]),
            ("band_in.bias", vec![mixer]),
            ("band_out.weight", vec![bands.len(), mixer]),
        ] {
            shapes.push((format!("blocks.{block}.{name}"), shape));
        }
    }
    shapes.push(("head_norm.weight".to_owned(), vec![width]));
    shapes.push(("head.weight".to_owned(), vec![bands.len(), head, width]));
    shapes.push(("head.bias".to_owned(), vec![bands.len(), head]));
    shapes
}

/// A file of such a network, without test vectors.
pub(crate) fn file(config: &Value) -> ModelFile {
    let header = Header {
        architecture: BAND_SPLIT.to_owned(),
        config: config.to_string(),
        audio: AudioSpec { sample_rate: 44_100.0, channels: 2 },
        producer: "a test".to_owned(),
        metrics: serde_json::Map::new(),
        parity_db: -90.0,
    };
    let mut tensors = Tensors::new();
    for (seed, (name, shape)) in shapes(config).into_iter().enumerate() {
        let fan = if shape.len() > 1 { *shape.last().unwrap() as f32 } else { 1.0 };
        let scale = if name.ends_with("bias") { 0.5 } else { (2.0 / fan).sqrt() };
        let n = shape.iter().product();
        let values = noise(n, seed as u32).iter().map(|value| value * scale).collect();
        tensors.insert(name, Tensor::new(shape, values).unwrap());
    }
    ModelFile { metadata: header.to_metadata(), tensors }
}

pub(crate) fn network(isa: Isa) -> BandSplit {
    let file = file(&config());
    BandSplit::for_isa(&file, &Header::from_metadata(&file.metadata).unwrap(), isa).unwrap()
}
