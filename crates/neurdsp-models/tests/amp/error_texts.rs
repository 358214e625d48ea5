//! Whatever is wrong with a file, the message is one line in words for people, and never names a type of this code.

use crate::common::{
    mixed_file, model_file, nam_convnet, nam_linear, nam_lstm, nam_slimmable, nam_wavenet, npy, values,
};
use neurdsp_models::amp::nam::NamFile;
use neurdsp_models::{Error, load_any, load_bytes};
use serde_json::{Value, json};

/// What a message of this kind never contains: words of the language that this is written in.
const FORBIDDEN: [&str; 24] = [
    "struct ",
    "enum ",
    "::",
    "unwrap",
    "panicked",
    "usize",
    "isize",
    " u8",
    " u16",
    " u32",
    " u64",
    " i8",
    " i16",
    " i32",
    " i64",
    " f32",
    " f64",
    "expected a borrowed",
    "any valid JSON value",
    "invalid type",
    "invalid value",
    "Some(",
    "RawValue",
    "Option",
];

fn check(message: &str, of: &str) {
    for word in FORBIDDEN {
        assert!(!message.contains(word), "{of}: {word:?} in {message:?}");
    }
    // Types end in In or Out here, as `ArchitectureIn` did.
    for word in message.split(|c: char| !c.is_ascii_alphanumeric()) {
        let camel = word.chars().filter(char::is_ascii_uppercase).count() > 1
            && word.starts_with(|c: char| c.is_ascii_uppercase());
        assert!(!(camel && (word.ends_with("In") || word.ends_with("Out"))), "{of}: {word:?} in {message:?}");
    }
    assert!(!message.contains('\n') && message.len() < 700, "{of}: {message:?}");
}

/// Texts of every JSON format, small ones.
fn texts() -> Vec<(&'static str, Value)> {
    let aidax = json!({
        "in_shape": [null, null, 1], "in_skip": 1, "in_gain": 0.0, "out_gain": 0.0, "samplerate": 48_000.0,
        "metadata": { "name": "x", "samplerate": "48000" },
        "layers": [
            { "type": "lstm", "activation": "", "shape": [null, null, 1],
              "weights": [[values(4, 1)], [values(4, 2)], values(4, 3)] },
            { "type": "dense", "activation": "", "shape": [null, null, 1], "weights": [[[0.5]], [0.1]] },
        ],
    });
    let column = |seed: u32| values(4, seed).into_iter().map(|w| vec![w]).collect::<Vec<_>>();
    let proteus = json!({
        "model_data": { "model": "SimpleRNN", "input_size": 1, "skip": 1, "output_size": 1, "unit_type": "LSTM",
            "num_layers": 1, "hidden_size": 1, "bias_fl": true },
        "state_dict": { "rec.weight_ih_l0": column(1), "rec.weight_hh_l0": column(2), "rec.bias_ih_l0": values(4, 3),
            "rec.bias_hh_l0": values(4, 4), "lin.weight": [[0.5]], "lin.bias": [0.1] },
    });
    let seed = include_str!("../../../../tests/modelfile/data/hand_made.json");
    vec![
        ("seed", serde_json::from_str(seed).unwrap()),
        ("AIDA-X", aidax),
        ("Proteus", proteus),
        (".nam WaveNet", nam_wavenet()),
        (".nam slimmable", nam_slimmable()),
        (".nam LSTM", nam_lstm()),
        (".nam ConvNet", nam_convnet()),
        (".nam Linear", nam_linear()),
        (
            ".nam container",
            json!({
                "version": "0.7.0", "architecture": "SlimmableContainer", "weights": [],
                "config": { "submodels": [{ "max_value": 1.0, "model": nam_lstm() }] },
            }),
        ),
    ]
}

/// The paths of all values in a document, the first two elements of every list.
fn pointers(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, inner)| pointers(inner, &format!("{here}/{key}"), found));
        }
        Value::Array(elements) => {
            elements
                .iter()
                .take(2)
                .enumerate()
                .for_each(|(i, inner)| pointers(inner, &format!("{here}/{i}"), found));
        }
        _ => {}
    }
}

