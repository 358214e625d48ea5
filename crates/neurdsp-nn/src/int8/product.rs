//! The product at the bottom of [`Int8Dense`](super::Int8Dense): a vector of integers times a matrix of integers.
//!
//! A step of the inner loop broadcasts four integers of the vector and multiplies them with four weights of each output, whose
//! products it adds to a 32-bit sum. That is one instruction where the processor has VNNI. AVX2 multiplies unsigned with signed
//! bytes and adds pairs in 16 bits, so it takes the magnitudes of the vector and moves the signs to the weights: as both
//! are within ±127, a pair is at most 32 258, and nothing saturates.
// Tiles stay within the extents that `Int8Dense` has checked; the caller vouches for the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::row::Row;
use neurdsp_simd::Isa;

/// Outputs are padded to a multiple of this.
pub(super) const LANES: usize = 16;
/// Outputs of a tile.
pub(super) const MAX_COLUMNS: usize = 64;
/// Inputs that are multiplied in one step.
pub(super) const STEP: usize = 4;

/// What multiplies bytes, by what the processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Portable code.
    Portable,
    /// `vpmaddubsw` and `vpmaddwd`.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// `vpdpbusd` on 256 bits.
    #[cfg(target_arch = "x86_64")]
    AvxVnni,
    /// `vpdpbusd` on 512 bits.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
}

impl Unit {
    /// Every unit that may be used beside an instruction set, the slowest first.
    pub(super) fn available(isa: Isa) -> Vec<Unit> {
        #[allow(unused_mut)]
        let mut all = vec![Unit::Portable];
        #[cfg(target_arch = "x86_64")]
        if isa.has_avx2() {
            all.push(Unit::Avx2);
            if is_x86_feature_detected!("avxvnni") {
                all.push(Unit::AvxVnni);
            }
            if isa.has_avx512() && is_x86_feature_detected!("avx512vnni") {
                all.push(Unit::Avx512Vnni);
            }
        }
        let _ = isa;
        all
    }
}

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

/// Multiplies a vector with the tile and writes a value for each column, or adds it to what is there.
#[inline]
pub(super) fn multiply(unit: Unit, tile: Tile<'_>, row: &Row, to: &mut [f32], adds: bool) {
    let columns = tile.bias.len();
    assert!(columns.is_multiple_of(LANES) && columns <= MAX_COLUMNS, "columns of whole registers");
    assert!(tile.weights.len().is_multiple_of(columns), "whole steps");
    assert!(tile.weights.len() / columns * STEP <= row.integers.len(), "inputs to read");
    assert!(tile.offsets.len() == columns && tile.scales.len() == columns, "a value for each column");
    assert!(to.len() >= columns, "room for the product");
    match unit {
        // SAFETY: the portable code needs no feature.
        Unit::Portable => unsafe { columns_of::<Portable, 1>(tile, row, to, adds) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `Unit::available` has found the features, here and below.
        Unit::Avx2 => unsafe { super::x86::avx2(tile, row, to, adds) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: see above.
        Unit::AvxVnni => unsafe { super::x86::avx_vnni(tile, row, to, adds) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: see above.
        Unit::Avx512Vnni => unsafe { super::x86::avx512_vnni(tile, row, to, adds) },
    }
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

/// Sixteen columns in portable code.
#[derive(Clone, Copy)]
pub(super) struct Portable([i32; LANES]);

impl Sums for Portable {
    const COLUMNS: usize = LANES;
    type Input = [i32; STEP];

    #[inline(always)]
    unsafe fn zero() -> Self {
        Self([0; LANES])
    }

    #[inline(always)]
    unsafe fn begin(_: *const i32) -> Self {
        Self([0; LANES])
    }

    #[inline(always)]
    unsafe fn input(integers: *const i8) -> Self::Input {
        std::array::from_fn(|i| i32::from(unsafe { integers.add(i).read() }))
    }

    #[inline(always)]
    unsafe fn dot(mut self, input: Self::Input, weights: *const i8) -> Self {
        for (column, sum) in self.0.iter_mut().enumerate() {
            for (i, x) in input.iter().enumerate() {
                *sum += x * i32::from(unsafe { weights.add(column * STEP + i).read() });
            }
        }
        self
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }

    #[inline(always)]
    unsafe fn finish(self, scale: f32, scales: *const f32, bias: *const f32, to: *mut f32, adds: bool) {
        for (i, sum) in self.0.into_iter().enumerate() {
            unsafe {
                let value = sum as f32 * (scale * scales.add(i).read()) + bias.add(i).read();
                let place = to.add(i);
                place.write(if adds { value + place.read() } else { value });
            }
        }
    }
}
