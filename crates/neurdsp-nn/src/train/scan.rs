//! A gated recurrence without a matrix product in its loop, and its gradients.

use super::kernels::Element;
use neurdsp_simd::Isa;

/// `h[t] = f[t] h[t - 1] + (1 - f[t]) c[t]` from zero on, for `width` values side by side.
///
/// Arrays are `(steps, width)`, steps apart by `width`.
///
/// # Examples
///
/// ```
/// use neurdsp_nn::train::scan;
/// use neurdsp_simd::Isa;
///
/// let mut states = [0.0; 3];
/// scan(&[0.5, 0.5, 0.0], &[1.0, 1.0, 7.0], &mut states, 1, Isa::detect());
/// assert_eq!(states, [0.5, 0.75, 7.0]);
/// ```
///
/// # Panics
///
/// If the lengths differ, or are no multiple of `width`, or `width` is zero.
pub fn scan<T: Element>(forget: &[T], candidate: &[T], states: &mut [T], width: usize, isa: Isa) {
    assert!(width > 0 && forget.len().is_multiple_of(width));
    assert!(forget.len() == candidate.len() && forget.len() == states.len());
    let mut carry = vec![T::from_f64(0.0); width];
    T::scan(isa, forget, candidate, states, &mut carry);
}

/// Fills the gradients of [`scan`] over its two inputs from that over its states.
///
/// # Panics
///
/// As [`scan`].
pub fn scan_backward<T: Element>(
    [forget, candidate, states, gradient]: [&[T]; 4],
    forget_gradient: &mut [T],
    candidate_gradient: &mut [T],
    width: usize,
    isa: Isa,
) {
    let len = forget.len();
    assert!(width > 0 && len.is_multiple_of(width));
    assert!([candidate.len(), states.len(), gradient.len()] == [len; 3]);
    assert!(forget_gradient.len() == len && candidate_gradient.len() == len);
    let mut carry = vec![T::from_f64(0.0); width];
    T::scan_backward(
        isa,
        [forget, candidate, states, gradient],
        forget_gradient,
        candidate_gradient,
        &mut carry,
    );
}
