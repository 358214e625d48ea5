//! Between blocks of frames, one frame to a lane, and results that are rows over frames.
// Pointers lead into blocks and rows whose extents `blocks::exchange` checks; `Isa` proves the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use neurdsp_simd::{Lanes, Real, prefetch};
use realfft::num_complex::Complex;

/// The rows of some blocks, and their place in a result. A kernel writes one of the two and reads the other.
#[derive(Clone, Copy)]
pub struct Exchange<T> {
    pub(crate) n_rows: usize,
    /// Blocks, whose frames are consecutive in the result.
    pub(crate) n_blocks: usize,
    /// Values from one block to the next.
    pub(crate) block_step: usize,
    /// Frames in a block.
    pub(crate) lanes: usize,
    /// The real parts, or the only parts, `[n_blocks][n_rows][lanes]`.
    pub(crate) re: *mut T,
    /// The imaginary parts.
    pub(crate) im: *mut T,
    /// The first frame in the first row of the result.
    pub(crate) outside: *mut T,
    /// Distance between rows of the result.
    pub(crate) step: usize,
}

#[inline(always)]
pub(super) unsafe fn store<V: Lanes>(e: Exchange<V::Element>) {
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

/// How many rows ahead to prefetch: rows of a long spectrum are too far apart for the processor to predict.
const AHEAD: usize = 4;

#[inline(always)]
pub(super) unsafe fn unweave<V: Lanes>(e: Exchange<V::Element>) -> bool {
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

/// The real and imaginary parts as they lie in memory.
pub(crate) fn parts<I: Copy>(values: &[Complex<I>]) -> &[I] {
    // SAFETY: `Complex` is `repr(C)`: two values side by side.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), 2 * values.len()) }
}
