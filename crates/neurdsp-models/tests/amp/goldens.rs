//! The engine against networks that torch computed in double precision (`tests/goldens/wavenet.safetensors`).

use neurdsp_models::amp::residual::{ResidualConfig, ResidualStream, ResidualWeights};
use neurdsp_models::{StreamingModel, Tensor, Tensors};
use safetensors::SafeTensors;
use std::path::Path;

struct Golden {
    tensors: Tensors,
    cases: Vec<ResidualConfig>,
    tolerance_db: f64,
}

fn read() -> Golden {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/wavenet.safetensors");
    let bytes = std::fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let metadata = header.metadata().clone().unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensor = |name: &str| {
        let view = file.tensor(name).unwrap();
        let (values, _) = view.data().as_chunks::<4>();
        let values = values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        Tensor::new(view.shape().to_vec(), values).unwrap()
    };
    Golden {
        tensors: file.names().into_iter().map(|name| (name.to_owned(), tensor(name))).collect(),
        cases: serde_json::from_str(&metadata["cases"]).unwrap(),
        tolerance_db: metadata["tolerance_db"].parse().unwrap(),
    }
}

#[test]
fn the_engine_meets_torch_within_the_tolerance_of_the_file() {
    let golden = read();
    assert_eq!(golden.cases.len(), 3);
    for (index, config) in golden.cases.iter().enumerate() {
        let prefix = format!("weights.{index}.");
        let tensors: Tensors = golden
            .tensors
            .iter()
            .filter_map(|(name, tensor)| Some((name.strip_prefix(&prefix)?.to_owned(), tensor.clone())))
            .collect();
        let weights = ResidualWeights::from_tensors(config, &tensors).unwrap();
        let mut model = ResidualStream::new(config, &weights).unwrap();
        model.prewarm();
        let expected = golden.tensors[&format!("output.{index}")].to_f32("output").unwrap();
        let mut output = vec![0.0; expected.len()];
        model.process(&golden.tensors["input"].to_f32("input").unwrap(), &mut output);

        let energy: f64 = expected.iter().map(|value| f64::from(*value).powi(2)).sum();
        let error: f64 =
            expected.iter().zip(&output).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
        let error_db = 10.0 * (error / energy).log10();
        assert!(error_db < golden.tolerance_db, "{config:?}: {error_db:.1} dB");
        let peak = expected.iter().fold(0.0f32, |peak, value| peak.max(value.abs()));
        let worst = expected.iter().zip(&output).fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
        assert!(worst <= 2e-6 * peak.max(1.0), "{config:?}: {worst:.1e} of a peak of {peak:.2}");
    }
}
