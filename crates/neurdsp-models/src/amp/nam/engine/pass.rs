//! The two ways to run through a network.

use neurdsp_nn::planar::PlanarRing;

/// The purpose of a run through the network.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pass {
    /// Plays this many frames.
    Play(usize),
    /// Fills the past of every layer with its current frame.
    Settle,
}

impl Pass {
    #[inline]
    pub(super) fn frames(self) -> usize {
        match self {
            Pass::Play(frames) => frames,
            Pass::Settle => 1,
        }
    }

    #[inline]
    pub(super) fn commit(self, ring: &mut PlanarRing) {
        match self {
            Pass::Play(frames) => ring.commit(frames),
            Pass::Settle => ring.settle(),
        }
    }
}
