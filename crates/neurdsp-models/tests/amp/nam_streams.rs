//! Playing `.nam` models of every architecture, and converting them between formats.

use crate::common::{self, CONFIG, nam_convnet, nam_linear, nam_lstm, nam_wavenet, npy, values, weights};
use neurdsp_models::amp::nam::{NamFile, NamMetadata, Network, WavenetNetwork};
use neurdsp_models::amp::residual::ResidualStream;
use neurdsp_models::{LoadedModel, NamOptions, StreamingModel, load, load_bytes};
use serde_json::{Value, json};

fn all() -> [Value; 4] {
    [nam_lstm(), nam_convnet(), nam_linear(), nam_wavenet()]
}

fn loaded(document: &Value) -> LoadedModel {
    load_bytes(document.to_string().as_bytes()).unwrap()
}

fn play(stream: &mut dyn StreamingModel, input: &[f32], block: usize) -> Vec<f32> {
    let mut output = vec![f32::NAN; input.len()];
    for (input, output) in input.chunks(block).zip(output.chunks_mut(block)) {
        stream.process(input, output);
    }
    output
}

#[test]
fn the_output_is_the_same_bit_for_bit_at_every_block_size_and_after_a_reset() {
    let input = values(1000, 5);
    for document in all() {
        let model = loaded(&document);
        let mut stream = model.build_stream().unwrap();
        let whole = play(stream.as_mut(), &input, input.len());
        assert!(whole.iter().all(|y| y.is_finite()));
        for block in [1, 7, 64, 65] {
            stream.reset();
            assert_eq!(play(stream.as_mut(), &input, block), whole, "{} {block}", model.architecture());
        }
    }
}

#[test]
fn a_stream_begins_as_if_silence_had_been_for_ever() {
    for document in all() {
        let model = loaded(&document);
        let output = play(model.build_stream().unwrap().as_mut(), &[0.0; 3000], 64);
        let first = output[0];
        assert!(output.iter().all(|y| (y - first).abs() <= 1e-6), "{}", model.architecture());
    }
}

fn scale_weights(document: &mut Value, factor: f64) {
    for weight in document["weights"].as_array_mut().unwrap() {
        *weight = json!(factor * weight.as_f64().unwrap());
    }
}

#[test]
fn an_idle_stream_goes_on_to_the_bit_as_if_it_had_been_played() {
    let sound = values(500, 5);
    // On silence the last bit of a cell of this one alternates for ever.
    let swinging = json!({ "input_size": 1, "hidden_size": 16, "num_layers": 1 });
    let mut swinging = common::nam("LSTM", swinging, 64 * 17 + 64 + 32 + 17);
    scale_weights(&mut swinging, 0.8);
    for document in all().into_iter().chain([swinging]) {
        let model = loaded(&document);
        // A denormal number counts as zero in the network, but is not silence, so the second stream is never idle.
        let signal = |zero: f32| {
            let rests = [20_001, 1, 63, 64, 65, 20_001, 20_003];
            rests.iter().flat_map(|&rest| sound.iter().copied().chain(vec![zero; rest])).collect::<Vec<f32>>()
        };
        let mut played = model.build_stream().unwrap();
        let expected = play(played.as_mut(), &signal(1e-40), 64);
        // A closed gate returns zeros of either sign.
        for (block, zero) in [(1, 0.0), (13, 0.0), (64, 0.0), (300, 0.0), (13, -0.0), (64, -0.0)] {
            let mut idle = model.build_stream().unwrap();
            let output = play(idle.as_mut(), &signal(zero), block);
            let differ = output.iter().zip(&expected).position(|(a, b)| a.to_bits() != b.to_bits());
            assert_eq!(differ, None, "{} in blocks of {block} of {zero:?}", model.architecture());
        }
    }
}

