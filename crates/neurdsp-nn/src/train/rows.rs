//! Some channels of the same stretch of time.

/// Lengths in time are multiples of this many samples: a whole number of vectors of every instruction set.
pub const BLOCK: usize = 32;

/// Channels to read: row `r` begins at `samples[r * stride]`.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, T> {
    pub(super) samples: &'a [T],
    pub(super) stride: usize,
}

impl<'a, T> Rows<'a, T> {
    /// Rows that begin `stride` samples apart, the first at the beginning of `samples`.
    #[must_use]
    pub fn new(samples: &'a [T], stride: usize) -> Self {
        Self { samples, stride }
    }

    /// `len` samples of row `r`.
    ///
    /// # Panics
    ///
    /// If the samples end before them.
    #[must_use]
    pub fn row(&self, r: usize, len: usize) -> &'a [T] {
        &self.samples[r * self.stride..][..len]
    }

    /// The same rows from row `r` on.
    ///
    /// # Panics
    ///
    /// If the samples end before that row.
    #[must_use]
    pub fn from_row(&self, r: usize) -> Self {
        Self { samples: &self.samples[r * self.stride..], stride: self.stride }
    }

    /// Whether the samples hold `rows` rows of `len`.
    pub(super) fn hold(&self, rows: usize, len: usize) -> bool {
        rows == 0 || (rows - 1) * self.stride + len <= self.samples.len()
    }
}

/// Channels to write, laid out as [`Rows`].
#[derive(Debug)]
pub struct RowsMut<'a, T> {
    pub(super) samples: &'a mut [T],
    pub(super) stride: usize,
}

impl<'a, T> RowsMut<'a, T> {
    /// Rows that begin `stride` samples apart, the first at the beginning of `samples`.
    #[must_use]
    pub fn new(samples: &'a mut [T], stride: usize) -> Self {
        Self { samples, stride }
    }

    /// `len` samples of row `r`.
    ///
    /// # Panics
    ///
    /// If the samples end before them.
    pub fn row(&mut self, r: usize, len: usize) -> &mut [T] {
        &mut self.samples[r * self.stride..][..len]
    }

    /// The same rows, for reading.
    #[must_use]
    pub fn as_rows(&self) -> Rows<'_, T> {
        Rows { samples: self.samples, stride: self.stride }
    }
}
