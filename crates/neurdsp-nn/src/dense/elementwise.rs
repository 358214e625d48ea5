//! Functions of single values, and of values in the same place of several rows.
// Blocks stay within slices whose lengths the entry points check; the caller vouches for the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::LANES;
use neurdsp_simd::math::{self, fma};
use neurdsp_simd::{Isa, Lanes, dispatch, exp, ln};

/// `√(2/π)`.
const GELU_SCALE: f32 = 0.797_884_6;

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

/// Replaces values by their hyperbolic tangent, to within 4e-7.
///
/// # Panics
///
/// If the values are not whole registers ([`padded`](super::padded)).
///
/// # Examples
///
/// ```
/// let mut x = [0.5; 16];
/// neurdsp_nn::dense::tanh(neurdsp_simd::Isa::detect(), &mut x);
/// assert!((x[0] - 0.5f32.tanh()).abs() < 4e-7);
/// ```
pub fn tanh(isa: Isa, values: &mut [f32]) {
    assert!(values.len().is_multiple_of(LANES), "whole registers");
    tanh_all(isa, values);
}

/// Replaces values by `1 / (1 + exp(−x))`, to within 2.5e-7.
///
/// # Panics
///
/// If the values are not whole registers ([`padded`](super::padded)).
///
/// # Examples
///
/// ```
/// let mut x = [0.0; 16];
/// neurdsp_nn::dense::sigmoid(neurdsp_simd::Isa::detect(), &mut x);
/// assert!((x[0] - 0.5).abs() < 2.5e-7);
/// ```
pub fn sigmoid(isa: Isa, values: &mut [f32]) {
    assert!(values.len().is_multiple_of(LANES), "whole registers");
    sigmoid_all(isa, values);
}

/// Replaces negative values by zero.
///
/// # Panics
///
/// If the values are not whole registers ([`padded`](super::padded)).
///
/// # Examples
///
/// ```
/// let mut x = [-1.0; 16];
/// x[0] = 2.0;
/// neurdsp_nn::dense::relu(neurdsp_simd::Isa::detect(), &mut x);
/// assert_eq!(x[..2], [2.0, 0.0]);
/// ```
pub fn relu(isa: Isa, values: &mut [f32]) {
    assert!(values.len().is_multiple_of(LANES), "whole registers");
    relu_all(isa, values);
}

/// Replaces values by `½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
///
/// Source: D. Hendrycks, K. Gimpel, "Gaussian error linear units", arXiv 1606.08415.
///
/// # Panics
///
/// If the values are not whole registers ([`padded`](super::padded)).
///
/// # Examples
///
/// ```
/// let mut x = [1.0; 16];
/// neurdsp_nn::dense::gelu(neurdsp_simd::Isa::detect(), &mut x);
/// assert!((x[0] - 0.841_192).abs() < 1e-6);
/// ```
pub fn gelu(isa: Isa, values: &mut [f32]) {
    assert!(values.len().is_multiple_of(LANES), "whole registers");
    gelu_all(isa, values);
}

/// Replaces the first `n` values of a row by their softmax times `gain` in front, and the others by zero.
///
/// # Panics
///
/// If there are none or fewer than `n` values, or not whole registers of them ([`padded`](super::padded)).
///
/// # Examples
///
/// ```
/// let mut x = [1.0; 16];
/// neurdsp_nn::dense::softmax_row(neurdsp_simd::Isa::detect(), &mut x, 2, 3.0);
/// assert_eq!(x[..3], [0.5, 0.5, 0.0]);
/// ```
pub fn softmax_row(isa: Isa, values: &mut [f32], n: usize, gain: f32) {
    assert!((1..=values.len()).contains(&n), "some of the values");
    assert!(values.len().is_multiple_of(LANES), "whole registers");
    values[n..].fill(f32::MIN);
    softmax_row_all(isa, values, gain);
    values[n..].fill(0.0);
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
    fn tanh_all(values: &mut [f32]) = tanh_generic
}

#[inline(always)]
unsafe fn tanh_generic<V: Lanes<Element = f32>>(values: &mut [f32]) {
    unsafe { for_each::<V>(values, |x| math::tanh(x)) }
}

dispatch! {
    fn sigmoid_all(values: &mut [f32]) = sigmoid_generic
}

#[inline(always)]
unsafe fn sigmoid_generic<V: Lanes<Element = f32>>(values: &mut [f32]) {
    unsafe { for_each::<V>(values, |x| math::sigmoid(x)) }
}

dispatch! {
    fn relu_all(values: &mut [f32]) = relu_generic
}

#[inline(always)]
unsafe fn relu_generic<V: Lanes<Element = f32>>(values: &mut [f32]) {
    unsafe { for_each::<V>(values, |x| x.max(V::splat(0.0))) }
}

dispatch! {
    fn gelu_all(values: &mut [f32]) = gelu_generic
}

#[inline(always)]
unsafe fn gelu_generic<V: Lanes<Element = f32>>(values: &mut [f32]) {
    unsafe {
        let (one, half) = (V::splat(1.0), V::splat(0.5));
        for_each::<V>(values, |x| {
            let inner = fma(x.mul(x).mul(x), V::splat(0.044_715), x);
            let open = math::tanh(inner.mul(V::splat(GELU_SCALE)));
            x.mul(half).mul(one.add(open))
        });
    }
}

#[inline(always)]
unsafe fn for_each<V: Lanes<Element = f32>>(values: &mut [f32], function: impl Fn(V) -> V) {
    unsafe {
        for block in values.chunks_exact_mut(V::LANES) {
            function(V::load(block.as_ptr())).store(block.as_mut_ptr());
        }
    }
}

dispatch! {
    fn softmax_row_all(values: &mut [f32], gain: f32) = softmax_row_generic
}

#[inline(always)]
unsafe fn softmax_row_generic<V: Lanes<Element = f32>>(values: &mut [f32], gain: f32) {
    unsafe {
        let mut largest = V::splat(f32::MIN);
        for block in values.chunks_exact(V::LANES) {
            largest = largest.max(V::load(block.as_ptr()));
        }
        let (largest, gain) = (V::splat(largest.max_lane()), V::splat(gain));
        let mut sum = V::splat(0.0);
        for block in values.chunks_exact_mut(V::LANES) {
            let share = exp(V::load(block.as_ptr()).sub(largest).mul(gain));
            share.store(block.as_mut_ptr());
            sum = sum.add(share);
        }
        let share = V::splat(sum.sum_lanes().recip());
        for_each::<V>(values, |x| x.mul(share));
    }
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
