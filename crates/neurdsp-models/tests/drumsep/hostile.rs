//! Configs and tensors that do not fit: one clear line, and nothing large is allocated.

use super::random::{config, file, shapes};
use neurdsp_models::drumsep::BandSplit;
use neurdsp_models::{AnyModel, FAMILIES, Header, ModelFile, Tensor};
use serde_json::{Value, json};

fn refusal(file: &ModelFile) -> String {
    let header = Header::from_metadata(&file.metadata).unwrap();
    BandSplit::from_file(file, &header).unwrap_err().to_string()
}

#[test]
fn a_sound_file_is_a_stream() {
    let model = FAMILIES.from_file(&file(&config())).unwrap();
    let AnyModel::Stream(stream) = &model else { panic!("it is a {}", model.kind()) };
    assert_eq!((model.architecture(), stream.latency()), ("drumsep.band_split", 32));
    let n: usize = shapes(&config()).iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();
    assert_eq!(model.n_parameters(), n);
}

#[test]
fn each_value_out_of_range_is_named() {
    let huge = json!(1_u64 << 60);
    let cases: Vec<(&str, Value, &str)> = vec![
        ("sample_rate", json!(100), "sample_rate is 100, but must be from 8000 to 192000"),
        ("n_fft", json!(127), "n_fft is 127, but must be even and at least two hops, 32"),
        ("n_fft", huge.clone(), "n_fft is 1152921504606846976, but must be from 64 to 16384"),
        ("hop_length", json!(65), "n_fft is 128, but must be even and at least two hops, 130"),
        ("hop_length", json!(0), "hop_length is 0"),
        ("stems", json!([]), "the number of stems is 0"),
        ("stems", json!(["kick", "kick"]), "stems is kick, kick, but must be names that differ"),
        ("stems", json!(["residual"]), "stems is residual"),
        ("bands", json!([65, 0]), "the bins of a band is 0, but must be from 1 to 65"),
        ("bands", json!([64]), "the bins of all bands is 64, but must be from 65 to 65"),
        ("bands", json!([huge.clone(), huge.clone()]), "the bins of a band is 1152921504606846976"),
        ("bands", json!(vec![1; 257]), "the number of bands is 257"),
        ("n_phase_bins", json!(17), "n_phase_bins is 17, but must be where a band ends"),
        ("mask_group", json!(0), "mask_group is 0"),
        ("width", json!(513), "width is 513, but must be from 1 to 512"),
        ("hidden", huge.clone(), "hidden is 1152921504606846976"),
        ("mixer", json!(0), "mixer is 0"),
        ("n_blocks", json!(33), "n_blocks is 33"),
        ("head", huge, "head is 1152921504606846976"),
        ("width", json!(-1), "neurdsp.config"),
        ("width", json!("12"), "neurdsp.config"),
        ("depth", json!(3), "depth is not known"),
    ];
    for (key, value, message) in cases {
        let mut file = file(&config());
        let mut config = config();
        config[key] = value;
        file.metadata.insert("neurdsp.config".to_owned(), config.to_string());
        let error = refusal(&file);
        assert!(error.contains(message) && error.lines().count() == 1, "{error}");
    }
}

#[test]
fn a_network_of_allowed_sizes_but_too_many_weights_is_refused() {
    let mut file = file(&config());
    let config = json!({
        "sample_rate": 44_100, "n_fft": 16_384, "hop_length": 16, "stems": ["kick"],
        "bands": [8_193], "n_phase_bins": 8_193, "mask_group": 1,
        "width": 512, "hidden": 512, "mixer": 512, "n_blocks": 32, "head": 512,
    });
    file.metadata.insert("neurdsp.config".to_owned(), config.to_string());
    let error = refusal(&file);
    assert!(error.starts_with("the number of parameters is "), "{error}");
}

#[test]
fn every_tensor_is_checked() {
    for (name, shape) in shapes(&config()) {
        let mut lacking = file(&config());
        lacking.tensors.remove(&name);
        assert!(refusal(&lacking).starts_with(&format!("the tensor {name} is missing")), "{name}");
        let mut longer = file(&config());
        let more: Vec<usize> = shape.iter().map(|n| n + 1).collect();
        let n = more.iter().product();
        longer.tensors.insert(name.clone(), Tensor::new(more, vec![0.0; n]).unwrap());
        assert!(refusal(&longer).starts_with(&format!("the tensor {name} has shape")), "{name}");
        let mut bad = file(&config());
        bad.tensors.get_mut(&name).unwrap().as_f32_mut().unwrap()[0] = f32::NAN;
        assert!(refusal(&bad).starts_with(&format!("{name} holds NaN at index 0")), "{name}");
    }
    let mut more = file(&config());
    more.tensors.insert("decoders.6.bias".to_owned(), Tensor::new(vec![1], vec![0.0]).unwrap());
    assert!(refusal(&more).starts_with("the tensor decoders.6.bias is not part of"));
}

#[test]
fn audio_of_other_channels_or_another_rate_is_refused() {
    for audio in [r#"{"sample_rate":44100.0,"channels":1}"#, r#"{"sample_rate":48000.0,"channels":2}"#] {
        let mut file = file(&config());
        file.metadata.insert("neurdsp.audio".to_owned(), audio.to_owned());
        assert!(refusal(&file).contains("but must be 44100 Hz as the config has it, 2 channels"));
    }
}
