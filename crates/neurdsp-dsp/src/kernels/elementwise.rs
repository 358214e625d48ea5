//! Kernels that work value by value.
// Plain loops, which the compiler vectorises for the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use neurdsp_simd::{Lanes, Real};

/// The squared magnitudes of complex numbers.
#[inline(always)]
pub(super) unsafe fn powers<V: Lanes>(re: &[V::Element], im: &[V::Element], powers: &mut [V::Element]) {
    for ((power, re), im) in powers.iter_mut().zip(re).zip(im) {
        *power = *re * *re + *im * *im;
    }
}

/// Complex numbers times real factors.
#[inline(always)]
pub(super) unsafe fn scale<V: Lanes>(factors: &[V::Element], re: &mut [V::Element], im: &mut [V::Element]) {
    for ((re, im), factor) in re.iter_mut().zip(im).zip(factors) {
        (*re, *im) = (*re * *factor, *im * *factor);
    }
}

/// Whether no sample is NaN or beyond `limit` in magnitude.
///
/// Magnitudes are compared as integers, so that the compiler vectorises the search.
#[inline(always)]
pub(super) unsafe fn within<V: Lanes>(samples: &[V::Element], limit: V::Element) -> bool {
    let (zero, limit) = (V::Element::default().magnitude_bits(), limit.magnitude_bits());
    samples
        .chunks(4096)
        .all(|block| block.iter().map(|sample| sample.magnitude_bits()).fold(zero, Ord::max) <= limit)
}
