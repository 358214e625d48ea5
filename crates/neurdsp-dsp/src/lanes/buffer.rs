//! Memory that begins on a cache line.

use neurdsp_simd::Real;
use std::ops::{Deref, DerefMut};

/// Bytes in a cache line, and in the widest register.
const LINE: usize = 64;

/// Values that begin at a multiple of 64 bytes, so that no register is loaded across two lines.
#[derive(Debug)]
pub(crate) struct Buffer<T> {
    values: Vec<T>,
    first: usize,
    len: usize,
}

impl<T: Real> Buffer<T> {
    /// `len` zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        let slack = LINE / size_of::<T>();
        let values = vec![T::from_f64(0.0); len + slack];
        let first = values.as_ptr().align_offset(LINE).min(slack);
        Self { values, first, len }
    }
}

/// A copy lies at another address: it finds its own first line.
impl<T: Clone> Clone for Buffer<T> {
    fn clone(&self) -> Self {
        let mut values = self.values.clone();
        let slack = values.len() - self.len;
        let first = values.as_ptr().align_offset(LINE).min(slack);
        values.rotate_left(self.first);
        values.rotate_right(first);
        Self { values, first, len: self.len }
    }
}

impl<T: Real> Default for Buffer<T> {
    fn default() -> Self {
        Self::zeros(0)
    }
}

impl<T> Deref for Buffer<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.values[self.first..self.first + self.len]
    }
}

impl<T> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values[self.first..self.first + self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_begins_on_a_line_and_so_does_its_copy() {
        for len in [0, 1, 17, 1000] {
            let mut buffer = Buffer::<f32>::zeros(len);
            buffer.fill(3.0);
            let copy = buffer.clone();
            assert_eq!((buffer.len(), buffer.as_ptr() as usize % 64), (len, 0));
            assert_eq!((&copy[..], copy.as_ptr() as usize % 64), (&buffer[..], 0));
        }
    }
}
