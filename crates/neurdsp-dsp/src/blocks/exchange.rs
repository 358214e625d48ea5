//! Between blocks of frames, one frame to a lane, and results that are rows over frames.
//!
//! Where a whole block goes to a result of the type that it was computed in, registers are stored as they are; a block
//! that is not full, or that must be rounded, goes value by value.

use super::rows::Rows;
use crate::kernels::exchange::{Exchange, parts};
use crate::sample::{Input, Output, Sample, is_direct};
use neurdsp_simd::Isa;
use realfft::num_complex::Complex;

/// How many blocks of `block_len` values are written or read together: each row of a long result has its own page of
/// memory, and looking up the page costs more than the values of a single block.
///
/// Eight, or fewer if they would not fit into the second-level cache.
pub(crate) fn blocks_together(block_len: usize) -> usize {
    (CACHED / block_len.max(1)).clamp(1, 8)
}

/// Values that a second-level cache of a megabyte holds beside everything else.
const CACHED: usize = 5 << 15;

/// Writes `count` frames of blocks, each `[n_rows][lanes]` and `block_step` values after the previous, to `rows` from frame
/// `first` on.
pub(crate) fn put_values<T: Sample, O: Output<T>>(
    blocks: &[T],
    block_step: usize,
    lanes: usize,
    first: usize,
    count: usize,
    rows: &mut Rows<'_, O>,
) {
    let (n_blocks, block_len) = (count.div_ceil(lanes), rows.n_rows() * lanes);
    assert!(count > 0 && block_len <= block_step, "a block has as many rows as the result");
    assert!(
        blocks.len() >= (n_blocks - 1) * block_step + block_len,
        "there are fewer than {n_blocks} blocks"
    );
    if is_direct::<T, O>() && count == n_blocks * lanes {
        let (re, outside) = (blocks.as_ptr().cast_mut(), rows.block(first, count).cast::<T>());
        let (n_rows, step) = (rows.n_rows(), rows.step());
        let exchange = Exchange { n_rows, n_blocks, block_step, lanes, re, im: re, outside, step };
        T::store(Isa::detect(), exchange);
        return;
    }
    for (index, block) in blocks.chunks(block_step).take(n_blocks).enumerate() {
        let from = index * lanes;
        let wanted = first + from..first + count.clamp(from, from + lanes);
        for (row, values) in block.chunks_exact(lanes).take(rows.n_rows()).enumerate() {
            for (to, value) in rows.row(row)[wanted.clone()].iter_mut().zip(values) {
                *to = O::round_from(*value);
            }
        }
    }
}

/// Reads `count` frames from `first` on of spectra, rows of `n_frames`, into blocks, `[n_blocks][n_rows][lanes]`, with
/// zeros in the other lanes. Returns whether all that it read is finite.
pub(crate) fn take_spectra<I: Input<T>, T: Sample>(
    spectra: &[Complex<I>],
    n_frames: usize,
    first: usize,
    count: usize,
    lanes: usize,
    re: &mut [T],
    im: &mut [T],
) -> bool {
    let n_rows = spectra.len() / n_frames;
    let block = n_rows * lanes;
    let n_blocks = re.len() / block;
    assert!(first + count <= n_frames && spectra.len() == n_rows * n_frames);
    assert!(re.len() == im.len() && re.len() == n_blocks * block && count <= n_blocks * lanes);
    if let Some(outside) = I::direct(parts(&spectra[first..]))
        && count == n_blocks * lanes
    {
        let outside = outside.as_ptr().cast_mut();
        let (re, im, step) = (re.as_mut_ptr(), im.as_mut_ptr(), 2 * n_frames);
        let exchange = Exchange { n_rows, n_blocks, block_step: block, lanes, re, im, outside, step };
        return T::unweave(Isa::detect(), exchange);
    }
    let mut finite = true;
    for (index, (re, im)) in re.chunks_exact_mut(block).zip(im.chunks_exact_mut(block)).enumerate() {
        let from = index * lanes;
        let wanted = first + from..first + count.clamp(from, from + lanes);
        let rows = re.chunks_exact_mut(lanes).zip(im.chunks_exact_mut(lanes));
        for ((re, im), row) in rows.zip(spectra.chunks_exact(n_frames)) {
            re[wanted.len()..].fill(T::zero());
            im[wanted.len()..].fill(T::zero());
            finite &= I::all_within(parts(&row[wanted.clone()]), f64::MAX);
            for ((re, im), value) in re.iter_mut().zip(im).zip(&row[wanted.clone()]) {
                (*re, *im) = (value.re.convert(), value.im.convert());
            }
        }
    }
    finite
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spectra_come_into_their_lanes_and_are_checked() {
        let (lanes, n_frames, n_bins) = (16, 37, 3);
        let value = |i: usize| Complex::new(i as f32, -(i as f32));
        let single: Vec<Complex<f32>> = (0..n_bins * n_frames).map(value).collect();
        let double: Vec<Complex<f64>> =
            single.iter().map(|x| Complex::new(f64::from(x.re), f64::from(x.im))).collect();
        for (n_blocks, count) in [(1, 16), (2, 32), (2, 19), (1, 3)] {
            let fresh = || vec![7.0; n_blocks * n_bins * lanes];
            let (mut re, mut im) = (fresh(), fresh());
            assert!(take_spectra(&single, n_frames, 5, count, lanes, &mut re, &mut im));
            let (mut re_double, mut im_double): (Vec<f64>, Vec<f64>) =
                (re.iter().map(|_| 7.0).collect(), re.iter().map(|_| 7.0).collect());
            assert!(take_spectra(&double, n_frames, 5, count, lanes, &mut re_double, &mut im_double));
            for i in 0..re.len() {
                let (frame, bin) = (i / (n_bins * lanes) * lanes + i % lanes, i / lanes % n_bins);
                let wanted = if frame < count { (bin * n_frames + 5 + frame) as f32 } else { 0.0 };
                assert_eq!((re[i], im[i]), (wanted, -wanted), "{count} frames, at {i}");
                let wanted = f64::from(wanted);
                assert_eq!((re_double[i], im_double[i]), (wanted, -wanted), "{count} frames, at {i}");
            }
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let mut spoilt = single.clone();
                spoilt[2 * n_frames + 4 + count].im = bad;
                assert!(!take_spectra(&spoilt, n_frames, 5, count, lanes, &mut re, &mut im));
            }
        }
    }

    #[test]
    fn values_land_in_their_rows() {
        let (lanes, n_frames, step) = (16, 67, 5 * 16);
        let blocks: Vec<f32> = (0..2 * step).map(|i| i as f32).collect();
        for count in [16, 32, 3, 19] {
            let (mut single, mut double) = (vec![7.0f32; 3 * n_frames], vec![7.0f64; 3 * n_frames]);
            put_values(&blocks, step, lanes, 21, count, &mut Rows::whole(&mut single, n_frames));
            put_values(&blocks, step, lanes, 21, count, &mut Rows::whole(&mut double, n_frames));
            for (i, (single, double)) in single.iter().zip(&double).enumerate() {
                let (row, frame) = (i / n_frames, i % n_frames);
                let wanted = if (21..21 + count).contains(&frame) {
                    (((frame - 21) / lanes) * step + row * lanes + (frame - 21) % lanes) as f64
                } else {
                    7.0
                };
                assert_eq!((f64::from(*single), *double), (wanted, wanted), "{count} frames, at {i}");
            }
        }
    }
}
