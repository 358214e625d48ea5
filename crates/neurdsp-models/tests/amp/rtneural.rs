//! LSTMs of AIDA-X and Proteus play as their own players do, and convert both ways.

use crate::common::{nam_lstm, nam_wavenet, values};
use neurdsp_models::amp::nam::{LstmNetwork, NamFile, Network};
use neurdsp_models::amp::rtneural::{to_aidax, to_proteus};
use neurdsp_models::amp::{NamVersion, to_nam};
use neurdsp_models::{Error, load_bytes};
use serde_json::{Value, json};

/// An LSTM by its formula, in double precision: for each layer `[4H][inputs + H]` and `[4H]`; the head; and what is around it.
struct Reference {
    layers: Vec<(Vec<Vec<f64>>, Vec<f64>)>,
    head: Vec<f64>,
    bias: f64,
    input_gain: f64,
    output_gain: f64,
    adds_input: bool,
}

impl Reference {
    /// The output after half a second of silence, in which the state settles.
    fn play(&self, input: &[f32]) -> Vec<f64> {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let mut state: Vec<_> = self
            .layers
            .iter()
            .map(|(_, bias)| (vec![0.0; bias.len() / 4], vec![0.0; bias.len() / 4]))
            .collect();
        let silence = vec![0.0f32; 24_000];
        let all = silence.iter().chain(input).map(|&x| {
            let x = f64::from(x) * self.input_gain;
            let mut below = vec![x];
            for ((weight, bias), (hidden, cell)) in self.layers.iter().zip(&mut state) {
                let units = hidden.len();
                let columns: Vec<f64> = below.iter().chain(hidden.iter()).copied().collect();
                let gate = |row: usize| -> f64 {
                    weight[row].iter().zip(&columns).map(|(w, x)| w * x).sum::<f64>() + bias[row]
                };
                for (u, cell) in cell.iter_mut().enumerate() {
                    let (i, f) = (sigmoid(gate(u)), sigmoid(gate(units + u)));
                    *cell = f * *cell + i * gate(2 * units + u).tanh();
                }
                let outputs: Vec<f64> =
                    (0..units).map(|u| sigmoid(gate(3 * units + u)) * cell[u].tanh()).collect();
                hidden.copy_from_slice(&outputs);
                below = outputs;
            }
            let sum: f64 = below.iter().zip(&self.head).map(|(h, w)| h * w).sum::<f64>() + self.bias;
            (sum + if self.adds_input { x } else { 0.0 }) * self.output_gain
        });
        all.collect::<Vec<f64>>().split_off(24_000)
    }

    fn random(units: usize, n_layers: usize, seed: u32) -> Reference {
        let row = |n: usize, seed: u32| {
            values(n, seed).into_iter().map(|w| 0.6 * f64::from(w)).collect::<Vec<f64>>()
        };
        let layer = |k: usize| {
            let columns = units + if k == 0 { 1 } else { units };
            let weight = (0..4 * units).map(|r| row(columns, seed + 100 * k as u32 + r as u32)).collect();
            (weight, row(4 * units, seed + 77 + k as u32))
        };
        Reference {
            layers: (0..n_layers).map(layer).collect(),
            head: row(units, seed + 7),
            bias: 0.05,
            input_gain: 1.0,
            output_gain: 1.0,
            adds_input: false,
        }
    }

    /// The network of a `.nam` file, as other players compute it.
    fn of_network(network: &LstmNetwork) -> Reference {
        let wide = |values: &[f32]| values.iter().map(|&w| f64::from(w)).collect::<Vec<f64>>();
        let units = network.hidden_size;
        let layers = network
            .layers
            .iter()
            .map(|layer| (layer.weight.chunks(layer.inputs + units).map(wide).collect(), wide(&layer.bias)));
        Reference {
            layers: layers.collect(),
            head: wide(&network.head_weight),
            bias: f64::from(network.head_bias[0]),
            input_gain: 1.0,
            output_gain: 1.0,
            adds_input: false,
        }
    }

