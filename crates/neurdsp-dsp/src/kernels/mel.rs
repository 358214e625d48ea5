//! The mel kernel: sums of bins over the bands of a filterbank, and its transpose.
// Each kernel stays inside the slices whose lengths its first lines check; the instruction set is proved by `Isa`.
#![allow(clippy::undocumented_unsafe_blocks)]

use crate::mel::Bands;
use neurdsp_simd::{Lanes, Real};

/// For each band, the sum of its rows (`lanes` values each) times its weights.
///
/// Every lane is summed on its own and in the order of the rows, so that the width of a register changes no bit.
#[inline(always)]
pub(super) unsafe fn band_sums<V: Lanes>(
    bands: &Bands<V::Element>,
    rows: &[V::Element],
    lanes: usize,
    sums: &mut [V::Element],
) {
    for (band, sum) in bands.iter().zip(sums.chunks_exact_mut(lanes)) {
        let rows = &rows[band.first * lanes..(band.first + band.weights.len()) * lanes];
        let mut lane = 0;
        while lane + V::LANES <= lanes {
            unsafe {
                let mut total = V::splat(V::Element::default());
                for (i, weight) in band.weights.iter().enumerate() {
                    total = V::load(rows.as_ptr().add(i * lanes + lane)).fma(V::splat(*weight), total);
                }
                total.store(sum.as_mut_ptr().add(lane));
            }
            lane += V::LANES;
        }
        for lane in lane..lanes {
            let weighted = band.weights.iter().zip(rows.chunks_exact(lanes));
            sum[lane] = weighted
                .fold(V::Element::default(), |total, (weight, row)| row[lane].mul_add(*weight, total));
        }
    }
}

/// The transpose of the band sums: adds to the rows of each band its sum times the weights.
///
/// Every lane on its own and in the order of the bands, as in [`band_sums`].
#[inline(always)]
pub(super) unsafe fn band_spread<V: Lanes>(
    bands: &Bands<V::Element>,
    sums: &[V::Element],
    lanes: usize,
    rows: &mut [V::Element],
) {
    for (band, sum) in bands.iter().zip(sums.chunks_exact(lanes)) {
        let rows = &mut rows[band.first * lanes..(band.first + band.weights.len()) * lanes];
        let mut lane = 0;
        while lane + V::LANES <= lanes {
            unsafe {
                let sum = V::load(sum.as_ptr().add(lane));
                for (i, weight) in band.weights.iter().enumerate() {
                    let row = rows.as_mut_ptr().add(i * lanes + lane);
                    sum.fma(V::splat(*weight), V::load(row)).store(row);
                }
            }
            lane += V::LANES;
        }
        for lane in lane..lanes {
            for (weight, row) in band.weights.iter().zip(rows.chunks_exact_mut(lanes)) {
                row[lane] = sum[lane].mul_add(*weight, row[lane]);
            }
        }
    }
}
