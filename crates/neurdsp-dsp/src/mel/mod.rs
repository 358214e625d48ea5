//! Mel scales and filterbanks. The kernel that applies them is in `kernels::mel`.

mod bands;
mod filterbank;
mod scale;

pub use bands::{Band, Bands};
pub use filterbank::{Filterbank, MAX_N_MELS, MelConfig, MelNorm};
pub use scale::MelScale;