#[test]
fn an_idle_stream_costs_a_fraction_of_one_that_plays() {
    let lstm = json!({ "input_size": 1, "hidden_size": 16, "num_layers": 2 });
    let convnet =
        json!({ "channels": 16, "dilations": [1, 2, 4, 8, 16], "batchnorm": false, "activation": "Tanh" });
    let mut small = common::nam("LSTM", lstm, (64 * 17 + 64 + 32) + (64 * 32 + 64 + 32) + 17);
    // So that the state settles within a second.
    scale_weights(&mut small, 0.2);
    for document in [small, common::nam("ConvNet", convnet, (32 + 16) + 4 * (512 + 16) + 17)] {
        let model = loaded(&document);
        let mut stream = model.build_stream().unwrap();
        let mut output = vec![0.0; 48_000];
        let mut seconds = |input: &[f32]| {
            let mut run = |stream: &mut dyn StreamingModel| {
                let start = std::time::Instant::now();
                stream.process(input, &mut output);
                start.elapsed().as_secs_f64()
            };
            (0..3).map(|_| run(stream.as_mut())).fold(f64::INFINITY, f64::min)
        };
        let playing = seconds(&values(48_000, 2));
        for zero in [0.0, -0.0] {
            let idle = seconds(&[zero; 48_000]);
            assert!(idle < 0.2 * playing, "{}: {idle} s idle, {playing} s playing", model.architecture());
        }
    }
}

#[test]
fn samples_that_are_not_finite_leave_no_trace() {
    let mut input = values(2000, 5);
    let clean = input.clone();
    input[100] = f32::NAN;
    input[101] = f32::INFINITY;
    for document in all() {
        let model = loaded(&document);
        let output = play(model.build_stream().unwrap().as_mut(), &input, 64);
        let expected = play(model.build_stream().unwrap().as_mut(), &clean, 64);
        // These recurrent models forget two samples within a few hundred.
        let tail = output[1000..].iter().zip(&expected[1000..]);
        assert!(tail.clone().count() == 1000 && tail.into_iter().all(|(a, b)| (a - b).abs() < 1e-5));
    }
}

#[test]
fn an_impulse_comes_out_of_a_linear_model_as_its_weights() {
    let document = nam_linear();
    let mut input = vec![0.0; 400];
    input[10] = 1.0;
    let output = play(loaded(&document).build_stream().unwrap().as_mut(), &input, 64);
    let weights: Vec<f32> = serde_json::from_value(document["weights"].clone()).unwrap();
    for (i, y) in output.iter().enumerate() {
        let tap = i.checked_sub(10).and_then(|lag| weights[..300].get(lag)).copied().unwrap_or(0.0);
        assert!((y - tap - weights[300]).abs() < 1e-6, "{i}");
    }
}

#[test]
fn a_file_is_written_as_it_was_read() {
    for mut document in all() {
        document["notes"] = json!(["kept"]);
        document["config"]["later"] = json!({ "unknown": true });
        document["metadata"]["gear_make"] = json!("Acme");
        let file = NamFile::from_bytes(document.to_string().as_bytes()).unwrap();
        let written: Value = serde_json::from_slice(&file.to_bytes().unwrap()).unwrap();
        assert_eq!(written, serde_json::from_str::<Value>(&document.to_string()).unwrap());
    }
}

#[test]
fn networks_are_written_in_the_oldest_version_that_can_say_them() {
    for (document, version) in all().into_iter().zip(["0.5.4", "0.5.4", "0.5.4", "0.7.0"]) {
        let read = NamFile::from_bytes(document.to_string().as_bytes()).unwrap();
        let written = NamFile::new(read.network().clone(), 48_000.0, NamMetadata::default()).unwrap();
        assert_eq!((written.network(), written.version()), (read.network(), version));
    }
}

