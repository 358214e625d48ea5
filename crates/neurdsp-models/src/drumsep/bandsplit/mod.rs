//! The causal band-split network, `drumsep.band_split` in a file: a drum separator that plays live.
//!
//! ```text
//! spectrum of 8 hops → features of each band → width values a band
//! n times: norm → gates → recurrence over time → sum;  norm → mixer of the bands → sum
//! norm → layer of each band → masks of each band, complex in the low ones → spectra of the stems → last 2 hops
//! ```
//!
//! Each channel is a row of its own, with the same weights; it sees the other one as the difference of their magnitudes.
//! The masks of the stems and the residual sum to one, so the outputs sum to the delayed recording.
//!
//! After Y. Luo, J. Yu, "Music source separation with band-split RNN", arXiv 2209.15174; the recurrence is that of J.
//! Bradbury et al., "Quasi-recurrent neural networks", arXiv 1611.01576.

mod block;
mod config;
mod masks;
mod model;
mod network;
mod stream;

pub use config::{BAND_SPLIT, BandSplitConfig};
pub use model::BandSplit;
pub use stream::BandSplitStream;
