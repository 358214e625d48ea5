//! Products and sums value by value.
// Plain loops, which the compiler vectorises for the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use neurdsp_simd::Lanes;

/// `to = a * b`.
#[inline(always)]
pub(crate) unsafe fn multiply<V: Lanes>(a: &[V::Element], b: &[V::Element], to: &mut [V::Element]) {
    for ((to, &a), &b) in to.iter_mut().zip(a).zip(b) {
        *to = a * b;
    }
}

/// `to += a`.
#[inline(always)]
pub(crate) unsafe fn accumulate<V: Lanes>(a: &[V::Element], to: &mut [V::Element]) {
    for (to, &a) in to.iter_mut().zip(a) {
        *to += a;
    }
}
