//! A further family is a folder and a line: here the folder `tiny/` and the second line of a registry made for the test.
#![allow(clippy::unwrap_used, reason = "a failure here is the failure of the test")]

#[path = "../common/mod.rs"]
mod common;
mod tiny;

use common::{model_file, seed_model};
use neurdsp_models::{AnyModel, FAMILIES, Kind, ModelFile, Registry, Tensor, Tensors, amp};

const FAMILIES_AND_TINY: Registry = Registry::new(&[
    &amp::FAMILY, //
    &tiny::FAMILY,
]);

fn load(file: &ModelFile) -> AnyModel {
    FAMILIES_AND_TINY.from_file(file).unwrap()
}

fn refusal(file: &ModelFile) -> String {
    FAMILIES_AND_TINY.from_file(file).map_or_else(|error| error.to_string(), |_| "accepted".to_owned())
}

#[test]
fn a_model_of_each_kind_loads_from_a_file_and_proves_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let cases = [
        (tiny::predictor_file(), Kind::Predictor, "tiny.predictor", 2, 4),
        (tiny::separator_file(), Kind::Separator, "tiny.separator", 2, 12),
        (tiny::generator_file(), Kind::Generator, "tiny.generator", 1, 10),
        (tiny::stream_file(), Kind::Stream, "tiny.stream", 2, 10),
        (model_file(), Kind::Stream, "amp.wavenet", 1, 64),
    ];
    for (file, kind, architecture, channels, n_compared) in cases {
        file.write(&path).unwrap();
        let model = FAMILIES_AND_TINY.load(&path).unwrap();
        assert_eq!((model.kind(), model.architecture()), (kind, architecture));
        assert_eq!((model.audio().sample_rate, model.audio().channels), (48_000.0, channels));
        assert_eq!(model.metadata(), &file.metadata);
        let result = model.verify().unwrap();
        assert_eq!((result.error_db, result.n_samples), (f64::NEG_INFINITY, n_compared), "{architecture}");
    }
    assert_eq!(load(&tiny::predictor_file()).n_parameters(), 4);
    assert_eq!(load(&model_file()).n_parameters(), 35);
}

#[test]
fn a_tampered_file_does_not_pass() {
    // One weight off by a thousandth is −60 dB; the file asks for −100.
    for (file, weight) in [
        (tiny::predictor_file(), "matrix"),
        (tiny::separator_file(), "shares"),
        (tiny::generator_file(), "scale"),
        (tiny::stream_file(), "gains"),
    ] {
        let mut tampered = file.clone();
        tampered.tensors.get_mut(weight).unwrap().as_f32_mut().unwrap()[0] *= 1.001;
        let result = load(&tampered).verify().unwrap();
        assert!(!result.passed() && (-80.0..-50.0).contains(&result.error_db), "{weight}: {result:?}");
        let mut tampered = file;
        tampered.tensors.values_mut().last().unwrap().as_f32_mut().unwrap()[0] = f32::NAN;
        assert!(refusal(&tampered).contains("NaN"), "{}", refusal(&tampered));
    }
}

