//! Models with knobs: the folded network is the one that arithmetic by hand gives, and every flaw of a file is named.

use crate::common::{CONFIG, model_file, nam_slimmable, values, weights};
use neurdsp_models::amp::nam::{Conventions, NamFile};
use neurdsp_models::amp::residual::ResidualStream;
use neurdsp_models::{LoadedModel, ModelFile, NamOptions, StreamingModel, Tensor, load_with};

const RANK: usize = 2;

fn tensor(shape: &[usize], data: Vec<f32>) -> Tensor {
    Tensor::new(shape.to_vec(), data).unwrap()
}

/// The small model with knobs `gain` and `tone`, which move the biases of the first layer and the output's weights.
fn with_knobs() -> ModelFile {
    let mut file = model_file();
    let base = file.metadata["neurdsp.config"].clone();
    let config = format!(
        r#"{{"knobs":[{{"name":"gain","default":0.5}},{{"name":"tone","default":0.25}}],"hidden":3,"rank":{RANK},
        "model":{{"architecture":"amp.wavenet","config":{base}}}}}"#
    );
    file.metadata.insert("neurdsp.architecture".to_owned(), "amp.parametric".to_owned());
    file.metadata.insert("neurdsp.config".to_owned(), config);
    for (name, shape, seed) in [
        ("knobs.hidden.weight", vec![3, 2], 21),
        ("knobs.hidden.bias", vec![3], 22),
        ("knobs.output.weight", vec![RANK, 3], 23),
        ("knobs.output.bias", vec![RANK], 24),
        ("knobs.basis.layers.0.conv.bias", vec![RANK, 2], 25),
        ("knobs.basis.output_conv.weight", vec![RANK, 1, 2, 1], 26),
    ] {
        let n = shape.iter().product();
        file.tensors.insert(name.to_owned(), tensor(&shape, values(n, seed)));
    }
    file.tensors.insert("parity.output".to_owned(), tensor(&[64], by_hand([0.5, 0.25])));
    file
}

/// A slimmable `.nam` WaveNet whose weights follow one knob.
fn slimmable_with_a_knob() -> ModelFile {
    let nam = NamFile::from_bytes(nam_slimmable().to_string().as_bytes()).unwrap();
    let mut file = nam.to_model_file("a test").unwrap();
    let base = &file.metadata["neurdsp.config"];
    let config = format!(
        r#"{{"knobs":[{{"name":"gain","default":0.5}}],"hidden":1,"rank":1,
        "model":{{"architecture":"nam.wavenet","config":{base}}}}}"#
    );
    file.metadata.insert("neurdsp.architecture".to_owned(), "amp.parametric".to_owned());
    file.metadata.insert("neurdsp.config".to_owned(), config);
    let n_weights = file.tensors["weights"].data.len();
    for (name, shape, data) in [
        ("knobs.hidden.weight", vec![1, 1], vec![1.0]),
        ("knobs.hidden.bias", vec![1], vec![0.0]),
        ("knobs.output.weight", vec![1, 1], vec![1.0]),
        ("knobs.output.bias", vec![1], vec![0.0]),
        ("knobs.basis.weights", vec![1, n_weights], values(n_weights, 8)),
    ] {
        file.tensors.insert(name.to_owned(), tensor(&shape, data));
    }
    file
}

/// The output for the parity input, with weights folded here.
fn by_hand(positions: [f64; 2]) -> Vec<f32> {
    let dense = |input: &[f64], weight: &[f32], bias: &[f32]| -> Vec<f64> {
        let unit = |o: usize| {
            let row = &weight[o * input.len()..(o + 1) * input.len()];
            (row.iter().zip(input).map(|(&w, x)| f64::from(w) * x).sum::<f64>() + f64::from(bias[o])).tanh()
        };
        (0..bias.len()).map(unit).collect()
    };
    let centred = positions.map(|p| 2.0 * p - 1.0);
    let hidden = dense(&centred, &values(6, 21), &values(3, 22));
    let shares = dense(&hidden, &values(6, 23), &values(2, 24));
    let move_by = |data: &mut [f32], basis: &[f32]| {
        let n = data.len();
        for i in 0..n {
            data[i] += (shares[0] * f64::from(basis[i]) + shares[1] * f64::from(basis[n + i])) as f32;
        }
    };
    let mut folded = weights();
    move_by(&mut folded.layers[0].bias, &values(4, 25));
    move_by(&mut folded.output_weight, &values(4, 26));
    let mut output = vec![0.0; 64];
    ResidualStream::new(&CONFIG, &folded).unwrap().process(&values(64, 11), &mut output);
    output
}

fn play(model: &LoadedModel) -> Vec<f32> {
    let mut output = vec![0.0; 64];
    model.build_stream().unwrap().process(&values(64, 11), &mut output);
    output
}

