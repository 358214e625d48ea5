//! Products and sums value by value.

use super::kernels::Element;
use neurdsp_simd::Isa;

/// `to = a * b`, value by value.
///
/// # Panics
///
/// If the lengths differ.
pub fn multiply<T: Element>(a: &[T], b: &[T], to: &mut [T], isa: Isa) {
    assert!(a.len() == to.len() && b.len() == to.len());
    T::multiply(isa, a, b, to);
}

/// `to += a`, value by value.
///
/// # Panics
///
/// If the lengths differ.
pub fn accumulate<T: Element>(a: &[T], to: &mut [T], isa: Isa) {
    assert_eq!(a.len(), to.len());
    T::accumulate(isa, a, to);
}
