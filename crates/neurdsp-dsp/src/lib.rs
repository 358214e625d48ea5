//! Windows, STFT, mel filterbanks and what is built on them. No machine learning here.
//!
//! Conventions are librosa's: results are rows over frames, windows are periodic, frames are centred unless asked
//! otherwise. Windows and filterbanks are built in double precision. Every transform exists twice: a call that allocates,
//! and one that works in the caller's output and [`Workspace`].

mod cache;
mod error;
mod exchange;
mod framing;
mod gradient;
mod istft;
mod kernels;
mod lanes;
pub mod live;
mod mel;
mod padding;
mod range;
mod rows;
mod sample;
mod spectrogram;
mod stft;
mod stream;
pub mod transform;
mod weave;
mod window;

pub use cache::{CacheStats, Features, Key, MelCache, Values};
pub use error::{Error, Result};
pub use framing::FrameFilter;
pub use istft::{Istft, IstftConfig};
pub use mel::{Band, Bands, Filterbank, MAX_N_MELS, MelConfig, MelNorm, MelScale};
pub use padding::PadMode;
pub use range::limit_range;
pub use realfft::num_complex::Complex;
pub use sample::{Input, Output, Sample};
pub use spectrogram::{LogScale, Magnitude, Projection, Spectrogram};
pub use stft::{MAX_N_FFT, Stft, StftConfig, Workspace};
pub use stream::SpectrogramStream;
pub use window::{Window, pad_center};