/// Every value replaced by those of every other type, and removed.
fn mutations(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    pointers(document, "", &mut found);
    let others = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!("text"),
        json!([]),
        json!([[0]]),
        json!({}),
    ];
    let mut texts = Vec::new();
    for pointer in &found {
        for other in &others {
            let mut changed = document.clone();
            if let Some(value) = changed.pointer_mut(pointer) {
                *value = other.clone();
            }
            texts.push(changed.to_string());
        }
        if let Some((parent, key)) = pointer.rsplit_once('/') {
            let mut changed = document.clone();
            if let Some(Value::Object(members)) = changed.pointer_mut(parent) {
                members.remove(key);
                texts.push(changed.to_string());
            }
        }
    }
    texts
}

#[test]
fn no_message_about_a_json_model_names_a_type_of_the_code() {
    let mut refused = 0;
    for (name, document) in texts() {
        assert!(
            load_bytes(document.to_string().as_bytes()).is_ok(),
            "{name}: {:?}",
            load_bytes(document.to_string().as_bytes()).err()
        );
        let text = document.to_string();
        let cut = (1..20).map(|share| text[..text.len() * share / 20].to_owned());
        let tokens = ["NaN", "-Infinity", "nil", "{", "]", "\"", ",", "1.2.3", "\u{1}"];
        let places = tokens.iter().flat_map(|token| (1..6).map(move |share| (token, share)));
        let spoilt = places.map(|(token, share)| {
            let at = text.len() * share / 6;
            format!("{}{token}{}", &text[..at], &text[at..])
        });
        for text in mutations(&document).into_iter().chain(cut).chain(spoilt) {
            if let Err(error) = load_bytes(text.as_bytes()) {
                check(&error.to_string(), name);
                refused += 1;
            }
        }
    }
    assert!(refused > 3000, "{refused}");
}

#[test]
fn no_message_about_a_model_file_or_a_folder_names_a_type_of_the_code() {
    let mut refused = 0;
    let mut try_one = |bytes: &[u8], name: &str| {
        if let Err(error) = load_bytes(bytes) {
            check(&error.to_string(), name);
            refused += 1;
        }
    };
    for file in [model_file(), mixed_file()] {
        // The metadata, key by key.
        for key in file.metadata.keys() {
            for text in [
                "",
                "null",
                "[]",
                "{}",
                "1",
                "\"text\"",
                "{\"channels\":\"x\"}",
                "{\"channels\":2,\"more\":1}",
                "[1,2",
                "NaN",
            ] {
                let mut changed = file.clone();
                changed.metadata.insert(key.clone(), text.to_owned());
                try_one(&changed.to_bytes().unwrap(), key);
            }
        }
        // The header of the file, value by value.
        let bytes = file.to_bytes().unwrap();
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
        for text in mutations(&header) {
            let mut changed = (text.len() as u64).to_le_bytes().to_vec();
            changed.extend_from_slice(text.as_bytes());
            changed.extend_from_slice(&bytes[8 + length..]);
            try_one(&changed, "the header");
        }
    }
    let config = |text: &str| text.replace("\"weights\":[", "\"ignored\":[");
    let document = config(&nam_lstm().to_string());
    for text in mutations(&serde_json::from_str(&document).unwrap()) {
        if let Err(error) = NamFile::from_folder_bytes(text.as_bytes(), &npy(&[0.1; 8])) {
            check(&error.to_string(), "a folder");
            refused += 1;
        }
    }
    for bytes in [&b"no text"[..], b"", b"\x93NUMPY\x01\x00\x05\x00{}"] {
        let error = NamFile::from_folder_bytes(nam_lstm().to_string().as_bytes(), bytes).unwrap_err();
        check(&error.to_string(), "weights.npy");
    }
    assert!(refused > 500, "{refused}");
}

