//! The two ways to run through the network.

/// The purpose of a run through the network.
#[derive(Clone, Copy)]
pub(super) enum Pass {
    /// Plays a block.
    Play,
    /// Fills the past of every layer with its current frame.
    Settle,
}
