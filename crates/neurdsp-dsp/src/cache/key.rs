//! The key of features: a hash of the audio and a hash of everything that was done to it.

use crate::sample::Sample;
use crate::spectrum::{Hashing, Spectrogram};
use std::fmt::{self, Write};

/// The key of features: equal keys mean equal features, bit for bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    audio: [u8; 32],
    config: [u8; 16],
}

impl Key {
    /// Bytes of a key.
    pub const LEN: usize = 48;

    /// The key of the features that `plan` computes from the samples. `variant` names further processing; it is empty
    /// if there is none.
    #[must_use]
    pub fn new<T: Sample>(plan: &Spectrogram<T>, samples: &[T], variant: &str) -> Self {
        Self::of_bytes(plan, T::bytes(samples), variant, std::any::type_name::<T>())
    }

    /// As [`new`](Self::new), of samples in single precision for a plan in double precision.
    #[must_use]
    pub fn of_single(plan: &Spectrogram<f64>, samples: &[f32], variant: &str) -> Self {
        Self::of_bytes(plan, <f32 as Sample>::bytes(samples), variant, "f32")
    }

    fn of_bytes<T: Sample>(plan: &Spectrogram<T>, audio: &[u8], variant: &str, sample: &str) -> Self {
        let mut config = Hashing::default();
        config.update(plan.fingerprint());
        // Writing to a hash cannot fail.
        let _ = write!(config, "{sample} {variant}");
        Self { audio: blake3::hash(audio).into(), config: config.finish() }
    }

    /// As bytes: the audio's hash, then that of the configuration.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..32].copy_from_slice(&self.audio);
        bytes[32..].copy_from_slice(&self.config);
        bytes
    }

    /// The key of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let mut key = Self { audio: [0; 32], config: [0; 16] };
        key.audio.copy_from_slice(&bytes[..32]);
        key.config.copy_from_slice(&bytes[32..]);
        key
    }
}

impl fmt::Display for Key {
    /// Both hashes in hexadecimal digits: a file name.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.audio.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))?;
        formatter.write_char('-')?;
        self.config.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}
