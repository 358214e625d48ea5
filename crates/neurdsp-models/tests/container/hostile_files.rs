//! Ten thousand damaged files load or fail with one line: no panic, no hang, no absurd allocation.

use crate::common::{
    mixed_file, model_file, nam_convnet, nam_linear, nam_lstm, nam_wavenet, npy, seed_model,
};
use neurdsp_models::amp::nam::NamFile;
use neurdsp_models::{ModelFile, load_bytes};
use serde_json::{Value, json};
use std::path::Path;

const FILES_OF_EACH_KIND: usize = 10_000;

/// A small generator with a fixed seed (xorshift64*), so that a failing file can be made again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

/// What is put in place of a number or between two bytes.
const NASTY: [&str; 16] = [
    "0",
    "-1",
    "1000000000",
    "18446744073709551615",
    "18446744073709551616",
    "1e999",
    "-1e-999",
    "NaN",
    "null",
    "[]",
    "{}",
    "\"\"",
    "[[[[[[[[",
    "{\"a\":{\"a\":",
    "\\u0000",
    "\u{0}",
];

fn mutate(bytes: &mut Vec<u8>, header: usize, random: &mut Random) {
    // Two of three changes hit the structured part.
    let end = if random.below(3) == 0 { bytes.len() } else { header };
    if end == 0 {
        return;
    }
    let at = random.below(end.min(bytes.len()).max(1)).min(bytes.len().saturating_sub(1));
    match random.below(8) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = random.below(256) as u8,
        2 => bytes.truncate(at),
        3 => {
            let stop = (at + 1 + random.below(16)).min(bytes.len());
            bytes.drain(at..stop);
        }
        4 => {
            let stop = (at + 1 + random.below(64)).min(bytes.len());
            let copy = bytes[at..stop].to_vec();
            bytes.splice(at..at, copy);
        }
        5 => drop(bytes.splice(at..at, random.pick(&NASTY).bytes())),
        6 => replace_number(bytes, at, random.pick(&NASTY)),
        _ => {
            // The length of the header, or any eight bytes.
            let value = (1_u64 << random.below(64)).wrapping_sub(random.below(2) as u64);
            let at = if random.below(2) == 0 { 0 } else { at };
            let stop = (at + 8).min(bytes.len());
            bytes[at..stop].copy_from_slice(&value.to_le_bytes()[..stop - at]);
        }
    }
}

/// Replaces the first number after a place.
fn replace_number(bytes: &mut Vec<u8>, from: usize, text: &str) {
    let Some(start) = bytes[from..].iter().position(u8::is_ascii_digit).map(|i| from + i) else { return };
    let stop = bytes[start..].iter().position(|b| !b.is_ascii_digit()).map_or(bytes.len(), |i| start + i);
    bytes.splice(start..stop, text.bytes());
}

/// Loads damaged copies; gives how many loaded and how many were refused.
fn survive(good: &[u8], header: usize, files: usize, seed: u64) -> (usize, usize) {
    let mut random = Random(seed);
    let (mut loaded, mut refused) = (0, 0);
    for number in 0..files {
        let mut bytes = good.to_vec();
        for _ in 0..=random.below(4) {
            if !bytes.is_empty() {
                mutate(&mut bytes, header, &mut random);
            }
        }
        let start = std::time::Instant::now();
        match load_bytes(&bytes) {
            Ok(model) => {
                let mut output = [0.0; 32];
                model.build_stream().unwrap().process(&[0.5; 32], &mut output);
                // JSON has nothing to verify; a damaged weight fails without an error.
                let _ = model.verify();
                loaded += 1;
            }
            Err(error) => {
                let message = error.to_string();
                assert!(
                    !message.chars().any(char::is_control) && message.len() < 1000,
                    "{number}: {message:?}"
                );
                refused += 1;
            }
        }
        assert!(start.elapsed().as_secs() < 5, "file {number} took {:?}", start.elapsed());
    }
    (loaded, refused)
}

#[test]
fn damaged_model_files_load_or_fail_cleanly() {
    let good = model_file().to_bytes().unwrap();
    let header = 8 + u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    let (loaded, refused) = survive(&good, header, FILES_OF_EACH_KIND, 0x9E37_79B9_7F4A_7C15);
    assert!(refused > 5000 && loaded > 100, "{loaded} loaded, {refused} refused: the damage is not varied");
}