fn furthest(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn the_knobs_begin_at_their_defaults_and_the_file_proves_itself_there() {
    let model = LoadedModel::from_file(&with_knobs()).unwrap();
    let names: Vec<&str> = model.knobs().iter().map(|knob| knob.name.as_str()).collect();
    assert_eq!((names.as_slice(), model.positions()), (["gain", "tone"].as_slice(), [0.5, 0.25].as_slice()));
    assert_eq!((model.architecture(), model.n_parameters()), ("amp.parametric", 35));
    assert!(model.verify().unwrap().passed());
}

#[test]
fn a_moved_knob_plays_the_weights_that_arithmetic_gives() {
    let model = LoadedModel::from_file(&with_knobs()).unwrap();
    for positions in [[0.0, 0.0], [1.0, 0.0], [0.3, 0.9]] {
        let moved = model.with_knobs(&positions.map(|p| p as f32)).unwrap();
        assert!(furthest(&play(&moved), &by_hand(positions)) < 1e-5);
        assert!(furthest(&play(&moved), &play(&model)) > 1e-2, "the knob does nothing");
        assert!(moved.verify().is_err(), "the proof is for other positions");
        // The way back is exact.
        let back = moved.with_knobs(&[0.5, 0.25]).unwrap();
        assert_eq!(play(&back), play(&model));
        assert!(back.verify().unwrap().passed());
    }
}

#[test]
fn a_model_below_full_size_keeps_its_knobs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("knobs.safetensors");
    slimmable_with_a_knob().write(&path).unwrap();
    let full = load_with(&path, &NamOptions::default()).unwrap();
    let small = load_with(&path, &NamOptions { size: Some(0.0), ..NamOptions::default() }).unwrap();
    assert_eq!((small.knobs(), small.positions()), (full.knobs(), [0.5].as_slice()));
    assert!(small.n_parameters() < full.n_parameters());
    assert!(furthest(&play(&small), &play(&full)) > 1e-3, "the sizes play the same");

    let turned = small.with_knobs(&[0.9]).unwrap();
    assert_eq!((turned.n_parameters(), turned.positions()), (small.n_parameters(), [0.9].as_slice()));
    assert!(furthest(&play(&turned), &play(&small)) > 1e-3, "the knob does nothing");
    // Size and knobs give the same model in either order.
    for resized in
        [full.with_knobs(&[0.9]).unwrap().at_size(0.0), full.at_size(0.0).unwrap().with_knobs(&[0.9])]
    {
        let resized = resized.unwrap();
        assert_eq!((play(&resized), resized.positions()), (play(&turned), [0.9].as_slice()));
    }
}

#[test]
fn another_size_keeps_the_conventions() {
    let file = NamFile::from_bytes(nam_slimmable().to_string().as_bytes()).unwrap();
    let load =
        |size, conventions| LoadedModel::from_nam(file.clone(), &NamOptions { size, conventions }).unwrap();
    let trainer = load(None, Conventions::Trainer);
    for size in [0.0, 1.0] {
        let by_trainer = play(&load(Some(size), Conventions::Trainer));
        assert!(furthest(&play(&load(Some(size), Conventions::Core)), &by_trainer) > 1e-3);
        assert_eq!(play(&trainer.at_size(size).unwrap()), by_trainer, "size {size}");
    }
}

#[test]
fn positions_that_no_knob_has_are_refused_by_name() {
    let model = LoadedModel::from_file(&with_knobs()).unwrap();
    let refusal = |positions: &[f32]| model.with_knobs(positions).unwrap_err().to_string();
    assert_eq!(refusal(&[0.5]), "the number of knob positions is 1, but must be 2: gain, tone");
    assert_eq!(refusal(&[0.5, 1.5]), "the position of tone is 1.5, but must be 0 to 1");
    assert!(refusal(&[f32::NAN, 0.5]).starts_with("the position of gain is NaN"));
    let plain = LoadedModel::from_file(&model_file()).unwrap();
    assert!(plain.knobs().is_empty() && plain.with_knobs(&[]).is_ok());
    let error = plain.with_knobs(&[0.5]).unwrap_err().to_string();
    assert_eq!(error, "the number of knob positions is 1, but must be 0: this model has no knobs");
}

#[test]
fn every_flaw_of_a_file_is_named() {
    let refusal = |change: &dyn Fn(&mut ModelFile)| {
        let mut file = with_knobs();
        change(&mut file);
        LoadedModel::from_file(&file).map_or_else(|error| error.to_string(), |_| "accepted".to_owned())
    };
    let config = |from: &'static str, to: &'static str| {
        move |file: &mut ModelFile| {
            let text = file.metadata["neurdsp.config"].replace(from, to);
            file.metadata.insert("neurdsp.config".to_owned(), text);
        }
    };
    let put = |name: &'static str, shape: &'static [usize]| {
        move |file: &mut ModelFile| {
            let n = shape.iter().product();
            file.tensors.insert(name.to_owned(), tensor(shape, vec![0.0; n]));
        }
    };
    type Change<'a> = &'a dyn Fn(&mut ModelFile);
    let cases: [(Change<'_>, &str); 12] = [
        (&config("\"tone\"", "\"gain\""), "the knob gain is defined twice"),
        (&config("\"tone\"", "\"To ne\""), "the name of a knob is \"To ne\""),
        (&config("0.25", "1.25"), "the default of tone is 1.25, but must be 0 to 1"),
        (&config("\"hidden\":3", "\"hidden\":100000"), "hidden is 100000, but must be 1 to 256"),
        (&config("\"rank\":2", "\"rank\":0"), "rank is 0"),
        (&config("\"amp.wavenet\"", "\"amp.parametric\""), "a model with knobs inside another"),
        (&config("\"amp.wavenet\"", "\"amp.unheard\""), "the architecture is \"amp.unheard\""),
        (&put("knobs.basis.nothing", &[2, 2]), "the tensor knobs.basis.nothing is not part of"),
        (&put("knobs.basis.output_conv.bias", &[3, 1]), "the tensor knobs.basis.output_conv.bias has shape"),
        (&put("knobs.more", &[1]), "the tensor knobs.more is not part of"),
        (&|file| drop(file.tensors.remove("knobs.output.bias")), "the tensor knobs.output.bias is missing"),
        (
            &|file| {
                file.tensors.get_mut("knobs.basis.layers.0.conv.bias").unwrap().as_f32_mut().unwrap()[3] =
                    f32::NAN
            },
            "knobs.basis.layers.0.conv.bias holds NaN at index 3",
        ),
    ];
    for (change, expected) in cases {
        let message = refusal(change);
        assert!(message.contains(expected), "{message}");
    }
}