#[test]
fn vectors_that_do_not_fit_the_model_are_refused_by_name() {
    let vector = |shape: &[usize]| Tensor::new(shape.to_vec(), vec![0.5; shape.iter().product()]).unwrap();
    let verified = |mut file: ModelFile, name: &str, tensor: Option<Tensor>| {
        match tensor {
            Some(tensor) => drop(file.tensors.insert(name.to_owned(), tensor)),
            None => drop(file.tensors.remove(name)),
        }
        let model = FAMILIES_AND_TINY.from_file(&file);
        model.and_then(|model| model.verify()).unwrap_err().to_string()
    };
    let predictor = tiny::predictor_file;
    let cases = [
        (verified(predictor(), "parity.input.x", None), "the tensor x is missing"),
        (verified(predictor(), "parity.input.x", Some(vector(&[3]))), "the tensor x has shape [3], but must"),
        (
            verified(predictor(), "parity.output", Some(vector(&[4]))),
            "the tensor output has shape [2, 2], but",
        ),
        (verified(predictor(), "parity.output", None), "the file carries no parity.output"),
        (
            verified(predictor(), "parity.input.x", Some(vector(&[200]))),
            "the length of parity.input.x is 200",
        ),
        (verified(tiny::generator_file(), "parity.input.seed", None), "the tensor seed is missing"),
        (
            verified(tiny::generator_file(), "parity.input.seed", Some(vector(&[1]))),
            "parity.input.seed is 0.5, but must be a whole number",
        ),
        (
            verified(tiny::stream_file(), "parity.input", Some(vector(&[10]))),
            "the tensor parity.input has shape [10], but must have [2, 10]",
        ),
        (
            verified(tiny::separator_file(), "parity.input", Some(vector(&[6]))),
            "the tensor parity.input has shape [6], but must have [2, 6]",
        ),
    ];
    for (message, expected) in cases {
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn a_predictor_keeps_its_state_between_steps_until_it_is_reset() {
    let AnyModel::Predictor(model) = load(&tiny::predictor_file()) else { panic!("a predictor") };
    let mut run = model.build().unwrap();
    let input = |x: &[f32], bias: f32| {
        let tensor = |values: &[f32]| Tensor::new(vec![values.len()], values.to_vec()).unwrap();
        Tensors::from([("x".to_owned(), tensor(x)), ("bias".to_owned(), tensor(&[bias]))])
    };
    let first = run.step(&input(&[1.0, 0.0], 0.0)).unwrap();
    let second = run.step(&input(&[1.0, 0.0], 0.0)).unwrap();
    assert_eq!(first["output"].to_f32("output").unwrap().as_ref(), [1.0, 3.0, 0.0, 0.0]);
    // The second row is what the step before put out.
    assert_eq!(second["output"].to_f32("output").unwrap().as_ref(), [1.0, 3.0, 1.0, 3.0]);
    assert!(run.step(&input(&[1.0], 0.0)).is_err(), "a wrong shape");
    run.reset();
    assert_eq!(run.step(&input(&[1.0, 0.0], 0.0)).unwrap(), first);
}

#[test]
fn a_stream_of_several_channels_plays_them_together_and_a_mono_one_the_first() {
    let AnyModel::Stream(stereo) = load(&tiny::stream_file()) else { panic!("a stream") };
    let AnyModel::Stream(mono) = load(&model_file()) else { panic!("a stream") };
    let (left, right) = ([1.0, 2.0, 3.0], [0.5, 0.25]);
    let mut output = [[9.0; 4]; 2];
    let [a, b] = &mut output;
    let mut stream = stereo.build_stream().unwrap();
    assert_eq!((stream.in_channels(), stream.out_channels()), (2, 2));
    // Gains 2 and 4 on the other channel; the shortest slice counts.
    stream.process_channels(&[&left, &right], &mut [a, b]);
    assert_eq!(output, [[1.0, 0.5, 9.0, 9.0], [4.0, 8.0, 9.0, 9.0]]);

    let mut stream = mono.build_stream().unwrap();
    assert_eq!((stream.in_channels(), stream.out_channels()), (1, 1));
    let (mut by_channels, mut directly) = ([0.0; 3], [0.0; 3]);
    stream.process_channels(&[&left, &right], &mut [&mut by_channels]);
    mono.build_stream().unwrap().process(&left, &mut directly);
    assert_eq!(by_channels, directly);
}

#[test]
fn a_family_that_is_not_registered_is_unknown_and_what_is_known_is_named() {
    let error = FAMILIES.from_file(&tiny::predictor_file()).unwrap_err();
    assert!(error.is_unsupported());
    let message = error.to_string();
    let expected =
        "the architecture is \"tiny.predictor\", but this neurdsp runs only: amp.wavenet, amp.parametric, ";
    assert!(message.starts_with(expected), "{message}");
    let names: Vec<_> = FAMILIES_AND_TINY.families().iter().map(|family| family.name()).collect();
    assert_eq!(names, ["amp", "tiny"]);
}

#[test]
fn files_in_a_format_of_a_familys_own_load_through_the_registry() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("amp.json");
    seed_model().write(&path).unwrap();
    let model = FAMILIES_AND_TINY.load(&path).unwrap();
    assert_eq!((model.kind(), model.n_parameters()), (Kind::Stream, 35));
    let error = model.verify().unwrap_err().to_string();
    assert!(error.starts_with("the file carries no parity vectors"), "{error}");
    let missing = FAMILIES_AND_TINY.load(folder.path().join("none")).unwrap_err().to_string();
    assert!(missing.contains("none: cannot"), "{missing}");
    let empty = FAMILIES_AND_TINY.load(folder.path()).unwrap_err();
    assert!(empty.is_unsupported() && empty.to_string().contains("(amp, tiny)"), "{empty}");
}

#[test]
fn damaged_files_of_every_kind_load_or_fail_with_one_line() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound as u64) as usize
    };
    let (mut refused, mut failed) = (0, 0);
    for file in [tiny::predictor_file(), tiny::separator_file(), tiny::generator_file(), tiny::stream_file()]
    {
        let bytes = file.to_bytes().unwrap();
        for _ in 0..2000 {
            let mut damaged = bytes.clone();
            for _ in 0..=below(3) {
                let at = below(damaged.len());
                damaged[at] = below(256) as u8;
            }
            let model = ModelFile::from_bytes(&damaged).and_then(|file| FAMILIES_AND_TINY.from_file(&file));
            match model.and_then(|model| model.verify()) {
                Ok(result) => failed += usize::from(!result.passed()),
                Err(error) => {
                    let message = error.to_string();
                    assert!(!message.contains('\n') && message.len() < 1000, "{message:?}");
                    refused += 1;
                }
            }
        }
    }
    // Most of a small file is its header, so most damage is refused; damage to a value shows in the proof.
    assert!(refused > 7000 && failed > 200, "{refused} refused, {failed} failed");
}
