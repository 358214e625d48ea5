//! Any bytes load as a model of any family, or fail with an error.
#![no_main]

use neurdsp_models::{FAMILIES, ModelFile};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(file) = ModelFile::from_bytes(bytes) {
        let _ = FAMILIES.from_file(&file);
    }
});
