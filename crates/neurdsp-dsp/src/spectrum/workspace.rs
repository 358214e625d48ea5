//! The working memory of one thread.

use super::adjoint::Adjoint;
use crate::sample::Sample;
use crate::transform::TransformScratch;
use neurdsp_simd::AlignedBuf;

/// Working memory for one thread.
#[derive(Clone, Debug)]
pub struct Workspace<T> {
    pub(crate) staging: AlignedBuf<T>,
    pub(crate) re: AlignedBuf<T>,
    pub(crate) im: AlignedBuf<T>,
    pub(crate) bands: AlignedBuf<T>,
    pub(crate) transform: TransformScratch<T>,
}

/// The working memory of the backward pass of a spectrogram.
pub(super) struct Backward<T: Sample> {
    pub(super) forward: Workspace<T>,
    pub(super) adjoint: Adjoint<T>,
    /// Squared magnitudes, `[n_bins][lanes]`.
    pub(super) power: AlignedBuf<T>,
    /// Magnitudes, and then the gradient over them.
    pub(super) bins: AlignedBuf<T>,
    /// The gradient over the result, `[n_rows + 1][lanes]`; the last row is zero.
    pub(super) rows: AlignedBuf<T>,
}
