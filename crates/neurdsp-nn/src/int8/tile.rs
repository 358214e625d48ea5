//! The loop over a tile of a matrix of integers, for any registers of sums.
// Tiles stay within the extents that `Int8Dense` has checked; the caller vouches for the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::row::Row;

/// Inputs that are multiplied in one step.
pub(super) const STEP: usize = 4;

/// A tile of a matrix: `[inputs / 4][columns][4]` weights, and a value of each kind for each column.
#[derive(Clone, Copy)]
pub(super) struct Tile<'a> {
    /// The bits of four weights each.
    pub(super) weights: &'a [f32],
    /// −128 times the sum of the weights of a column.
    pub(super) offsets: &'a [i32],
    pub(super) scales: &'a [f32],
    pub(super) bias: &'a [f32],
}

/// A register of 32-bit sums, one for each column.
pub(super) trait Sums: Copy {
    /// Columns.
    const COLUMNS: usize;
    /// Four integers of the vector, as the products take them.
    type Input: Copy;

    /// Sums of nothing.
    unsafe fn zero() -> Self;

    /// What the sums of products must begin with, given −128 times the sum of the weights.
    unsafe fn begin(offsets: *const i32) -> Self;

    /// Broadcasts four integers.
    unsafe fn input(integers: *const i8) -> Self::Input;

    /// Adds the products with four weights for each column.
    unsafe fn dot(self, input: Self::Input, weights: *const i8) -> Self;

    /// Adds other sums.
    unsafe fn add(self, other: Self) -> Self;

    /// Writes `sum · (scale · scales) + bias`, plus what is there if `adds`; without fused operations.
    unsafe fn finish(self, scale: f32, scales: *const f32, bias: *const f32, to: *mut f32, adds: bool);
}

/// All columns of a tile, with sums in `PARTS` parts that do not wait for each other.
#[inline(always)]
pub(super) unsafe fn columns_of<S: Sums, const PARTS: usize>(
    tile: Tile<'_>,
    row: &Row,
    to: &mut [f32],
    adds: bool,
) {
    unsafe {
        match tile.bias.len() / S::COLUMNS {
            8 => registers::<S, 8, 1>(tile, row, to, adds),
            6 => registers::<S, 6, 1>(tile, row, to, adds),
            4 => registers::<S, 4, PARTS>(tile, row, to, adds),
            3 => registers::<S, 3, PARTS>(tile, row, to, adds),
            2 => registers::<S, 2, PARTS>(tile, row, to, adds),
            _ => registers::<S, 1, PARTS>(tile, row, to, adds),
        }
    }
}

#[inline(always)]
unsafe fn registers<S: Sums, const R: usize, const PARTS: usize>(
    tile: Tile<'_>,
    row: &Row,
    to: &mut [f32],
    adds: bool,
) {
    unsafe {
        let columns = R * S::COLUMNS;
        let steps = tile.weights.len() / columns;
        let mut sums = [[S::zero(); R]; PARTS];
        for (r, sum) in sums[0].iter_mut().enumerate() {
            *sum = S::begin(tile.offsets.as_ptr().add(r * S::COLUMNS));
        }
        let mut weights: *const i8 = tile.weights.as_ptr().cast();
        let mut integers = row.integers.as_ptr();
        for _ in 0..steps / PARTS {
            for sums in &mut sums {
                let input = S::input(integers);
                for (r, sum) in sums.iter_mut().enumerate() {
                    *sum = sum.dot(input, weights.add(r * S::COLUMNS * STEP));
                }
                weights = weights.add(columns * STEP);
                integers = integers.add(STEP);
            }
        }
        for _ in 0..steps % PARTS {
            let input = S::input(integers);
            for (r, sum) in sums[0].iter_mut().enumerate() {
                *sum = sum.dot(input, weights.add(r * S::COLUMNS * STEP));
            }
            weights = weights.add(columns * STEP);
            integers = integers.add(STEP);
        }
        for r in 0..R {
            let mut sum = sums[0][r];
            for part in &sums[1..] {
                sum = sum.add(part[r]);
            }
            let at = r * S::COLUMNS;
            let (scales, bias) = (tile.scales.as_ptr().add(at), tile.bias.as_ptr().add(at));
            sum.finish(row.scale, scales, bias, to.as_mut_ptr().add(at), adds);
        }
    }
}
