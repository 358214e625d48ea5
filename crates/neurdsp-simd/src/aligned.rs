//! A buffer of numbers that starts on a cache line.

use crate::vector::Real;
use std::ops::{Deref, DerefMut};

/// Bytes in a cache line, and in the widest register.
const LINE: usize = 64;

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
pub struct AlignedBuf<T = f32> {
    /// The numbers, behind as many zeros as there are before the first cache line. The system gives zeros of its own, so a
    /// large buffer is not written before it is used, and then by the thread that uses it.
    values: Vec<T>,
    start: usize,
}

impl<T: Real> AlignedBuf<T> {
    /// `len` zeros.
    #[must_use]
    pub fn zeroed(len: usize) -> Self {
        let mut values = vec![T::default(); if len == 0 { 0 } else { len + spare::<T>() }];
        #[cfg(target_os = "linux")]
        large_pages::ask_for(&values);
        let start = if len == 0 { 0 } else { before_line(&values) };
        values.truncate(start + len);
        Self { values, start }
    }

    /// A copy of `values`.
    #[must_use]
    pub fn from_slice(values: &[T]) -> Self {
        let mut buffer = Self::zeroed(values.len());
        buffer.copy_from_slice(values);
        buffer
    }
}

/// Numbers that may lie before the first cache line.
const fn spare<T>() -> usize {
    LINE / size_of::<T>() - 1
}

/// Numbers that do.
fn before_line<T>(values: &[T]) -> usize {
    (values.as_ptr() as usize).wrapping_neg() % LINE / size_of::<T>()
}

impl<T: Clone> Clone for AlignedBuf<T> {
    fn clone(&self) -> Self {
        let Some(filler) = self.values.first() else { return Self { values: Vec::new(), start: 0 } };
        let mut values = Vec::with_capacity(self.len() + spare::<T>());
        let start = before_line(&values);
        values.resize(start, filler.clone());
        values.extend_from_slice(self);
        Self { values, start }
    }
}

impl<T: Real> Default for AlignedBuf<T> {
    fn default() -> Self {
        Self::zeroed(0)
    }
}

impl<T> Deref for AlignedBuf<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values[self.start..]
    }
}

impl<T> DerefMut for AlignedBuf<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values[self.start..]
    }
}

impl<T> std::fmt::Debug for AlignedBuf<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AlignedBuf({} values)", self.len())
    }
}

/// Large pages of memory: the system clears and finds one in place of 512 small ones.
#[cfg(target_os = "linux")]
mod large_pages {
    use rustix::mm::{Advice, madvise};

    /// Bytes of a large page.
    const PAGE: usize = 2 << 20;

    /// Asks the system for large pages for the whole ones in `values`. It may give small ones, which only take longer.
    pub(super) fn ask_for<T>(values: &[T]) {
        let begin = values.as_ptr() as usize;
        let (first, end) = (begin.next_multiple_of(PAGE), (begin + size_of_val(values)) / PAGE * PAGE);
        if first < end {
            let place = values.as_ptr().wrapping_byte_add(first - begin).cast_mut();
            // SAFETY: the pages lie within a slice that lives, and the advice changes no value.
            let _ = unsafe { madvise(place.cast(), end - first, Advice::LinuxHugepage) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AlignedBuf;

    #[test]
    fn every_length_starts_on_a_cache_line_and_keeps_its_samples() {
        for len in 1..70 {
            let samples: Vec<f32> = (0..len).map(|i| i as f32).collect();
            let buffer = AlignedBuf::from_slice(&samples);
            let doubles = AlignedBuf::from_slice(&samples.iter().map(|x| f64::from(*x)).collect::<Vec<_>>());
            assert_eq!(buffer.clone()[..], samples[..]);
            assert_eq!((buffer.as_ptr() as usize % 64, doubles.as_ptr() as usize % 64), (0, 0));
            assert_eq!(&buffer[..], &samples[..]);
            assert!(doubles.len() == len && doubles.iter().zip(&samples).all(|(a, b)| *a == f64::from(*b)));
        }
    }

    #[test]
    fn an_empty_buffer_takes_no_memory() {
        let mut empty = AlignedBuf::<f64>::zeroed(0);
        assert_eq!((empty.values.capacity(), empty.len(), empty.iter_mut().count()), (0, 0, 0));
    }
}
