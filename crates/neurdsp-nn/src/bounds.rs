//! What a layer may be at most.

/// Frames that one call of a kernel handles at most; longer signals are cut into blocks.
pub const MAX_FRAMES: usize = 64;

/// Most channels that a layer may have.
pub const MAX_CHANNELS: usize = 1024;

/// Most frames that a layer may remember.
pub(crate) const MAX_HISTORY: usize = 1 << 26;