    fn aidax(&self, gains_db: [f64; 2]) -> Value {
        let mut layers: Vec<Value> = Vec::new();
        for (weight, bias) in &self.layers {
            let (units, columns) = (bias.len() / 4, weight[0].len());
            let column = |c: usize| weight.iter().map(|row| row[c]).collect::<Vec<f64>>();
            let inputs = columns - units;
            layers.push(json!({
                "type": "lstm", "activation": "", "shape": [null, null, units],
                "weights": [
                    (0..inputs).map(column).collect::<Vec<_>>(),
                    (inputs..columns).map(column).collect::<Vec<_>>(),
                    bias,
                ],
            }));
        }
        let head: Vec<[f64; 1]> = self.head.iter().map(|w| [*w]).collect();
        layers.push(json!({
            "type": "dense", "activation": "", "shape": [null, null, 1], "weights": [head, [self.bias]],
        }));
        json!({
            "in_shape": [null, null, 1], "in_skip": u8::from(self.adds_input), "in_gain": gains_db[0], "out_gain": gains_db[1],
            "samplerate": 44_100.0, "layers": layers,
            "metadata": { "name": "an amp", "author": "somebody", "samplerate": "48000", "esr": "0.01", "licence": "CC0" },
        })
    }

    fn proteus(&self) -> Value {
        let units = self.head.len();
        let mut state = serde_json::Map::new();
        for (k, (weight, bias)) in self.layers.iter().enumerate() {
            let inputs = weight[0].len() - units;
            let part = |range: std::ops::Range<usize>| {
                weight.iter().map(|row| row[range.clone()].to_vec()).collect::<Vec<_>>()
            };
            let half: Vec<f64> = bias.iter().map(|b| 0.5 * b).collect();
            state.insert(format!("rec.weight_ih_l{k}"), json!(part(0..inputs)));
            state.insert(format!("rec.weight_hh_l{k}"), json!(part(inputs..inputs + units)));
            state.insert(format!("rec.bias_ih_l{k}"), json!(half));
            state.insert(format!("rec.bias_hh_l{k}"), json!(half));
        }
        state.insert("lin.weight".into(), json!([self.head]));
        state.insert("lin.bias".into(), json!([self.bias]));
        json!({
            "model_data": {
                "model": "SimpleRNN", "input_size": 1, "skip": u8::from(self.adds_input), "output_size": 1,
                "unit_type": "LSTM", "num_layers": self.layers.len(), "hidden_size": units, "bias_fl": true,
            },
            "state_dict": state,
        })
    }
}

fn sound() -> Vec<f32> {
    let loud = |i: usize| if (i / 500).is_multiple_of(2) { 0.9 } else { 0.02 };
    values(3000, 42).iter().enumerate().map(|(i, x)| x * loud(i)).collect()
}

fn error_db(got: &[f32], wanted: &[f64]) -> f64 {
    let error: f64 = got.iter().zip(wanted).map(|(g, w)| (f64::from(*g) - w).powi(2)).sum();
    10.0 * (error / wanted.iter().map(|w| w * w).sum::<f64>()).log10()
}

fn played(text: &[u8]) -> Vec<f32> {
    let mut output = vec![0.0; 3000];
    load_bytes(text).unwrap().build_stream().unwrap().process(&sound(), &mut output);
    output
}

fn through_a_file(text: &[u8], version: NamVersion) -> NamFile {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    std::fs::write(&path, text).unwrap();
    to_nam(&path, "{}", version).unwrap()
}

/// Shapes, whether the input is added, and gains in dB.
const CASES: [(usize, usize, bool, [f64; 2]); 6] = [
    (8, 1, true, [0.0, 0.0]),
    (8, 1, false, [0.0, 0.0]),
    (16, 1, true, [6.0, -9.5]),
    (12, 2, true, [-3.0, 2.0]),
    (40, 1, true, [0.0, 0.0]),
    (1, 3, false, [0.0, 1.0]),
];

fn case((units, n_layers, adds_input, gains_db): (usize, usize, bool, [f64; 2])) -> Reference {
    let [input_gain, output_gain] = gains_db.map(|db| 10f64.powf(db / 20.0));
    Reference { input_gain, output_gain, adds_input, ..Reference::random(units, n_layers, 5) }
}

#[test]
fn both_formats_play_to_minus_100_db_as_their_formula_says() {
    for shape in CASES {
        let reference = case(shape);
        let wanted = reference.play(&sound());
        let error = error_db(&played(reference.aidax(shape.3).to_string().as_bytes()), &wanted);
        assert!(error < -110.0, "AIDA-X {shape:?}: {error} dB");
        let plain = Reference { input_gain: 1.0, output_gain: 1.0, ..reference };
        let error = error_db(&played(plain.proteus().to_string().as_bytes()), &plain.play(&sound()));
        assert!(error < -110.0, "Proteus {shape:?}: {error} dB");
    }
}

