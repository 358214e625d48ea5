//! The planned transforms: STFT, inverse, spectrograms, whole or as streams, and their gradients.

mod adjoint;
mod fingerprint;
mod gradient;
mod istft;
mod range;
mod spectrogram;
mod stft;
mod stream;
mod workspace;

pub(crate) use fingerprint::Hashing;
pub use istft::{Istft, IstftConfig};
pub use range::limit_range;
pub use spectrogram::{LogScale, Projection, Spectrogram};
pub use stft::{Stft, StftConfig};
pub use stream::SpectrogramStream;
pub use workspace::Workspace;
