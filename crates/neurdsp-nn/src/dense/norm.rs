//! Norms of rows: by the root of the mean square, or by mean and variance.
// Rows are whole registers, as `run` has checked; the caller vouches for the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::padded;
use crate::error::{Error, check_channels, check_len};
use neurdsp_simd::math::fma;
use neurdsp_simd::{AlignedBuf, Isa, Vector, dispatch};

/// `y = x / sqrt(mean(x²) + eps) · weight` for each row.
///
/// Source: B. Zhang, R. Sennrich, "Root mean square layer normalization", arXiv 1910.07467.
///
/// # Examples
///
/// ```
/// use neurdsp_nn::dense::RmsNorm;
/// use neurdsp_simd::Isa;
///
/// let norm = RmsNorm::new(&[1.0, 2.0], 0.0, Isa::detect())?;
/// let (mut x, mut y) = ([0.0; 16], [0.0; 16]);
/// (x[0], x[1]) = (1.0, 7.0);
/// norm.run(&x, &mut y);
/// assert_eq!(y[..3], [0.2, 2.8, 0.0]);
/// # Ok::<(), neurdsp_nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RmsNorm {
    weight: AlignedBuf,
    width: usize,
    eps: f32,
    isa: Isa,
}

impl RmsNorm {
    /// A norm of rows of as many values as `weight` has.
    ///
    /// # Errors
    ///
    /// [`Error::Channels`] for no or too many values.
    pub fn new(weight: &[f32], eps: f32, isa: Isa) -> Result<RmsNorm, Error> {
        check_channels(weight.len())?;
        let mut rows = AlignedBuf::zeroed(padded(weight.len()));
        rows[..weight.len()].copy_from_slice(weight);
        Ok(RmsNorm { weight: rows, width: weight.len(), eps, isa })
    }

    /// Writes the normed rows of `from` to `to`. Rows are padded with zeros.
    ///
    /// # Panics
    ///
    /// If the slices differ in length or do not hold whole rows.
    pub fn run(&self, from: &[f32], to: &mut [f32]) {
        assert!(from.len() == to.len() && from.len().is_multiple_of(self.weight.len()), "whole rows");
        norm(self.isa, &self.weight, (self.width as f32).recip(), self.eps, from, to);
    }
}

/// `y = (x − mean(x)) / sqrt(variance(x) + eps) · weight + bias` for each row.
///
/// Source: J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer normalization", arXiv 1607.06450.
///
/// # Examples
///
/// ```
/// use neurdsp_nn::dense::LayerNorm;
/// use neurdsp_simd::Isa;
///
/// let norm = LayerNorm::new(&[1.0, 2.0], &[0.0, 0.5], 0.0, Isa::detect())?;
/// let (mut x, mut y) = ([0.0; 16], [0.0; 16]);
/// (x[0], x[1]) = (1.0, 7.0);
/// norm.run(&x, &mut y);
/// assert_eq!(y[..3], [-1.0, 2.5, 0.0]);
/// # Ok::<(), neurdsp_nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LayerNorm {
    weight: AlignedBuf,
    bias: AlignedBuf,
    width: usize,
    eps: f32,
    isa: Isa,
}

impl LayerNorm {
    /// A norm of rows of as many values as `weight` and `bias` have.
    ///
    /// # Errors
    ///
    /// [`Error::Channels`] for no or too many values, [`Error::Length`] if there are not as many of both.
    pub fn new(weight: &[f32], bias: &[f32], eps: f32, isa: Isa) -> Result<LayerNorm, Error> {
        let width = weight.len();
        check_channels(width)?;
        check_len("bias", bias.len(), width)?;
        let row = |values: &[f32]| {
            let mut row = AlignedBuf::zeroed(padded(width));
            row[..width].copy_from_slice(values);
            row
        };
        Ok(LayerNorm { weight: row(weight), bias: row(bias), width, eps, isa })
    }

    /// Writes the normed rows of `from` to `to`. Rows are padded with zeros.
    ///
    /// # Panics
    ///
    /// If the slices differ in length or do not hold whole rows.
    pub fn run(&self, from: &[f32], to: &mut [f32]) {
        let stride = self.weight.len();
        assert!(from.len() == to.len() && from.len().is_multiple_of(stride), "whole rows");
        let share = (self.width as f32).recip();
        for (from, to) in from.chunks_exact(stride).zip(to.chunks_exact_mut(stride)) {
            let mean = total(self.isa, from) * share;
            less(self.isa, from, mean, to);
            // The padding is off the mean, but does not count.
            to[self.width..].fill(0.0);
            scale(self.isa, &self.weight, &self.bias, share, self.eps, to);
        }
    }
}

dispatch! {
    fn total(row: &[f32]) -> f32 = total_generic
}

#[inline(always)]
unsafe fn total_generic<V: Vector<f32>>(row: &[f32]) -> f32 {
    unsafe {
        let mut sum = V::splat(0.0);
        for block in row.chunks_exact(V::LANES) {
            sum = sum.add(V::load(block.as_ptr()));
        }
        sum.sum_lanes()
    }
}

dispatch! {
    fn less(from: &[f32], mean: f32, to: &mut [f32]) = less_generic
}

#[inline(always)]
unsafe fn less_generic<V: Vector<f32>>(from: &[f32], mean: f32, to: &mut [f32]) {
    unsafe {
        for (from, to) in from.chunks_exact(V::LANES).zip(to.chunks_exact_mut(V::LANES)) {
            V::load(from.as_ptr()).sub(V::splat(mean)).store(to.as_mut_ptr());
        }
    }
}

dispatch! {
    fn scale(weight: &[f32], bias: &[f32], share: f32, eps: f32, row: &mut [f32]) = scale_generic
}

#[inline(always)]
unsafe fn scale_generic<V: Vector<f32>>(weight: &[f32], bias: &[f32], share: f32, eps: f32, row: &mut [f32]) {
    unsafe {
        let mut sum = V::splat(0.0);
        for block in row.chunks_exact(V::LANES) {
            let x = V::load(block.as_ptr());
            sum = fma(x, x, sum);
        }
        let scale = V::splat((sum.sum_lanes() * share + eps).sqrt().recip());
        for (c, block) in row.chunks_exact_mut(V::LANES).enumerate() {
            let (weight, bias) = (weight.as_ptr().add(c * V::LANES), bias.as_ptr().add(c * V::LANES));
            let x = V::load(block.as_ptr()).mul(scale);
            fma(x, V::load(weight), V::load(bias)).store(block.as_mut_ptr());
        }
    }
}

dispatch! {
    fn norm(weight: &[f32], share: f32, eps: f32, from: &[f32], to: &mut [f32]) = norm_generic
}

#[inline(always)]
unsafe fn norm_generic<V: Vector<f32>>(weight: &[f32], share: f32, eps: f32, from: &[f32], to: &mut [f32]) {
    unsafe {
        let stride = weight.len();
        for (from, to) in from.chunks_exact(stride).zip(to.chunks_exact_mut(stride)) {
            let mut sum = V::splat(0.0);
            for c in (0..stride).step_by(V::LANES) {
                let x = V::load(from.as_ptr().add(c));
                sum = fma(x, x, sum);
            }
            let scale = V::splat((sum.sum_lanes() * share + eps).sqrt().recip());
            for c in (0..stride).step_by(V::LANES) {
                let weight = V::load(weight.as_ptr().add(c));
                V::load(from.as_ptr().add(c)).mul(scale).mul(weight).store(to.as_mut_ptr().add(c));
            }
        }
    }
}
