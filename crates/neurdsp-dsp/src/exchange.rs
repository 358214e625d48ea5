//! Between blocks of frames, one to a lane, and results that are rows over frames.
//!
//! Where a whole block goes to a result of the type that it was computed in, registers are stored as they are; a block
//! that is not full, or that must be rounded, goes value by value.
// Pointers lead into blocks and rows whose extents the safe functions check; `Isa` proves the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use crate::rows::Rows;
use crate::sample::{Input, Output, Sample};
use neurdsp_simd::{Isa, Lanes, Real, dispatch, prefetch};
use realfft::num_complex::Complex;
use std::any::TypeId;

/// Blocks whose rows are written or read together: a row of a long result has a page of memory to itself, and looking
/// that up costs more than the values of a single block.
///
/// Eight, or fewer where they would not fit into the second cache; a block has so many values.
pub(crate) fn blocks_together(block_len: usize) -> usize {
    (CACHED / block_len.max(1)).clamp(1, 8)
}

/// Values that a second cache of a megabyte holds beside the rest.
const CACHED: usize = 5 << 15;

/// Rows of some blocks, and where they are in a result. A kernel writes to one of the two and only reads the other.
#[derive(Clone, Copy)]
struct Exchange<T> {
    n_rows: usize,
    /// Blocks, whose frames follow each other in the result.
    n_blocks: usize,
    /// Values from one block to the next.
    block_step: usize,
    /// Frames in a block.
    lanes: usize,
    /// The real parts, or the only ones, `[n_blocks][n_rows][lanes]`.
    re: *mut T,
    /// The imaginary parts.
    im: *mut T,
    /// The first frame in the first row of the result.
    outside: *mut T,
    /// Distance of the rows of the result.
    step: usize,
}

/// Writes `count` frames of blocks, each `[n_rows][lanes]` and `block_step` values after the last, to `rows` from frame
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
    if same::<T, O>() && count == n_blocks * lanes {
        let (re, outside) = (blocks.as_ptr().cast_mut(), rows.block(first, count).cast::<T>());
        let (n_rows, step) = (rows.n_rows(), rows.step());
        let exchange = Exchange { n_rows, n_blocks, block_step, lanes, re, im: re, outside, step };
        run(exchange, store_f32, store_f64);
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

/// Reads `count` frames from `first` on of spectra, rows of `n_frames`, into blocks, `[n_blocks][n_rows][lanes]`, and zeros
/// into the other lanes. Says whether all that it has read is finite.
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
    if same::<T, I>() && count == n_blocks * lanes {
        let outside = spectra[first..].as_ptr().cast::<T>().cast_mut();
        let (re, im, step) = (re.as_mut_ptr(), im.as_mut_ptr(), 2 * n_frames);
        let exchange = Exchange { n_rows, n_blocks, block_step: block, lanes, re, im, outside, step };
        return run(exchange, unweave_f32, unweave_f64);
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

/// The samples in the type of the computation, if that is theirs.
pub(crate) fn as_computed<T: 'static, O: 'static>(samples: &mut [O]) -> Option<&mut [T]> {
    // SAFETY: it is the same type under another name.
    same::<T, O>()
        .then(|| unsafe { std::slice::from_raw_parts_mut(samples.as_mut_ptr().cast(), samples.len()) })
}

/// The real and imaginary parts as they lie in memory.
pub(crate) fn parts<I: Copy>(values: &[Complex<I>]) -> &[I] {
    // SAFETY: `Complex` is `repr(C)`: two values side by side.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), 2 * values.len()) }
}

/// Whether both are one type.
pub(crate) fn same<T: 'static, O: 'static>() -> bool {
    TypeId::of::<T>() == TypeId::of::<O>()
}

/// Calls the kernel of the type that `T` is.
fn run<T: Sample, R>(
    exchange: Exchange<T>,
    single: fn(Isa, Exchange<f32>) -> R,
    double: fn(Isa, Exchange<f64>) -> R,
) -> R {
    if same::<T, f32>() {
        single(Isa::detect(), exchange.cast())
    } else {
        double(Isa::detect(), exchange.cast())
    }
}

impl<T> Exchange<T> {
    fn cast<U>(self) -> Exchange<U> {
        let Exchange { n_rows, n_blocks, block_step, lanes, re, im, outside, step } = self;
        let (re, im, outside) = (re.cast(), im.cast(), outside.cast());
        Exchange { n_rows, n_blocks, block_step, lanes, re, im, outside, step }
    }
}

#[inline(always)]
unsafe fn store<V: Lanes>(e: Exchange<V::Element>) {
    unsafe {
        for row in 0..e.n_rows {
            let line = 64 / size_of::<V::Element>();
            let ahead = e.outside.wrapping_add((row + AHEAD) * e.step);
            for i in (0..e.n_blocks * e.lanes).step_by(line) {
                prefetch(ahead.wrapping_add(i));
            }
            for block in 0..e.n_blocks {
                let from = e.re.add(block * e.block_step + row * e.lanes);
                let to = e.outside.add(row * e.step + block * e.lanes);
                let mut lane = 0;
                while lane + V::LANES <= e.lanes {
                    V::load(from.add(lane)).store(to.add(lane));
                    lane += V::LANES;
                }
                for lane in lane..e.lanes {
                    *to.add(lane) = *from.add(lane);
                }
            }
        }
    }
}

/// Rows whose values are asked for ahead: those of a long spectrum are too far apart for the processor to guess.
const AHEAD: usize = 4;

#[inline(always)]
unsafe fn unweave<V: Lanes>(e: Exchange<V::Element>) -> bool {
    unsafe {
        let zero = V::splat(V::Element::from_f64(0.0));
        // Zero times a number is zero, unless the number is not finite.
        let (mut real_check, mut imaginary_check) = (zero, zero);
        for row in 0..e.n_rows {
            let line = 64 / size_of::<V::Element>();
            let ahead = e.outside.wrapping_add((row + AHEAD) * e.step);
            for i in (0..2 * e.n_blocks * e.lanes).step_by(line) {
                prefetch(ahead.wrapping_add(i));
            }
            for block in 0..e.n_blocks {
                let inside = block * e.block_step + row * e.lanes;
                let (re, im) = (e.re.add(inside), e.im.add(inside));
                let from = e.outside.add(row * e.step + 2 * block * e.lanes);
                let mut lane = 0;
                while lane + V::LANES <= e.lanes {
                    let low = V::load(from.add(2 * lane));
                    let (real, imaginary) = V::deinterleave(low, V::load(from.add(2 * lane + V::LANES)));
                    real_check = real.fma(zero, real_check);
                    imaginary_check = imaginary.fma(zero, imaginary_check);
                    real.store(re.add(lane));
                    imaginary.store(im.add(lane));
                    lane += V::LANES;
                }
                for lane in lane..e.lanes {
                    let (real, imaginary) = (*from.add(2 * lane), *from.add(2 * lane + 1));
                    real_check = V::splat(real).fma(zero, real_check);
                    imaginary_check = V::splat(imaginary).fma(zero, imaginary_check);
                    *re.add(lane) = real;
                    *im.add(lane) = imaginary;
                }
            }
        }
        real_check.add(imaginary_check).sum_lanes().to_f64() == 0.0
    }
}

dispatch! { fn store_f32(exchange: Exchange<f32>) = store }
dispatch! { fn store_f64(exchange: Exchange<f64>) = f64 store }
dispatch! { fn unweave_f32(exchange: Exchange<f32>) -> bool = unweave }
dispatch! { fn unweave_f64(exchange: Exchange<f64>) -> bool = f64 unweave }

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
