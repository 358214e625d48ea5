//! The JSON of an amp model: a file made by hand, whose output is worked out by hand, and what is refused.

use crate::common::seed_model;
use neurdsp_models::{Error, LoadedModel, SeedModel, load_bytes};

const HAND_MADE: &str = include_str!("../../../../tests/modelfile/data/hand_made.json");

#[test]
fn the_file_made_by_hand_gives_the_output_worked_out_by_hand() {
    let model = load_bytes(HAND_MADE.as_bytes()).unwrap();
    assert_eq!((model.sample_rate(), model.n_parameters(), model.receptive_field()), (44_100.0, 35, 7));
    assert_eq!(model.metadata()["neurdsp.name"], "hand made");
    let mut stream = model.build_stream().unwrap();
    assert_eq!(stream.latency(), 0);
    let mut output = [0.0; 6];
    stream.process(&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0], &mut output);

    // The channels start as a = x and b = 0.5 − x. Layer 0 adds tanh(a[t−2] / 4) to a and tanh(a[t−1] / 2) to b;
    // layer 1 adds tanh(b[t−2]) to a and tanh(0.5 + 2 a[t]) to b; y = a + b / 2 + 1/4.
    let (a, b) =
        ([1.0, 0.0, 0.25_f64.tanh(), 0.0, 0.0, 0.0], [-0.5, 0.5 + 0.5_f64.tanh(), 0.5, 0.5, 0.5, 0.5]);
    for (t, got) in output.into_iter().enumerate() {
        let earlier = if t < 2 { 0.5 } else { b[t - 2] };
        let expected = a[t] + f64::tanh(earlier) + (b[t] + f64::tanh(0.5 + 2.0 * a[t])) / 2.0 + 0.25;
        assert!((f64::from(got) - expected).abs() < 1e-6, "sample {t}: {got} is not {expected}");
    }
}

#[test]
fn writing_and_reading_keep_every_bit() {
    let model = seed_model();
    assert_eq!(SeedModel::from_bytes(&model.to_bytes().unwrap()).unwrap(), model);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.json");
    model.write(&path).unwrap();
    assert_eq!(SeedModel::read(&path).unwrap(), model);
}

#[test]
fn the_written_file_has_every_field_of_the_form() {
    let model = SeedModel::from_bytes(HAND_MADE.as_bytes()).unwrap();
    let mut expected: serde_json::Value = serde_json::from_str(HAND_MADE).unwrap();
    // A causal model has no latency, whatever the file says.
    expected["model_info"]["latency_ms"] = 0.0.into();
    let written: serde_json::Value = serde_json::from_slice(&model.to_bytes().unwrap()).unwrap();
    assert_eq!(as_floats(written), as_floats(expected));
}

/// 1 and 1.0 are the same number in JSON, but not the same `Value`.
fn as_floats(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(values) => values.into_iter().map(as_floats).collect(),
        Value::Object(members) => members.into_iter().map(|(key, value)| (key, as_floats(value))).collect(),
        other => other,
    }
}

#[test]
fn without_parity_vectors_there_is_nothing_to_verify() {
    let model = LoadedModel::from_seed(seed_model()).unwrap();
    assert!(matches!(model.verify(), Err(Error::MissingParity { .. })));
}

#[test]
fn whatever_is_wrong_is_named_by_its_path() {
    let cases = [
        (r#""causal": true"#, r#""causal": false"#, "model_info.causal = false is not supported"),
        (r#""1.0.0""#, r#""2.0.0""#, "model_info.version \"2.0.0\" is not supported: only 1.x is known"),
        (r#""WaveNet""#, r#""LSTM""#, "the architecture is \"LSTM\""),
        ("44100", "0", "model_info.sample_rate is 0, but must be 1000 to 768000 Hz"),
        (r#""channels": 2"#, r#""channels": 1000000000"#, "channels is 1000000000, but must be 1 to 1024"),
        (
            r#""channels": 2"#,
            r#""channels": 3"#,
            "weights.residual_blocks[0].conv_weight is malformed: 2 elements",
        ),
        (
            r#""num_layers": 2"#,
            r#""num_layers": 3"#,
            "the length of architecture.dilations is 2, but must be 3",
        ),
        ("[1, 2]", "[1, 3]", "architecture.dilations[1] is 3, but must be 2"),
        (r#""dilation": 2"#, r#""dilation": 4"#, "weights.residual_blocks[1].dilation is 4, but must be 2"),
        (r#""layer": 1"#, r#""layer": 2"#, "weights.residual_blocks[1].layer is 2, but must be 1"),
        (
            "[1.0, -1.0]",
            "[1.0]",
            "weights.input_conv.weight is malformed: 1 elements in an array of shape [2]",
        ),
        ("[1.0, -1.0]", "[1, 2, 3]", "weights.input_conv.weight is malformed: more than 2 elements"),
        (
            "[1.0, -1.0]",
            "[1, null]",
            "weights.input_conv.weight is malformed: it is null, but must be a number",
        ),
        ("[1.0, -1.0]", "[1, 1e39]", "weights.input_conv.weight is malformed: number out of range"),
        (
            "[1.0, -1.0]",
            "[1, NaN]",
            "the JSON model is malformed: NaN and Infinity are not JSON numbers, but there is one at line 19,",
        ),
        ("[1.0, -1.0]", "[1, 1e999]", "weights.input_conv.weight is malformed: number out of range"),
        (r#""bias": [0.25]"#, r#""bias": []"#, "weights.output_conv.bias is malformed: 0 elements"),
        (
            r#""conv_bias": [0, 0.5]"#,
            r#""b": 0"#,
            "weights.residual_blocks[1].conv_bias is malformed: it is missing",
        ),
        (r#""layer": 0"#, r#""layer": 0, "layer": 0"#, "weights.residual_blocks[0].layer is defined twice"),
        (r#""weights""#, r#""weight""#, "weights is malformed: it is missing"),
        ("}\n}", "}", "the JSON model is malformed: it ends within an object, at line"),
    ];
    for (old, new, message) in cases {
        assert!(HAND_MADE.contains(old), "{old}");
        let error =
            SeedModel::from_bytes(HAND_MADE.replacen(old, new, 1).as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error:?} is not {message:?}");
    }
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let error = SeedModel::from_bytes(HAND_MADE.replacen("[1.0, -1.0]", &deep, 1).as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "weights.input_conv.weight is malformed: it is a list, but must be a number (line 19, column 30)"
    );
}
