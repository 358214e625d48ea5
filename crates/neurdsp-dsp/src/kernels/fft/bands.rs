//! The mel kernel fused with the transform: each pair of bins is added to its bands while it is in registers.
//!
//! This works for filterbanks in which no bin belongs to more than two bands, as with triangles; others take the sums of
//! `kernels::mel`.
// Loads and stores are where `Split`, `BandSums` and `Pull` say; whoever makes one vouches for it. `Isa` proves the
// instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::split::{Sink, Split, each_magnitude};
use neurdsp_simd::{Lanes, Real};

/// The weights of one bin in two bands, one of which may be the band past the last, which is never read.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Share<T> {
    pub(crate) bands: [u32; 2],
    pub(crate) weights: [T; 2],
}

/// Where the sums of bands accumulate, `[bands + 1][lanes]`.
#[derive(Clone, Copy, Debug)]
pub struct BandSums<T> {
    /// The shares of both bins of a pair, in the order of the pairs.
    pub(crate) shares: *const [Share<T>; 2],
    pub(crate) sums: *mut T,
    /// As in [`Magnitudes`](super::split::Magnitudes).
    pub(crate) root: Option<T>,
}

impl<V: Lanes> Sink<V> for BandSums<V::Element> {
    #[inline(always)]
    unsafe fn put(&self, _split: &Split<V::Element>, pair: usize, x: V, y: V) {
        unsafe {
            let [of_x, of_y] = &*self.shares.add(pair);
            for (value, share) in [(x, of_x), (y, of_y)] {
                for (band, weight) in share.bands.into_iter().zip(share.weights) {
                    let sum = self.sums.add(band as usize * V::LANES);
                    value.fma(V::splat(weight), V::load(sum)).store(sum);
                }
            }
        }
    }
}

#[inline(always)]
pub(crate) unsafe fn band_sums<V: Lanes>(split: Split<V::Element>, out: BandSums<V::Element>) {
    unsafe { each_magnitude::<V>(split, out.root, &out) }
}

/// Spectra, `[bins][lanes]`, to be multiplied by twice the gradients over their powers, from the gradients over bands.
#[derive(Clone, Copy, Debug)]
pub struct Pull<T> {
    /// Of each bin.
    pub(crate) shares: *const Share<T>,
    pub(crate) bins: usize,
    /// `[bands + 1][lanes]`; the last row is zero.
    pub(crate) gradient: *const T,
    pub(crate) re: *mut T,
    pub(crate) im: *mut T,
}

#[inline(always)]
pub(crate) unsafe fn pull<V: Lanes>(pull: Pull<V::Element>) {
    unsafe {
        for bin in 0..pull.bins {
            let share = &*pull.shares.add(bin);
            let mut factor = V::splat(V::Element::from_f64(0.0));
            for (band, weight) in share.bands.into_iter().zip(share.weights) {
                factor = V::load(pull.gradient.add(band as usize * V::LANES)).fma(V::splat(weight), factor);
            }
            factor = factor.add(factor);
            for part in [pull.re, pull.im] {
                let at = part.add(bin * V::LANES);
                V::load(at).mul(factor).store(at);
            }
        }
    }
}
