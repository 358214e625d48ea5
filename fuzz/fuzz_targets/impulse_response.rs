//! Any bytes are a WAV file whose response plays finite samples, or fail with an error.
#![no_main]

use neurdsp_dsp::live::{Convolver, LiveBlock};
use neurdsp_rt::ImpulseResponse;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(response) = ImpulseResponse::from_wav(bytes)
        && let Ok(channels) = response.prepared(48_000.0, true)
        && let Some(Ok(mut convolver)) = channels.first().map(|channel| Convolver::new(channel))
    {
        let mut samples = [0.5; 200];
        convolver.process(&mut samples);
        assert!(samples.iter().all(|sample| sample.is_finite()));
    }
});
