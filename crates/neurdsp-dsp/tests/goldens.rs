//! The transforms against librosa in double precision (`tests/goldens/{stft,mel_filters}.safetensors`).
// The helpers are no tests themselves, in clippy's eyes.
#![allow(clippy::unwrap_used)]

use neurdsp_dsp::{Filterbank, MelConfig, MelNorm, MelScale, PadMode, Stft, StftConfig, Window};
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;
use std::path::Path;

/// The error's energy under that of the expected values, in decibels.
fn error_db(expected: &[f64], got: impl ExactSizeIterator<Item = f64>) -> f64 {
    assert_eq!(expected.len(), got.len());
    let energy: f64 = expected.iter().map(|value| value * value).sum();
    let error: f64 = expected.iter().zip(got).map(|(a, b)| (a - b) * (a - b)).sum();
    10.0 * (error / energy).log10()
}

fn values(file: &SafeTensors<'_>, name: &str) -> Vec<f64> {
    let tensor = file.tensor(name).unwrap();
    match tensor.dtype() {
        Dtype::F32 => tensor.data().as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect(),
        Dtype::F64 => tensor.data().as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
        other => panic!("{name}: {other:?}"),
    }
}

/// Runs `check(file, index, case, tolerance_db)` for each case of a golden file.
fn for_each_case(name: &str, check: impl Fn(&SafeTensors<'_>, usize, &Value, f64)) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens").join(name);
    let bytes = std::fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let metadata = header.metadata().clone().unwrap();
    let cases: Vec<Value> = serde_json::from_str(&metadata["cases"]).unwrap();
    assert!(!cases.is_empty());
    let file = SafeTensors::deserialize(&bytes).unwrap();
    for (index, case) in cases.iter().enumerate() {
        check(&file, index, case, metadata["tolerance_db"].parse().unwrap());
    }
}

#[test]
fn the_stft_meets_librosa_within_the_tolerance_of_the_file() {
    for_each_case("stft.safetensors", |file, index, case, tolerance_db| {
        let n_fft = case["n_fft"].as_u64().unwrap() as usize;
        let win_length = case["win_length"].as_u64().map_or(n_fft, |length| length as usize);
        let centered = case["center"].as_bool().unwrap();
        let config = StftConfig {
            hop_length: case["hop_length"].as_u64().unwrap() as usize,
            window: Window::by_name(case["window"].as_str().unwrap()).unwrap().periodic(win_length),
            pad: if centered { n_fft / 2 } else { 0 },
            pad_mode: PadMode::by_name(case["pad_mode"].as_str().unwrap_or("constant")).unwrap(),
            ..StftConfig::new(n_fft)
        };
        let spectrum = Stft::<f64>::new(config).unwrap().process(&values(file, "input")).unwrap();
        let parts: Vec<f64> = spectrum.iter().flat_map(|bin| [bin.re, bin.im]).collect();
        let db = error_db(&values(file, &format!("output.{index}")), parts.into_iter());
        assert!(db < tolerance_db, "{case}: {db:.1} dB");
    });
}

#[test]
fn the_mel_filters_meet_librosa_within_the_tolerance_of_the_file() {
    for_each_case("mel_filters.safetensors", |file, index, case, tolerance_db| {
        let sample_rate = case["sr"].as_f64().unwrap();
        let config = MelConfig {
            n_mels: case["n_mels"].as_u64().unwrap() as usize,
            fmin: case["fmin"].as_f64().unwrap_or(0.0),
            fmax: case["fmax"].as_f64().unwrap_or(sample_rate / 2.0),
            scale: if case["htk"] == true { MelScale::Htk } else { MelScale::Slaney },
            norm: if case.get("norm") == Some(&Value::Null) { MelNorm::None } else { MelNorm::Slaney },
            ..MelConfig::new(sample_rate, case["n_fft"].as_u64().unwrap() as usize)
        };
        let bank = Filterbank::mel(&config).unwrap().to_matrix();
        let db = error_db(&values(file, &format!("output.{index}")), bank.into_iter());
        assert!(db < tolerance_db, "{case}: {db:.1} dB");
    });
}
