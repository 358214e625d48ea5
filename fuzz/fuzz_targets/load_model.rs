//! Any bytes load as a model that plays, or fail with an error.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(model) = neurdsp_models::load_bytes(bytes)
        && let Ok(mut stream) = model.build_stream()
    {
        let mut output = [0.0; 16];
        stream.process(&[0.5; 16], &mut output);
    }
});
