//! Music models: the features that small networks see of notes, and what is made of their answers.

pub mod dynamics;
pub mod groove;
mod timeline;

pub use timeline::{Signature, Tempo, Timeline, WINDOW_QUARTERS};
