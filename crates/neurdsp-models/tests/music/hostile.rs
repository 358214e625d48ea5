//! Configs, tensors and inputs that do not fit: one clear line, no panic, and nothing large is allocated.

use super::random::{file, network, noise, shapes, small};
use neurdsp_models::music::{MusicPart, MusicRun};
use neurdsp_models::{AnyModel, FAMILIES, ModelFile, Prediction, Tensor, Tensors};
use neurdsp_simd::Isa;
use serde_json::{Value, json};
use std::sync::Arc;

fn refusal(file: &ModelFile) -> String {
    let error = FAMILIES.from_file(file).unwrap_err().to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

#[test]
fn a_sound_file_is_a_predictor() {
    for part in MusicPart::ALL {
        let model = FAMILIES.from_file(&file(part, &small(part), true)).unwrap();
        let AnyModel::Predictor(_) = &model else { panic!("it is a {}", model.kind()) };
        let n: usize =
            shapes(part, &small(part)).iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();
        assert_eq!((model.architecture(), model.n_parameters()), (part.architecture(), n));
    }
}

#[test]
fn each_value_out_of_range_is_named() {
    use MusicPart::{Emotion, Groove, Melody};
    let huge = json!(1_u64 << 60);
    let cases: Vec<(MusicPart, &str, Value, &str)> = vec![
        (Emotion, "mels", json!(0), "mels is 0, but must be from 1 to 1024"),
        (Emotion, "hidden", huge.clone(), "hidden is 1152921504606846976"),
        (Emotion, "outputs", json!(1), "outputs is 1, but must be from 2 to 1024"),
        (Emotion, "f_max_hz", json!(1e9), "f_max_hz is 1000000000, but must be from 0 to 96000"),
        (Emotion, "depth", json!(3), "depth is not known"),
        (Melody, "heads", json!(65), "heads is 65, but must be from 1 to 64"),
        (Melody, "head_width", huge.clone(), "head_width is 1152921504606846976"),
        (Melody, "window", json!(1025), "window is 1025, but must be from 1 to 1024"),
        (Melody, "blocks", json!(17), "blocks is 17, but must be from 1 to 16"),
        (Groove, "inputs", huge, "inputs is 1152921504606846976"),
        (Groove, "first", json!("17"), "neurdsp.config"),
    ];
    for (part, key, value, message) in cases {
        let (mut file, mut config) = (file(part, &small(part), false), small(part));
        config[key] = value;
        file.metadata.insert("neurdsp.config".to_owned(), config.to_string());
        let error = refusal(&file);
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn every_tensor_is_checked() {
    for part in MusicPart::ALL {
        for int8 in [false, true] {
            let sound = file(part, &small(part), int8);
            for (name, tensor) in &sound.tensors {
                let mut lacking = sound.clone();
                lacking.tensors.remove(name);
                // Without a matrix its scale, whose name begins like it, is what does not belong there.
                assert!(refusal(&lacking).starts_with(&format!("the tensor {name}")), "{name}");
                let mut longer = sound.clone();
                let more: Vec<usize> = tensor.shape.iter().map(|n| n + 1).collect();
                let n = more.iter().product();
                longer.tensors.insert(name.clone(), Tensor::new(more, vec![0.0; n]).unwrap());
                refusal(&longer);
                let mut bad = sound.clone();
                if let Some(values) = bad.tensors.get_mut(name).unwrap().as_f32_mut() {
                    values[0] = f32::NAN;
                    assert!(refusal(&bad).starts_with(&format!("{name} holds NaN at index 0")), "{name}");
                }
            }
            let mut more = sound.clone();
            more.tensors.insert("more.bias".to_owned(), Tensor::new(vec![1], vec![0.0]).unwrap());
            assert!(refusal(&more).starts_with("the tensor more.bias is not part of a music."));
        }
    }
}

#[test]
fn a_file_whose_test_vectors_take_long_is_refused() {
    let part = MusicPart::Dynamics;
    let mut long = file(part, &small(part), false);
    for (name, columns) in [("parity.input", 13), ("parity.output", 5)] {
        let tensor = Tensor::new(vec![257, columns], vec![0.5; 257 * columns]).unwrap();
        long.tensors.insert(name.to_owned(), tensor);
    }
    assert!(refusal(&long).contains("steps of parity.input is 257, but must be at most 256"));
}

#[test]
fn inputs_that_do_not_fit_are_refused_and_leave_the_state() {
    let part = MusicPart::Melody;
    let mut run = MusicRun::new(Arc::new(network(part, &small(part), false, Isa::detect())));
    let inputs = |name: &str, shape: &[usize], first: f32| {
        let mut values = vec![0.5; shape.iter().product()];
        values[0] = first;
        Tensors::from([(name.to_owned(), Tensor::new(shape.to_vec(), values).unwrap())])
    };
    for (inputs, message) in [
        (inputs("output", &[4], 0.0), "the tensor input is missing"),
        (inputs("input", &[5], 0.0), "the tensor input has shape [5], but must have [4]"),
        (inputs("input", &[2, 3], 0.0), "the tensor input has shape [2, 3], but must have [2, 4]"),
        (inputs("input", &[4], 9.0), "the token, is 9, but must be a whole number from 0 to 8"),
        (inputs("input", &[4], 0.5), "the token, is 0.5"),
        (inputs("input", &[4], f32::NAN), "input holds NaN at index 0"),
    ] {
        let error = Prediction::step(&mut run, &inputs).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    let sound = inputs("input", &[4], 8.0);
    let first = Prediction::step(&mut run, &sound).unwrap();
    Prediction::reset(&mut run);
    assert_eq!(Prediction::step(&mut run, &sound).unwrap(), first);
}

#[test]
fn mutated_files_give_one_error_or_a_model_that_runs() {
    for (seed, part) in MusicPart::ALL.into_iter().enumerate() {
        let mut sound = file(part, &small(part), true);
        let network = network(part, &small(part), true, Isa::detect());
        for (name, n) in [("parity.input", network.n_inputs()), ("parity.output", network.n_outputs())] {
            sound.tensors.insert(name.to_owned(), Tensor::new(vec![n], vec![1.0; n]).unwrap());
        }
        let bytes = sound.to_bytes().unwrap();
        for round in 0..300 {
            let mut bytes = bytes.clone();
            for value in noise(4, 1000 * seed as u32 + round).chunks(2) {
                let at = ((value[0] + 1.0) * 0.5 * bytes.len() as f32) as usize % bytes.len();
                bytes[at] = (value[1] * 128.0) as i8 as u8;
            }
            if let Ok(model) = ModelFile::from_bytes(&bytes).and_then(|file| FAMILIES.from_file(&file)) {
                let _ = model.verify();
            }
        }
    }
}
