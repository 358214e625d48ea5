//! Drum separators.
#![allow(clippy::unwrap_used)]

mod band_split;
mod hostile;
mod random;
