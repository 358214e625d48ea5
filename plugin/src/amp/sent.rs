//! A model in the chain, and how it was prepared.

use neurdsp_models::LoadedModel;

use super::files::is_slimmable;
use super::params::Preparation;

/// What tells prepared models apart.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sent {
    pub(super) oversample: usize,
    size: f64,
    knobs: Vec<f32>,
    /// Whether it is the model that is to play now.
    pub(super) current: bool,
}

impl Sent {
    /// `model` as it is wanted.
    pub(super) fn new(wanted: Preparation, model: &LoadedModel) -> Sent {
        Sent {
            oversample: wanted.oversample,
            size: if is_slimmable(model) { f64::from(wanted.size) } else { 1.0 },
            knobs: wanted.knobs.into_iter().take(model.knobs().len()).collect(),
            current: true,
        }
    }

    /// Whether only knobs differ: then the two sound alike, and the fade between them can be linear.
    pub(super) fn differs_by_knobs(&self, next: &Sent) -> bool {
        (self.oversample, self.size, self.current) == (next.oversample, next.size, next.current)
    }

    /// The model in this size, with its knobs at these positions.
    pub(super) fn prepare(&self, model: &LoadedModel) -> neurdsp_models::Result<LoadedModel> {
        let turned = model.with_knobs(&self.knobs)?;
        if self.size < 1.0 { turned.at_size(self.size) } else { Ok(turned) }
    }
}

#[cfg(test)]
mod tests {
    use neurdsp_models::amp::nam::NamFile;
    use neurdsp_models::{LoadedModel, Tensor, load_bytes};

    use super::Sent;
    use crate::amp::files::is_slimmable;

    /// A model that amplifies, in two sizes, one of which is half as loud; its knob scales both.
    fn slimmable_with_a_knob() -> LoadedModel {
        let linear = |weight: f32| {
            serde_json::json!({"version": "0.5.4", "architecture": "Linear", "sample_rate": 48000,
                "config": {"receptive_field": 1, "bias": false}, "weights": [weight]})
        };
        let nam = serde_json::json!({"version": "0.7.0", "architecture": "SlimmableContainer", "weights": [],
            "sample_rate": 48000, "config": {"submodels": [
                {"max_value": 0.5, "model": linear(0.5)}, {"max_value": 1.0, "model": linear(1.0)}]}});
        let mut file =
            NamFile::from_bytes(nam.to_string().as_bytes()).unwrap().to_model_file("a test").unwrap();
        let inner: serde_json::Value = serde_json::from_str(&file.metadata["neurdsp.config"]).unwrap();
        let config = serde_json::json!({"knobs": [{"name": "gain", "default": 0.5}], "hidden": 1, "rank": 1,
            "model": {"architecture": file.metadata["neurdsp.architecture"], "config": inner}});
        file.metadata.insert("neurdsp.architecture".to_owned(), "amp.parametric".to_owned());
        file.metadata.insert("neurdsp.config".to_owned(), config.to_string());
        let weights = file.tensors["weights"].to_f32("weights").unwrap().into_owned();
        let mut add = |name: &str, shape: Vec<usize>, data: Vec<f32>| {
            file.tensors.insert(format!("knobs.{name}"), Tensor::new(shape, data).unwrap());
        };
        add("hidden.weight", vec![1, 1], vec![1.0]);
        add("hidden.bias", vec![1], vec![0.0]);
        add("output.weight", vec![1, 1], vec![1.0]);
        add("output.bias", vec![1], vec![0.0]);
        add("basis.weights", vec![1, weights.len()], weights);
        load_bytes(&file.to_bytes().unwrap()).unwrap()
    }

    #[test]
    fn a_model_below_full_size_keeps_its_knobs() {
        let model = slimmable_with_a_knob();
        assert!(is_slimmable(&model));
        let gain = |size: f64, knob: f32| {
            let sent = Sent { oversample: 1, size, knobs: vec![knob], current: true };
            let mut output = [0.0; 64];
            sent.prepare(&model).unwrap().build_stream().unwrap().process(&[1.0; 64], &mut output);
            output[63]
        };
        // The weights are multiplied by 1 + tanh(tanh(2 · position - 1)).
        let factor = |knob: f32| 1.0 + (2.0 * knob - 1.0).tanh().tanh();
        for knob in [0.0, 0.5, 0.9] {
            assert!((gain(1.0, knob) - factor(knob)).abs() < 1e-5, "{}", gain(1.0, knob));
            assert!((gain(0.2, knob) - 0.5 * factor(knob)).abs() < 1e-5, "{}", gain(0.2, knob));
        }
    }
}
