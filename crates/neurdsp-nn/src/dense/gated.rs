//! One step of a gated recurrence whose units do not see each other.
// Rows are whole registers, as `gated_step` has checked; the caller vouches for the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::LANES;
use neurdsp_simd::math::{fma, tanh};
use neurdsp_simd::{Isa, Lanes, dispatch, exp};

/// `s = σ(f)·s + (1 − σ(f))·tanh(c)` and `y = s·silu(g)`, for rows of `units` values.
///
/// # Parameters
///
/// - `gates`: rows of `3 · units` values, `f`, `c` and `g`
/// - `state`, `output`: rows of `units` values, which come in whole registers ([`padded`](super::padded))
///
/// `1 − σ(f)` is computed as `σ(−f)`, so that long memories, where it is small, lose no digits.
///
/// Source: J. Bradbury et al., "Quasi-recurrent neural networks", arXiv 1611.01576.
///
/// # Panics
///
/// If the lengths do not agree.
///
/// # Examples
///
/// ```
/// use neurdsp_nn::dense::gated_step;
/// use neurdsp_simd::Isa;
///
/// let (mut state, mut output) = ([0.0; 16], [0.0; 16]);
/// gated_step(Isa::detect(), &[[0.0; 16], [1.0; 16], [2.0; 16]].concat(), &mut state, &mut output, 16);
/// assert!((state[0] - 0.5 * 1f32.tanh()).abs() < 1e-6);
/// assert!((output[0] - state[0] * 2.0 / (1.0 + (-2f32).exp())).abs() < 1e-6);
/// ```
pub fn gated_step(isa: Isa, gates: &[f32], state: &mut [f32], output: &mut [f32], units: usize) {
    assert!(units > 0 && units.is_multiple_of(LANES) && state.len().is_multiple_of(units), "whole rows");
    assert!(gates.len() == 3 * state.len() && output.len() == state.len(), "as many gates and outputs");
    step(isa, gates, state, output, units);
}

dispatch! {
    fn step(gates: &[f32], state: &mut [f32], output: &mut [f32], units: usize) = step_generic
}

#[inline(always)]
unsafe fn step_generic<V: Lanes<Element = f32>>(
    gates: &[f32],
    state: &mut [f32],
    output: &mut [f32],
    units: usize,
) {
    unsafe {
        let one = V::splat(1.0);
        let rows = state.chunks_exact_mut(units).zip(output.chunks_exact_mut(units));
        for (gates, (state, output)) in gates.chunks_exact(3 * units).zip(rows) {
            for u in (0..units).step_by(V::LANES) {
                let gate = |index: usize| V::load(gates.as_ptr().add(index * units + u));
                let place = state.as_mut_ptr().add(u);
                let before = V::load(place);
                let replaced = one.div(one.add(exp(gate(0))));
                let after = fma(replaced, tanh(gate(1)).sub(before), before);
                after.store(place);
                let open = gate(2);
                let silu = open.div(one.add(exp(open.neg())));
                after.mul(silu).store(output.as_mut_ptr().add(u));
            }
        }
    }
}
