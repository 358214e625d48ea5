//! Bounds of plans: beyond any use, and small enough for the memory.

use crate::error::{Error, Result};

/// The longest transform, in samples.
pub const MAX_N_FFT: usize = 1 << 24;

/// Refuses a number of samples that is not from 1 to [`MAX_N_FFT`].
pub(crate) fn check_size(name: &'static str, samples: usize) -> Result<()> {
    if (1..=MAX_N_FFT).contains(&samples) {
        return Ok(());
    }
    Err(Error::parameter(name, samples, format!("it must be from 1 to {MAX_N_FFT}")))
}

/// Whether a transform of `n_fft` samples keeps its working memory between calls; longer ones give it back to the system.
pub(crate) fn keeps_memory(n_fft: usize) -> bool {
    n_fft <= 1 << 14
}