#[test]
fn what_the_files_say_is_kept() {
    let model = load_bytes(case(CASES[0]).aidax([0.0; 2]).to_string().as_bytes()).unwrap();
    assert_eq!((model.architecture(), model.sample_rate()), ("nam.lstm", 48_000.0));
    let capture = model.capture();
    assert_eq!((capture.text("name"), capture.text("modeled_by")), (Some("an amp"), Some("somebody")));
    assert_eq!((capture.validation_esr(), capture.text("licence")), (Some(0.01), Some("CC0")));
    assert_eq!(model.metadata()["source.format"], "AIDA-X JSON");
    let model = load_bytes(case(CASES[0]).proteus().to_string().as_bytes()).unwrap();
    // The rate of Proteus, whose files name none.
    assert_eq!((model.sample_rate(), model.metadata()["source.format"].as_str()), (44_100.0, "Proteus JSON"));
}

#[test]
fn the_nam_file_computes_the_same_in_other_players() {
    for shape in CASES {
        let reference = case(shape);
        let file = through_a_file(reference.aidax(shape.3).to_string().as_bytes(), NamVersion::Oldest);
        assert_eq!((file.version(), file.metadata().text("name")), ("0.5.4", Some("an amp")));
        let Network::Lstm(network) = file.network() else { panic!("no LSTM") };
        assert_eq!(network.hidden_size, shape.0 + usize::from(shape.2));
        // As other players compute it, and as this one does, which adds the input itself.
        let wanted = reference.play(&sound());
        let others: Vec<f32> =
            Reference::of_network(network).play(&sound()).iter().map(|y| *y as f32).collect();
        let error = error_db(&others, &wanted);
        assert!(error < -100.0, "{shape:?}: {error} dB in other players");
        let own = error_db(&played(&file.to_bytes().unwrap()), &wanted);
        assert!(own < -110.0, "{shape:?}: {own} dB");
        let model_file = file.to_model_file("a test").unwrap();
        assert_eq!(NamFile::from_model_file(&model_file).unwrap(), file);
    }
}

#[test]
fn an_lstm_is_written_for_both_players_and_read_back() {
    for shape in CASES {
        let reference = case(shape);
        let wanted = reference.play(&sound());
        let file = through_a_file(reference.aidax(shape.3).to_string().as_bytes(), NamVersion::Keep);
        let text = to_aidax(&file).unwrap();
        let error = error_db(&played(&text), &wanted);
        assert!(error < -110.0, "{shape:?}: {error} dB");
        let written: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(written["in_skip"], u8::from(shape.2));
        // As many units as in the source: the one that carries the input is not written.
        assert_eq!(written["layers"][0]["shape"], json!([null, null, shape.0]));
        assert_eq!(
            (&written["metadata"]["author"], &written["metadata"]["esr"]),
            (&json!("somebody"), &json!(0.01))
        );
        if shape.3 == [0.0, 0.0] {
            let text = to_proteus(&file).unwrap();
            let error = error_db(&played(&text), &wanted);
            assert!(error < -110.0, "{shape:?}: {error} dB as Proteus");
            let written: Value = serde_json::from_slice(&text).unwrap();
            assert_eq!(
                (&written["model_data"]["hidden_size"], &written["model_data"]["skip"]),
                (&json!(shape.0), &json!(u8::from(shape.2)))
            );
            assert_eq!(load_bytes(&text).unwrap().sample_rate(), 48_000.0);
        }
    }
    // A gain at the input cannot be said by a Proteus file.
    let gained = through_a_file(case(CASES[2]).aidax(CASES[2].3).to_string().as_bytes(), NamVersion::Keep);
    assert!(matches!(to_proteus(&gained), Err(Error::Unsupported { .. })));
    let own = NamFile::from_bytes(nam_lstm().to_string().as_bytes()).unwrap();
    let network = Network::Lstm(match own.network() {
        Network::Lstm(network) => network.clone(),
        _ => panic!("no LSTM"),
    });
    assert_eq!(own.network(), &network);
    let wavenet = NamFile::from_bytes(nam_wavenet().to_string().as_bytes()).unwrap();
    let error = to_aidax(&wavenet).unwrap_err().to_string();
    assert!(error.contains("a WaveNet as an AIDA-X file is not supported"), "{error}");
}

