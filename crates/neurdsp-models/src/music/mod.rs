//! Music models: five small networks, the features that they see of notes, and what is made of their answers.
//!
//! | network | a step takes | and gives | remembers |
//! |---|---|---|---|
//! | emotion | a mel frame | valence, arousal and further values, −1 to 1 | the state of an LSTM |
//! | melody | a token and a condition | logits of the next token | a window of steps |
//! | harmony | features | probabilities of chords | nothing |
//! | dynamics | a condition | velocities, 0 to 1 | nothing |
//! | groove | features of a voice | offsets, then velocities, −1 to 1 | nothing |
//!
//! A [`MusicNetwork`] holds weights, in single precision or as 8-bit integers; a [`MusicRun`] is one run of it, and a
//! [`MusicPipeline`] runs of all five in one memory. Steps neither allocate nor fail.

mod answers;
mod bar_ahead;
pub mod chords;
pub mod dynamics;
pub mod groove;
mod networks;
mod timeline;
pub mod tunes;

pub use networks::{
    DenseConfig, EmotionConfig, MelodyConfig, MusicModel, MusicNetwork, MusicPart, MusicPipeline,
    MusicPrecision, MusicRun,
};
pub use timeline::{Signature, Tempo, Timeline, WINDOW_QUARTERS};

use std::sync::Arc;

use crate::container::file::ModelFile;
use crate::container::header::Header;
use crate::error::Result;
use crate::family::Family;
use crate::kinds::AnyModel;

/// The line of the registry.
pub(crate) const FAMILY: Music = Music;

/// See [`FAMILY`].
pub(crate) struct Music;

impl Family for Music {
    fn name(&self) -> &'static str {
        "music"
    }

    fn architectures(&self) -> &'static [&'static str] {
        &MusicPart::ARCHITECTURES
    }

    fn load(&self, file: &ModelFile, header: &Header) -> Result<AnyModel> {
        Ok(AnyModel::Predictor(Arc::new(MusicModel::from_file(file, header)?)))
    }
}
