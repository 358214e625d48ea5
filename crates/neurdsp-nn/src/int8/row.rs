//! Rounding a vector to 8 bits.

use crate::bounds::MAX_CHANNELS;
use neurdsp_simd::{Isa, Vector, dispatch};

/// Values that are rounded together.
const LANES: usize = 16;
/// The largest magnitude of an integer.
const LARGEST: f32 = 127.0;
/// Below this a vector counts as zero, so that its scale has an inverse.
const SMALLEST: f32 = 1e-30;
/// `1.5 · 2^23`: a sum with it is rounded to a whole number, which the lowest bits hold.
const ROUND: f32 = 12_582_912.0;

/// A vector rounded to 8 bits.
#[repr(C, align(64))]
pub(super) struct Row {
    /// Those beyond the vector are zero up to a multiple of 16.
    pub(super) integers: [i8; MAX_CHANNELS],
    /// A value is about its integer times this.
    pub(super) scale: f32,
}

impl Row {
    /// Rounds values, which come in multiples of 16 and are at most [`MAX_CHANNELS`].
    #[inline]
    pub(super) fn new(isa: Isa, values: &[f32]) -> Row {
        debug_assert!(values.len() <= MAX_CHANNELS && values.len().is_multiple_of(LANES));
        let mut row = Row { integers: [0; MAX_CHANNELS], scale: 0.0 };
        round(isa, values, &mut row);
        row
    }
}

dispatch! {
    fn round(values: &[f32], row: &mut Row) = round_generic
}

#[inline(always)]
unsafe fn round_generic<V: Vector<f32>>(values: &[f32], row: &mut Row) {
    // SAFETY: a block holds `LANES` values; the caller vouches for the instruction set.
    let largest = unsafe {
        let mut largest = V::splat(0.0);
        for block in values.chunks_exact(V::LANES) {
            largest = V::load(block.as_ptr()).abs().max(largest);
        }
        largest.max_lane()
    };
    if largest < SMALLEST {
        return;
    }
    row.scale = largest / LARGEST;
    let steps = LARGEST / largest;
    for (values, to) in values.chunks_exact(LANES).zip(row.integers.chunks_exact_mut(LANES)) {
        for (value, to) in values.iter().zip(to) {
            // The bits of the sum are those of 1.5 · 2^23, plus the whole number.
            *to = (value * steps + ROUND).to_bits() as i8;
        }
    }
}