#[test]
fn what_cannot_be_played_is_refused_by_its_path() {
    let aidax = || case(CASES[0]).aidax([0.0; 2]);
    let proteus = || case(CASES[0]).proteus();
    let cases: [(Value, &str, Value, &str); 16] = [
        (
            aidax(),
            "/in_shape/2",
            json!(2),
            "in_shape 2 is not supported: neurdsp plays such models with one input",
        ),
        (aidax(), "/in_skip", json!(2), "in_skip is 2, but must be 0, or 1 to add the input"),
        (aidax(), "/in_gain", json!(500), "in_gain is 500, but must be -120 to 120 dB"),
        (aidax(), "/samplerate", json!("fast"), "samplerate is \"fast\", but must be a number"),
        (
            aidax(),
            "/metadata/samplerate",
            json!(5),
            "metadata.samplerate is 5, but must be 1000 to 768000 Hz",
        ),
        (
            aidax(),
            "/layers/0/type",
            json!("gru"),
            "layers[0].type \"gru\" is not supported: neurdsp plays LSTM layers",
        ),
        (aidax(), "/layers/1/activation", json!("relu"), "layers[1].activation \"relu\" is not supported"),
        (aidax(), "/layers/0/shape/2", json!(9), "layers[0].weights[0] is malformed"),
        (aidax(), "/layers/0/weights/1/3", json!([1, 2]), "layers[0].weights[1] is malformed: 2 elements"),
        (
            aidax(),
            "/layers/0/weights/2/0",
            json!(null),
            "layers[0].weights[2] is malformed: it is null, but must be a number",
        ),
        (aidax(), "/layers", json!([]), "a model of 0 layers is not supported"),
        (proteus(), "/model_data/unit_type", json!("GRU"), "model_data.unit_type \"GRU\" is not supported"),
        (proteus(), "/model_data/input_size", json!(3), "model_data.input_size 3 is not supported"),
        (proteus(), "/model_data/hidden_size", json!(9), "state_dict.rec.weight_ih_l0 is malformed"),
        (
            proteus(),
            "/model_data/num_layers",
            json!(2),
            "state_dict.rec.weight_ih_l1 is malformed: it is missing",
        ),
        (proteus(), "/state_dict", json!(null), "state_dict is malformed: it is missing"),
    ];
    for (mut file, pointer, value, expected) in cases {
        *file.pointer_mut(pointer).unwrap() = value;
        let error = load_bytes(file.to_string().as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{pointer}: {error:?} is not {expected:?}");
    }
    let error = load_bytes(b"{\"a\": 1, \"b\": 2}").unwrap_err().to_string();
    assert!(error.starts_with("the JSON of no amp model: its keys are a, b, but a .nam file has"), "{error}");
    // An absurd size is refused before anything of it is read.
    let mut huge = proteus();
    huge["model_data"]["hidden_size"] = json!(1000);
    let error = load_bytes(huge.to_string().as_bytes()).unwrap_err().to_string();
    assert!(error.contains("the number of weights of state_dict is 4008000, over the limit"), "{error}");
}

#[test]
fn the_old_keys_are_written_where_they_suffice() {
    let array = json!({
        "input_size": 1, "condition_size": 1, "channels": 2, "bottleneck": 2, "kernel_size": 3, "dilations": [1, 2],
        "activation": "Tanh", "gating_mode": "none", "layer1x1": { "active": true, "groups": 1 },
        "head1x1": { "active": false, "out_channels": 2 }, "head": { "out_channels": 1, "kernel_size": 1, "bias": true },
    });
    let plain = |kernel: usize, extra: usize| {
        let mut array = array.clone();
        array["head"]["kernel_size"] = kernel.into();
        let config = json!({ "layers": [array], "head": null, "head_scale": 0.5 });
        let mut file =
            crate::common::nam("WaveNet", config, 2 + 2 * (12 + 2 + 2 + 4 + 2) + 2 * kernel + 1 + 1 + extra);
        file["version"] = "0.6.0".into();
        file["trainer"] = "kept".into();
        file.to_string().into_bytes()
    };
    let source = plain(1, 0);
    let old = through_a_file(&source, NamVersion::Oldest);
    let document: Value = serde_json::from_slice(&old.to_bytes().unwrap()).unwrap();
    let layer = &document["config"]["layers"][0];
    assert_eq!((&document["version"], &document["trainer"]), (&json!("0.5.4"), &json!("kept")));
    assert_eq!(
        (&layer["gated"], &layer["head_size"], &layer["head_bias"]),
        (&json!(false), &json!(1), &json!(true))
    );
    assert!(layer.get("gating_mode").is_none() && layer.get("bottleneck").is_none());
    assert_eq!(played(&old.to_bytes().unwrap()), played(&source));
    assert_eq!(through_a_file(&source, NamVersion::Keep).version(), "0.6.0");
    // A longer head needs the new keys.
    let new = plain(4, 0);
    assert_eq!(through_a_file(&new, NamVersion::Oldest).version(), "0.6.0");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.nam");
    std::fs::write(&path, &new).unwrap();
    let error = to_nam(&path, "{}", NamVersion::Plain).unwrap_err();
    assert!(
        error.is_unsupported() && error.to_string().contains("it needs the keys of version 0.6.0"),
        "{error}"
    );
}
