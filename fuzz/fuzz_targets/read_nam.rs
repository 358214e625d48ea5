//! Any text is a `.nam` model that comes back as it was when it is written, or fails with an error.
#![no_main]

use neurdsp_models::amp::nam::NamFile;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(file) = NamFile::from_bytes(bytes)
        && let Ok(written) = file.to_bytes()
    {
        assert_eq!(NamFile::from_bytes(&written).as_ref().ok(), Some(&file));
        for size in [0.0, 0.5, 1.0] {
            let _ = file.at_size(Some(size));
        }
    }
});
