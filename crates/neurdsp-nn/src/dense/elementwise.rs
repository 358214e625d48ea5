//! Functions of single values, and of values in the same place of several rows.
// Blocks stay within slices whose lengths the entry points check; the caller vouches for the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::LANES;
use neurdsp_simd::{Isa, Lanes, dispatch, exp, ln};

/// Replaces values by `x / (1 + exp(−x))`.
///
/// # Panics
///
/// If the values are not whole registers ([`padded`](super::padded)).
///
/// # Examples
///
/// ```
/// let mut x = [1.0; 16];
/// neurdsp_nn::dense::silu(neurdsp_simd::Isa::detect(), &mut x);
/// assert!((x[0] - 0.731_058_6).abs() < 1e-6);
/// ```
pub fn silu(isa: Isa, values: &mut [f32]) {
    assert!(values.len().is_multiple_of(LANES), "whole registers");
    silu_all(isa, values);
}

/// Replaces positive normal values by `x` to the power `exponent`.
///
/// # Panics
///
/// If the values are not whole registers ([`padded`](super::padded)).
///
/// # Examples
///
/// ```
/// let mut x = [8.0; 16];
/// neurdsp_nn::dense::power(neurdsp_simd::Isa::detect(), &mut x, 1.0 / 3.0);
/// assert!((x[0] - 2.0).abs() < 1e-6);
/// ```
pub fn power(isa: Isa, values: &mut [f32], exponent: f32) {
    assert!(values.len().is_multiple_of(LANES), "whole registers");
    power_all(isa, values, exponent);
}

/// Replaces each column of `rows` rows by its softmax times `gain` in front: `exp(gain·x) / Σ exp(gain·x)`.
///
/// # Panics
///
/// If the rows are none or not whole registers ([`padded`](super::padded)).
///
/// # Examples
///
/// ```
/// let mut x = [[0.0; 16], [1.0; 16]].concat();
/// neurdsp_nn::dense::softmax(neurdsp_simd::Isa::detect(), &mut x, 2, 2.0);
/// assert!((x[16] - 1.0 / (1.0 + (-2f32).exp())).abs() < 1e-6);
/// assert!((x[0] + x[16] - 1.0).abs() < 1e-6);
/// ```
pub fn softmax(isa: Isa, values: &mut [f32], rows: usize, gain: f32) {
    assert!(rows > 0 && values.len().is_multiple_of(rows), "rows of one length");
    assert!((values.len() / rows).is_multiple_of(LANES), "whole registers");
    softmax_all(isa, values, rows, gain);
}

dispatch! {
    fn silu_all(values: &mut [f32]) = silu_generic
}

#[inline(always)]
unsafe fn silu_generic<V: Lanes<Element = f32>>(values: &mut [f32]) {
    unsafe {
        let one = V::splat(1.0);
        for block in values.chunks_exact_mut(V::LANES) {
            let x = V::load(block.as_ptr());
            x.div(one.add(exp(x.neg()))).store(block.as_mut_ptr());
        }
    }
}

dispatch! {
    fn power_all(values: &mut [f32], exponent: f32) = power_generic
}

#[inline(always)]
unsafe fn power_generic<V: Lanes<Element = f32>>(values: &mut [f32], exponent: f32) {
    unsafe {
        let exponent = V::splat(exponent);
        for block in values.chunks_exact_mut(V::LANES) {
            exp(ln(V::load(block.as_ptr())).mul(exponent)).store(block.as_mut_ptr());
        }
    }
}

dispatch! {
    fn softmax_all(values: &mut [f32], rows: usize, gain: f32) = softmax_generic
}

#[inline(always)]
unsafe fn softmax_generic<V: Lanes<Element = f32>>(values: &mut [f32], rows: usize, gain: f32) {
    unsafe {
        let (step, gain) = (values.len() / rows, V::splat(gain));
        for column in (0..step).step_by(V::LANES) {
            let place = values.as_mut_ptr().add(column);
            let mut largest = V::load(place);
            for row in 1..rows {
                largest = largest.max(V::load(place.add(row * step)));
            }
            let mut sum = V::splat(0.0);
            for row in 0..rows {
                let place = place.add(row * step);
                let share = exp(V::load(place).sub(largest).mul(gain));
                share.store(place);
                sum = sum.add(share);
            }
            for row in 0..rows {
                let place = place.add(row * step);
                V::load(place).div(sum).store(place);
            }
        }
    }
}
