//! Vector kernels: the sum of products, and the product of spectra.
// Each kernel stays inside the shortest of its slices; the instruction set is proved by `Isa`.
#![allow(clippy::undocumented_unsafe_blocks)]

use neurdsp_simd::{Vector, dispatch};

dispatch! {
    /// The sum of the products of two slices, over the length of the shorter one.
    pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 = dot_generic
}

#[inline(always)]
unsafe fn dot_generic<V: Vector<f32>>(a: &[f32], b: &[f32]) -> f32 {
    let n = a.len().min(b.len());
    unsafe {
        // Two chains, so that one product need not wait for the other.
        let (mut even, mut odd) = (V::splat(0.0), V::splat(0.0));
        let mut i = 0;
        while i + 2 * V::LANES <= n {
            even = V::load(a.as_ptr().add(i)).fma(V::load(b.as_ptr().add(i)), even);
            let next = i + V::LANES;
            odd = V::load(a.as_ptr().add(next)).fma(V::load(b.as_ptr().add(next)), odd);
            i += 2 * V::LANES;
        }
        if i + V::LANES <= n {
            even = V::load(a.as_ptr().add(i)).fma(V::load(b.as_ptr().add(i)), even);
            i += V::LANES;
        }
        let mut sum = even.add(odd).sum_lanes();
        for (a, b) in a[i..n].iter().zip(&b[i..n]) {
            sum += a * b;
        }
        sum
    }
}

dispatch! {
    /// Adds the product of two spectra to a third. Each is split: real parts in the first half, imaginary in the second.
    pub(crate) fn multiply_add(sum: &mut [f32], a: &[f32], b: &[f32]) = multiply_add_generic
}

#[inline(always)]
unsafe fn multiply_add_generic<V: Vector<f32>>(sum: &mut [f32], a: &[f32], b: &[f32]) {
    let n = sum.len().min(a.len()).min(b.len()) / 2;
    let (sum_re, sum_im) = sum.split_at_mut(sum.len() / 2);
    let (a_re, a_im) = a.split_at(a.len() / 2);
    let (b_re, b_im) = b.split_at(b.len() / 2);
    let mut i = 0;
    while i + V::LANES <= n {
        unsafe {
            let (ar, ai) = (V::load(a_re.as_ptr().add(i)), V::load(a_im.as_ptr().add(i)));
            let (br, bi) = (V::load(b_re.as_ptr().add(i)), V::load(b_im.as_ptr().add(i)));
            let re = ar.fma(br, V::load(sum_re.as_ptr().add(i)));
            ai.fnma(bi, re).store(sum_re.as_mut_ptr().add(i));
            let im = ar.fma(bi, V::load(sum_im.as_ptr().add(i)));
            ai.fma(br, im).store(sum_im.as_mut_ptr().add(i));
        }
        i += V::LANES;
    }
    for i in i..n {
        sum_re[i] += a_re[i] * b_re[i] - a_im[i] * b_im[i];
        sum_im[i] += a_re[i] * b_im[i] + a_im[i] * b_re[i];
    }
}
