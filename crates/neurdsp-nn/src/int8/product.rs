//! The product at the bottom of [`Int8Dense`](super::Int8Dense): a vector of integers times a matrix of integers.
//!
//! A step of the inner loop broadcasts four integers of the vector and multiplies them with four weights of each output, whose
//! products it adds to a 32-bit sum. That is one instruction where the processor has VNNI. AVX2 multiplies unsigned with signed
//! bytes and adds pairs in 16 bits, so it takes the magnitudes of the vector and moves the signs to the weights: as both
//! are within ±127, a pair is at most 32 258, and nothing saturates.
// Tiles stay within the extents that `Int8Dense` has checked; the caller vouches for the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::row::Row;
use super::tile::{STEP, Sums, Tile, columns_of};
use neurdsp_simd::Isa;

/// Outputs are padded to a multiple of this.
pub(super) const LANES: usize = 16;
/// Outputs of a tile.
pub(super) const MAX_COLUMNS: usize = 64;
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
