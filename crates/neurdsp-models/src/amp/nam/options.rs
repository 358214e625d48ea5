//! How a `.nam` model is to be played.

use super::conventions::Conventions;

/// How a `.nam` model is to be played.
///
/// # Example
/// ```no_run
/// use neurdsp_models::{NamOptions, load_with};
/// let smallest = NamOptions { size: Some(0.0), ..NamOptions::default() };
/// let model = load_with("amp.nam", &smallest)?;
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct NamOptions {
    /// Of a model with several sizes, the one to play, from 0 (smallest) to 1 (full); `None` is full as well. Other
    /// models play the same at every size.
    pub size: Option<f64>,
    /// Whose reading to follow where NAM Core and NAM's trainer differ.
    pub conventions: Conventions,
}
