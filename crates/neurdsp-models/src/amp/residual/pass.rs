//! The two ways to run through the network.

/// What a run through the network is for.
#[derive(Clone, Copy)]
pub(super) enum Pass {
    /// Plays a block.
    Play,
    /// Makes the past of every layer the one frame that it puts out now.
    Settle,
}
