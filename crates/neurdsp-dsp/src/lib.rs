//! Windows, STFT, mel filterbanks and spectrograms, and the processors of a live signal chain. No machine learning here.
//!
//! Conventions are librosa's: results are rows over frames, windows are periodic, frames are centred unless asked
//! otherwise. Windows and filterbanks are built in double precision. Every transform exists twice: a call that allocates,
//! and one that works in the caller's output and [`Workspace`].
//!
//! The rooms, from the bottom up: `window`, `padding` and `mel` (scales, [`Filterbank`]) design; `kernels` holds all vector
//! code, the mel kernel in `kernels/mel` and the Fourier transform in `kernels/fft`; [`transform`] plans transforms of
//! blocks of frames; `blocks` fills them and writes them to rows; `spectrum` has [`Stft`], [`Istft`], [`Spectrogram`],
//! [`SpectrogramStream`] and the gradients; `cache` keeps results. [`live`] stands apart: the processors of a signal chain.
//!
//! ```
//! use neurdsp_dsp::{Filterbank, LogScale, Magnitude, MelConfig, Projection, Spectrogram, StftConfig};
//!
//! let mel = MelConfig { n_mels: 80, ..MelConfig::new(16_000.0, 512) };
//! let log = LogScale { floor: 1e-5, offset: 0.0, scale: 1.0 };
//! let plan = Spectrogram::<f32>::new(
//!     StftConfig::new(512),
//!     Magnitude::Power,
//!     Projection::Bands(Filterbank::mel(&mel)?),
//!     Some(log),
//! )?;
//! let second: Vec<f32> = (0..16_000).map(|i| (i as f32 * 0.2).sin()).collect();
//! let log_mel = plan.process(&second)?;
//! assert_eq!(log_mel.len(), 80 * plan.n_frames(16_000)?);
//! # Ok::<(), neurdsp_dsp::Error>(())
//! ```

mod blocks;
mod cache;
mod error;
mod kernels;
mod limits;
pub mod live;
mod mel;
mod padding;
mod sample;
mod spectrum;
pub mod transform;
mod window;

pub use blocks::FrameFilter;
pub use cache::{CacheStats, Features, Key, MelCache, Values};
pub use error::{Error, Result};
pub use limits::MAX_N_FFT;
pub use mel::{Band, Bands, Filterbank, MAX_N_MELS, MelConfig, MelNorm, MelScale};
pub use padding::PadMode;
pub use realfft::num_complex::Complex;
pub use sample::{Input, Output, Sample};
pub use spectrum::{
    Istft, IstftConfig, LogScale, Projection, Spectrogram, SpectrogramStream, Stft, StftConfig, Workspace,
    limit_range,
};
pub use transform::Magnitude;
pub use window::{Window, pad_center};
