//! The two ways to run through a network.

use neurdsp_nn::planar::PlanarRing;

/// What a run through the network is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pass {
    /// Plays so many frames.
    Play(usize),
    /// Makes the past of every layer the frame that it puts out now.
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
