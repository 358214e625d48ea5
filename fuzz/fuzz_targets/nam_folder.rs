//! Any two files are an older model's folder that plays, or fail with an error.
#![no_main]

use neurdsp_models::amp::nam::NamFile;
use neurdsp_models::{LoadedModel, NamOptions};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // The array begins with the first byte of numpy's signature, which no text contains.
    let split = bytes.iter().position(|&byte| byte == 0x93).unwrap_or(bytes.len());
    let (config, weights) = bytes.split_at(split);
    if let Ok(file) = NamFile::from_folder_bytes(config, weights)
        && let Ok(model) = LoadedModel::from_nam(file, &NamOptions::default())
        && let Ok(mut stream) = model.build_stream()
    {
        stream.process(&[0.5; 16], &mut [0.0; 16]);
    }
});
