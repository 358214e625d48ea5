//! Whose reading of the format to follow.

/// Whose reading of the format to follow where NAM Core and NAM's trainer differ.
///
/// They differ in layers without a `layer1x1` (Core passes the residual signal on unchanged, the trainer adds the
/// activation) and in `layer1x1_post_film` (Core applies it in blended layers only).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Conventions {
    /// NAM Core, which the players are built on.
    #[default]
    Core,
    /// NAM's trainer.
    Trainer,
}
