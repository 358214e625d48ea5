//! The memory of a run: one slice, handed out from its beginning.

use neurdsp_nn::dense::padded;

/// A part of a slice that is not handed out yet.
pub(super) struct Memory<'a>(&'a mut [f32]);

impl<'a> Memory<'a> {
    pub(super) fn new(values: &'a mut [f32]) -> Memory<'a> {
        Memory(values)
    }

    /// The next row of `values` values, [`padded`].
    #[inline]
    pub(super) fn row(&mut self, values: usize) -> &'a mut [f32] {
        let (row, rest) = std::mem::take(&mut self.0).split_at_mut(padded(values));
        self.0 = rest;
        row
    }
}

/// Values of rows of so many values, each padded.
pub(super) fn rows<const N: usize>(lengths: [usize; N]) -> usize {
    lengths.into_iter().map(padded).sum()
}

/// Copies values to the front of a row; what is no number counts as zero.
#[inline]
pub(super) fn fill(row: &mut [f32], values: &[f32]) {
    for (to, value) in row.iter_mut().zip(values) {
        *to = if value.is_finite() { *value } else { 0.0 };
    }
}
