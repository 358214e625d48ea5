//! What every model can say about itself, whatever its kind and its family.

use std::collections::BTreeMap;
use std::fmt;

use crate::container::header::AudioSpec;
use crate::container::parity::Parity;

/// What a model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Turns a signal into another as it comes in.
    Stream,
    /// Takes a recording apart into stems.
    Separator,
    /// Makes audio from a condition and a seed.
    Generator,
    /// Maps tensors to tensors, with a state between the steps.
    Predictor,
}

impl Kind {
    /// The name in lower case, such as `stream`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Stream => "stream",
            Kind::Separator => "separator",
            Kind::Generator => "generator",
            Kind::Predictor => "predictor",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A model that was loaded: weights that any number of threads may use.
pub trait Model: fmt::Debug + Send + Sync {
    /// Family and architecture, such as `amp.wavenet`.
    fn architecture(&self) -> &str;

    /// Sample rate and channels of the audio that the model takes and gives.
    fn audio(&self) -> AudioSpec;

    /// The number of trained values.
    fn n_parameters(&self) -> usize;

    /// The metadata of the file.
    fn metadata(&self) -> &BTreeMap<String, String>;

    /// The parity vectors of the file, if it carries any that hold for the model as it is now.
    fn parity(&self) -> Option<&Parity>;
}
