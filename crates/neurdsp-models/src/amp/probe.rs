//! Refusing a model whose output is no sound: its weights are damaged, or its training diverged.

use std::sync::Arc;

use crate::amp::playable::Playable;
use crate::error::{Error, Result};

/// The largest valid magnitude of a sample, 120 dB over full scale, as in the processors around a model.
const LIMIT: f32 = 1e6;
/// The most samples of a receptive field that are tried; the first ones show most faults.
const MAX_SAMPLES: usize = 2048;
/// Samples beyond the receptive field.
const EXTRA_SAMPLES: usize = 64;

/// Plays silence and noise at full scale, and checks what comes out.
///
/// # Errors
/// [`Error::Malformed`] for a sample that is not finite, or over 120 dB of full scale.
pub(crate) fn probe(network: &Arc<dyn Playable>) -> Result<()> {
    let mut stream = Arc::clone(network).build_stream()?;
    let mut state = 0x2545_F491_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    let length = network.receptive_field().min(MAX_SAMPLES) + EXTRA_SAMPLES;
    let input: Vec<f32> = (0..length).map(|i| if i < EXTRA_SAMPLES { 0.0 } else { noise() }).collect();
    let mut output = vec![0.0; length];
    stream.process(&input, &mut output);
    match output.iter().find(|sample| sample.is_nan() || sample.abs() > LIMIT) {
        None => Ok(()),
        Some(sample) => Err(Error::malformed(
            "the output of the model",
            format!(
                "a sample is {sample} for an input at full scale, but must be finite and at most {LIMIT}; \
                 the weights are damaged or the training diverged: get the file again, or train the model again"
            ),
        )),
    }
}