#[test]
fn damaged_files_of_every_type_are_read_or_refused_cleanly() {
    let good = mixed_file().to_bytes().unwrap();
    let header = 8 + u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    let mut random = Random(0x8CB9_2BA7_2F3D_8DD7);
    let (mut read, mut refused) = (0, 0);
    for number in 0..FILES_OF_EACH_KIND {
        let mut bytes = good.clone();
        for _ in 0..=random.below(3) {
            if !bytes.is_empty() {
                mutate(&mut bytes, header, &mut random);
            }
        }
        match ModelFile::from_bytes(&bytes) {
            Ok(file) => {
                // NaN differs from itself, so bytes are compared: what was read is written and read again.
                let written = file.to_bytes().unwrap();
                let again = ModelFile::from_bytes(&written).unwrap();
                assert_eq!(again.to_bytes().unwrap(), written, "{number}");
                read += 1;
            }
            Err(error) => {
                let message = error.to_string();
                assert!(
                    !message.chars().any(char::is_control) && message.len() < 1000,
                    "{number}: {message:?}"
                );
                refused += 1;
            }
        }
    }
    assert!(refused > 5000 && read > 100, "{read} read, {refused} refused: the damage is not varied");
}

#[test]
fn damaged_json_loads_or_fails_cleanly() {
    let good = seed_model().to_bytes().unwrap();
    let (loaded, refused) = survive(&good, good.len(), FILES_OF_EACH_KIND, 0xD1B5_4A32_D192_ED03);
    assert!(refused > 5000 && loaded > 100, "{loaded} loaded, {refused} refused: the damage is not varied");
}

fn container() -> Value {
    json!({
        "version": "0.7.0", "architecture": "SlimmableContainer", "weights": [],
        "config": { "submodels": [
            { "max_value": 0.2, "model": nam_lstm() },
            { "max_value": 0.4, "model": nam_convnet() },
            { "max_value": 1.0, "model": nam_wavenet() },
        ] },
    })
}

#[test]
fn damaged_nam_files_load_or_fail_cleanly() {
    let (mut loaded, mut refused) = (0, 0);
    for (seed, document) in [nam_wavenet(), nam_lstm(), nam_convnet(), container()].into_iter().enumerate() {
        let good = document.to_string().into_bytes();
        let (l, r) = survive(&good, good.len(), FILES_OF_EACH_KIND / 4, 0xA076_1D64_78BD_642F + seed as u64);
        (loaded, refused) = (loaded + l, refused + r);
    }
    assert!(refused > 5000 && loaded > 100, "{loaded} loaded, {refused} refused: the damage is not varied");
}

/// `NEURDSP_FUZZ_CORPUS=fuzz/corpus cargo test -p neurdsp-models --test container undamaged` writes the files that
/// the fuzz targets start from.
#[test]
fn undamaged_files_load() {
    let mut files = vec![
        ("load_model", "model.safetensors", model_file().to_bytes().unwrap()),
        ("model_file", "mixed.safetensors", mixed_file().to_bytes().unwrap()),
        ("model_file", "model.safetensors", model_file().to_bytes().unwrap()),
        ("load_model", "seed.json", seed_model().to_bytes().unwrap()),
    ];
    let documents = [
        ("wavenet.nam", nam_wavenet()),
        ("lstm.nam", nam_lstm()),
        ("convnet.nam", nam_convnet()),
        ("linear.nam", nam_linear()),
        ("container.nam", container()),
    ];
    for (name, mut document) in documents {
        for target in ["load_model", "read_nam"] {
            files.push((target, name, document.to_string().into_bytes()));
        }
        let weights: Vec<f64> = serde_json::from_value(document["weights"].take()).unwrap();
        if !weights.is_empty() && name != "wavenet.nam" {
            document.as_object_mut().unwrap().remove("weights");
            let (config, weights) = (document.to_string().into_bytes(), npy(&weights));
            assert!(NamFile::from_folder_bytes(&config, &weights).is_ok());
            files.push(("nam_folder", name, [config, weights].concat()));
        }
    }
    let corpus = std::env::var_os("NEURDSP_FUZZ_CORPUS");
    for (target, name, bytes) in files {
        assert!(target != "load_model" || load_bytes(&bytes).is_ok(), "{name}");
        if let Some(corpus) = &corpus {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(corpus).join(target);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(name), bytes).unwrap();
        }
    }
}