#[test]
fn faults_that_files_have_are_said_with_their_place() {
    let text = nam_lstm().to_string();
    let refusal = |bytes: &[u8]| load_bytes(bytes).unwrap_err().to_string();
    // A byte-order mark, as some editors write it, is no fault.
    assert!(load_bytes(format!("\u{FEFF}{text}").as_bytes()).is_ok());
    let half = &text[..text.len() / 2];
    let said = format!(
        "the file is malformed: it ends within a list, at line 1, column {}: it was cut off",
        half.len()
    );
    assert!(refusal(half.as_bytes()).starts_with(&said), "{}", refusal(half.as_bytes()));
    let comma = text.replacen("]}", ",]}", 1);
    let at = comma.find(",]").unwrap() + 2;
    let said = format!(
        "the file is malformed: there is a comma too many before the closing bracket at line 1, column {at}"
    );
    assert!(refusal(comma.as_bytes()).starts_with(&said), "{}", refusal(comma.as_bytes()));
    let nan = text.replacen("\"weights\":[", "\"weights\":[\nNaN,", 1);
    let said =
        "the file is malformed: NaN and Infinity are not JSON numbers, but there is one at line 2, column 1";
    assert!(refusal(nan.as_bytes()).starts_with(said), "{}", refusal(nan.as_bytes()));
    let mut latin = text.replacen("a test", "caf@", 1).into_bytes();
    let at = latin.iter().position(|&byte| byte == b'@').unwrap();
    latin[at] = 0xE9;
    let said = format!("the file is malformed: the byte E9 at line 1, column {} is not UTF-8", at + 1);
    assert!(refusal(&latin).starts_with(&said), "{}", refusal(&latin));
    assert!(refusal(b"\xFF\xFE{\0").contains("UTF-16"));
    // A wrong value is named by its path and its place.
    let wrong = text.replacen("\"hidden_size\":3", "\"hidden_size\":\n  \"3\"", 1);
    assert!(wrong != text);
    assert_eq!(
        refusal(wrong.as_bytes()),
        "config.hidden_size is \"3\", but must be a whole number from 1 to 1024 (line 2, column 3)"
    );
    let null = text.replacen("\"weights\":[", "\"weights\":[\nnull,", 1);
    assert!(
        refusal(null.as_bytes())
            .starts_with("weights[0] is malformed: it is null, but must be a number (line 2, column 1)"),
        "{}",
        refusal(null.as_bytes())
    );
    let huge = text.replacen("\"weights\":[", "\"weights\":[\n1e39,", 1);
    assert!(refusal(huge.as_bytes()).contains("line 2, column 1"), "{}", refusal(huge.as_bytes()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.nam");
    std::fs::write(&path, half).unwrap();
    let error = load_any(&path).unwrap_err();
    assert!(
        matches!(error, Error::InFile { .. }) && error.to_string().contains("bad.nam: the file is malformed"),
        "{error}"
    );
}

#[test]
fn a_model_whose_output_is_no_sound_is_refused_and_a_loud_one_is_not() {
    let linear = |tap: f64| {
        json!({ "version": "0.5.4", "architecture": "Linear", "weights": [tap, tap],
            "config": { "receptive_field": 2, "bias": false } })
    };
    let refusal = |document: &Value| load_bytes(document.to_string().as_bytes()).unwrap_err().to_string();
    for tap in [1e30, 2e38, -1e8] {
        let error = refusal(&linear(tap));
        assert!(error.starts_with("the output of the model is malformed: a sample is "), "{error}");
    }
    assert!(load_bytes(linear(1e5).to_string().as_bytes()).is_ok());
    // All weights of every network as absurd as they can be.
    for mut document in [nam_wavenet(), nam_convnet(), nam_linear(), nam_lstm(), nam_slimmable()] {
        for weight in document["weights"].as_array_mut().unwrap() {
            *weight = json!(1e30);
        }
        let error = refusal(&document);
        assert!(error.contains("is malformed") || error.contains("must be"), "{error}");
    }
}