#[test]
fn a_model_file_holds_any_nam_model_and_proves_it() {
    let container = json!({
        "version": "0.7.0", "architecture": "SlimmableContainer", "weights": [], "sample_rate": 48_000,
        "config": { "submodels": [
            { "max_value": 0.5, "model": nam_lstm() }, { "max_value": 1.0, "model": nam_wavenet() },
        ] },
    });
    for document in all().into_iter().chain([container]) {
        let file = NamFile::from_bytes(document.to_string().as_bytes()).unwrap();
        let archive = file.to_model_file("a test").unwrap();
        assert_eq!(NamFile::from_model_file(&archive).unwrap(), file);
        let model = load_bytes(&archive.to_bytes().unwrap()).unwrap();
        assert_eq!(model.verify().unwrap().error_db, f64::NEG_INFINITY);
        let as_it_came = LoadedModel::from_nam(file.clone(), &NamOptions::default()).unwrap();
        assert_eq!(model.capture(), as_it_came.capture());
        if let Network::Slimmable(sizes) = file.network() {
            // A container without facts of its own plays with those of its full size.
            assert_eq!(model.capture(), *sizes[1].model.metadata());
            assert_eq!(model.capture().loudness_db(), Some(-18.5));
        } else {
            assert_eq!(model.capture(), *file.metadata());
        }

        let mut short = archive.clone();
        let weights = short.tensors.get_mut("weights").unwrap();
        weights.as_f32_mut().unwrap().pop();
        weights.shape[0] -= 1;
        let error = LoadedModel::from_file(&short).unwrap_err().to_string();
        assert!(error.contains("but the config asks for"), "{error}");
        let mut other = archive;
        other.metadata.insert("neurdsp.architecture".to_owned(), "nam.other".to_owned());
        assert!(LoadedModel::from_file(&other).is_err());
    }
}

#[test]
fn the_amp_model_as_a_nam_model_computes_the_same_and_comes_back() {
    let (config, weights) = (CONFIG, weights());
    let network = WavenetNetwork::from_amp(&config, &weights).unwrap();
    let file = NamFile::new(Network::Wavenet(network), 48_000.0, NamMetadata::default()).unwrap();
    assert_eq!((file.version(), file.receptive_field()), ("0.5.4", config.receptive_field()));
    let input = values(500, 9);
    let expected = play(&mut ResidualStream::new(&config, &weights).unwrap(), &input, 64);
    let model = LoadedModel::from_nam(file.clone(), &NamOptions::default()).unwrap();
    let output = play(model.build_stream().unwrap().as_mut(), &input, 64);
    for (a, b) in output.iter().zip(&expected) {
        assert!((a - b).abs() <= 2e-6, "{a} {b}");
    }

    let Network::Wavenet(network) = file.network() else { panic!("not a WaveNet") };
    let (config_back, weights_back) = network.to_amp().unwrap();
    assert_eq!(config_back, config);
    assert_eq!(weights_back.layers[1].weight, weights.layers[1].weight);
    let again = play(&mut ResidualStream::new(&config_back, &weights_back).unwrap(), &input, 64);
    assert!(again.iter().zip(&expected).all(|(a, b)| (a - b).abs() <= 2e-6));

    let Network::Wavenet(other) =
        NamFile::from_bytes(nam_wavenet().to_string().as_bytes()).unwrap().network().clone()
    else {
        panic!("not a WaveNet")
    };
    assert!(other.to_amp().unwrap_err().is_unsupported());
}

#[test]
fn the_older_folder_form_is_the_same_model() {
    let mut document = nam_lstm();
    let expected = loaded(&document);
    let weights: Vec<f64> = serde_json::from_value(document["weights"].take()).unwrap();
    document.as_object_mut().unwrap().remove("weights");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), document.to_string()).unwrap();
    std::fs::write(folder.path().join("weights.npy"), npy(&weights)).unwrap();
    assert_eq!(load(folder.path()).unwrap().nam().unwrap().network(), expected.nam().unwrap().network());

    std::fs::write(folder.path().join("weights.npy"), npy(&weights[1..])).unwrap();
    let error = load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("but the config asks for"), "{error}");
    std::fs::write(folder.path().join("weights.npy"), &npy(&weights)[..40]).unwrap();
    assert!(load(folder.path()).unwrap_err().to_string().contains("weights.npy"));
}

#[test]
fn a_model_of_two_outputs_is_refused_by_itself() {
    let config = json!({ "input_size": 1, "hidden_size": 2, "num_layers": 1, "out_channels": 2 });
    let document = common::nam("LSTM", config, 8 * 3 + 8 + 4 + 6);
    let error = load_bytes(document.to_string().as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("a model of 1 input and 2 output channels is not supported"), "{error}");
}
