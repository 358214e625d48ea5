//! A buffer of numbers that starts on a cache line.

use crate::vector::Real;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// Bytes in a cache line, and in the widest register.
const LINE: usize = 64;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; LINE]);

/// A fixed-length buffer of numbers, `f32` or `f64`, whose first element lies on a 64-byte boundary.
///
/// It behaves like a slice. Its length is fixed at construction; nothing allocates afterwards.
///
/// # Examples
///
/// ```
/// use neurdsp_simd::AlignedBuf;
///
/// let mut buffer = AlignedBuf::<f32>::zeroed(100);
/// buffer[99] = 1.0;
/// assert_eq!(buffer.len(), 100);
/// assert_eq!(buffer.as_ptr() as usize % 64, 0);
/// ```
#[derive(Clone)]
pub struct AlignedBuf<T = f32> {
    lines: Vec<Line>,
    len: usize,
    values: PhantomData<T>,
}

impl<T: Real> AlignedBuf<T> {
    /// `len` zeros.
    #[must_use]
    pub fn zeroed(len: usize) -> Self {
        let lines = vec![Line([0; LINE]); len.div_ceil(LINE / size_of::<T>())];
        Self { lines, len, values: PhantomData }
    }

    /// A copy of `values`.
    #[must_use]
    pub fn from_slice(values: &[T]) -> Self {
        let mut buffer = Self::zeroed(values.len());
        buffer.copy_from_slice(values);
        buffer
    }
}

impl<T: Real> Default for AlignedBuf<T> {
    fn default() -> Self {
        Self::zeroed(0)
    }
}

impl<T: Real> Deref for AlignedBuf<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the lines hold at least `len` numbers, aligned, and any bits are a valid number: `Real` is `f32` or `f64`.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl<T: Real> DerefMut for AlignedBuf<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`; the borrow of `self` is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

impl<T> std::fmt::Debug for AlignedBuf<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AlignedBuf({} values)", self.len)
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
            let doubles = AlignedBuf::from_slice(&samples.iter().map(|x| f64::from(*x)).collect::<Vec<_>>());
            assert_eq!((buffer.as_ptr() as usize % 64, doubles.as_ptr() as usize % 64), (0, 0));
            assert_eq!(&buffer[..], &samples[..]);
            assert!(doubles.len() == len && doubles.iter().zip(&samples).all(|(a, b)| *a == f64::from(*b)));
        }
    }
}
