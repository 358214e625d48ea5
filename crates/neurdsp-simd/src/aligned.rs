//! A buffer of samples that starts on a cache line.

use std::ops::{Deref, DerefMut};

/// Samples in one cache line.
const LINE: usize = 16;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// A fixed-length buffer of `f32` whose first element lies on a 64-byte boundary.
///
/// It behaves as a slice. Its length is settled at construction: nothing that it offers afterwards allocates.
///
/// # Examples
///
/// ```
/// use neurdsp_simd::AlignedBuf;
///
/// let mut buffer = AlignedBuf::zeroed(100);
/// buffer[99] = 1.0;
/// assert_eq!(buffer.len(), 100);
/// assert_eq!(buffer.as_ptr() as usize % 64, 0);
/// ```
#[derive(Clone)]
pub struct AlignedBuf {
    lines: Vec<Line>,
    len: usize,
}

impl AlignedBuf {
    /// `len` zeros.
    #[must_use]
    pub fn zeroed(len: usize) -> AlignedBuf {
        AlignedBuf { lines: vec![Line([0.0; LINE]); len.div_ceil(LINE)], len }
    }

    /// A copy of `samples`.
    #[must_use]
    pub fn from_slice(samples: &[f32]) -> AlignedBuf {
        let mut buffer = AlignedBuf::zeroed(samples.len());
        buffer.copy_from_slice(samples);
        buffer
    }
}

impl Deref for AlignedBuf {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: the lines are `repr(C)` arrays of `f32` without padding, and hold at least `len` of them.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for AlignedBuf {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`; the borrow of `self` is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

impl std::fmt::Debug for AlignedBuf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AlignedBuf({} samples)", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::AlignedBuf;

    #[test]
    fn every_length_starts_on_a_cache_line_and_keeps_its_samples() {
        for len in 0..70 {
            let samples: Vec<f32> = (0..len).map(|i| i as f32).collect();
            let buffer = AlignedBuf::from_slice(&samples);
            assert_eq!(buffer.as_ptr() as usize % 64, 0);
            assert_eq!(&buffer[..], &samples[..]);
        }
    }
}
