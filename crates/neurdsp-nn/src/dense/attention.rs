//! Attention of one step to the last ones, which a ring remembers.

use super::elementwise::softmax_row;
use super::padded;
use super::product::{Bias, MAX_COLUMNS, Matrix, Size, Target, multiply};
use crate::error::{Error, check_channels};
use neurdsp_simd::Isa;

/// For each head, `softmax(q · k / √n) · v` over the steps in a ring, which remembers the keys and values of the last
/// `window` steps.
///
/// The order of steps in a ring is of no account, so nothing is moved: a step writes its key and its value to slot `step mod
/// window`, and the oldest is gone.
///
/// Source: A. Vaswani et al., "Attention is all you need", arXiv 1706.03762.
///
/// # Examples
///
/// ```
/// use neurdsp_nn::dense::RingAttention;
/// use neurdsp_simd::Isa;
///
/// // One head of one feature, two steps: the second sees both alike.
/// let attention = RingAttention::new(1, 1, 2, Isa::detect())?;
/// let mut memory = vec![0.0; attention.memory()];
/// let mut to = [0.0; 16];
/// attention.step(&[0.0], &[1.0], &[2.0], 0, &mut memory, &mut to);
/// assert_eq!(to[0], 2.0);
/// attention.step(&[0.0], &[5.0], &[4.0], 1, &mut memory, &mut to);
/// assert_eq!(to[0], 3.0);
/// # Ok::<(), neurdsp_nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RingAttention {
    heads: usize,
    width: usize,
    window: usize,
    isa: Isa,
}

impl RingAttention {
    /// Attention of `heads` heads of `width` features to `window` steps.
    ///
    /// # Errors
    ///
    /// [`Error::Channels`] for none of one of them, or too many.
    pub fn new(heads: usize, width: usize, window: usize, isa: Isa) -> Result<RingAttention, Error> {
        for got in [heads, width, window, heads.saturating_mul(width)] {
            check_channels(got)?;
        }
        Ok(RingAttention { heads, width, window, isa })
    }

    /// Values of the ring and of scratch memory; all zeros at the first step.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.keys() + self.values() + padded(self.window) + padded(self.width)
    }

    /// Keys, `[heads][width][window]`, the last axis padded.
    fn keys(&self) -> usize {
        self.heads * self.width * padded(self.window)
    }

    /// Values, `[heads][window][width]`, the last axis padded.
    fn values(&self) -> usize {
        self.heads * self.window * padded(self.width)
    }

    /// Makes one step: remembers `key` and `value` and writes what `query` sees to `to`. All are `[heads][width]`.
    ///
    /// `step` counts from zero; what counts of it is the slot, and whether the ring has been filled, so that `step` may go
    /// back by any multiple of the window once it is at least that.
    ///
    /// # Panics
    ///
    /// If a slice is too short.
    pub fn step(
        &self,
        query: &[f32],
        key: &[f32],
        value: &[f32],
        step: usize,
        memory: &mut [f32],
        to: &mut [f32],
    ) {
        let (width, row, ring) = (self.width, padded(self.width), padded(self.window));
        let (keys, rest) = memory.split_at_mut(self.keys());
        let (values, rest) = rest.split_at_mut(self.values());
        let (scores, rest) = rest.split_at_mut(ring);
        let seen = &mut rest[..row];
        let (slot, filled) = (step % self.window, self.window.min(step + 1));
        let gain = (width as f32).sqrt().recip();
        for head in 0..self.heads {
            let of = head * width..(head + 1) * width;
            let keys = &mut keys[head * width * ring..][..width * ring];
            for (column, key) in keys.chunks_exact_mut(ring).zip(&key[of.clone()]) {
                column[slot] = *key;
            }
            let values = &mut values[head * self.window * row..][..self.window * row];
            values[slot * row..][..width].copy_from_slice(&value[of.clone()]);
            self.product(&query[of.clone()], keys, ring, scores);
            softmax_row(self.isa, scores, filled, gain);
            self.product(&scores[..filled], values, row, seen);
            to[of].copy_from_slice(&seen[..width]);
        }
    }

    /// A row times a matrix whose rows have `step` values.
    fn product(&self, from: &[f32], matrix: &[f32], step: usize, to: &mut [f32]) {
        for first in (0..step).step_by(MAX_COLUMNS) {
            let size =
                Size { rows: 1, inputs: from.len(), columns: (step - first).min(MAX_COLUMNS), exact: false };
            let a = Matrix { data: from, step: from.len() };
            let b = Matrix { data: &matrix[first..], step };
            let mut target = Target { data: &mut to[first..], step, adds: false };
            multiply(self.isa, size, a, b, Bias::None, &mut target);
        }
    }
}
