//! A gated recurrence along time, and its backward pass.
// Plain loops, which the compiler vectorises for the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use neurdsp_simd::{Lanes, Real};

/// `h[t] = c[t] + f[t] (h[t - 1] - c[t])`, with `carry.len()` values in each step; `carry` holds `h[-1]` and then the
/// last state.
#[inline(always)]
pub(crate) unsafe fn scan<V: Lanes>(
    forget: &[V::Element],
    candidate: &[V::Element],
    states: &mut [V::Element],
    carry: &mut [V::Element],
) {
    let width = carry.len();
    let inputs = forget.chunks_exact(width).zip(candidate.chunks_exact(width));
    for ((forget, candidate), states) in inputs.zip(states.chunks_exact_mut(width)) {
        for (((state, &f), &c), carry) in states.iter_mut().zip(forget).zip(candidate).zip(carry.iter_mut()) {
            *carry = c + f * (*carry - c);
            *state = *carry;
        }
    }
}

/// Gradients of [`scan`] that begins at zero; `carry` must be zeros.
#[inline(always)]
pub(crate) unsafe fn scan_backward<V: Lanes>(
    [forget, candidate, states, gradient]: [&[V::Element]; 4],
    forget_gradient: &mut [V::Element],
    candidate_gradient: &mut [V::Element],
    carry: &mut [V::Element],
) {
    let (width, one) = (carry.len(), V::Element::from_f64(1.0));
    for t in (0..forget.len() / width).rev() {
        let now = t * width..(t + 1) * width;
        let (f, c, g) = (&forget[now.clone()], &candidate[now.clone()], &gradient[now.clone()]);
        let (to_f, to_c) = (&mut forget_gradient[now.clone()], &mut candidate_gradient[now.clone()]);
        let values = to_f.iter_mut().zip(to_c).zip(carry.iter_mut()).zip(f.iter().zip(c).zip(g));
        if t == 0 {
            for (((to_f, to_c), carry), ((&f, &c), &g)) in values {
                let v = *carry + g;
                *to_f = V::Element::from_f64(0.0) - v * c;
                *to_c = v * (one - f);
            }
        } else {
            let before = &states[(t - 1) * width..t * width];
            for ((((to_f, to_c), carry), ((&f, &c), &g)), &h) in values.zip(before) {
                let v = *carry + g;
                *to_f = v * (h - c);
                *to_c = v * (one - f);
                *carry = v * f;
            }
        }
    }
}
