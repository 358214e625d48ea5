//! Taking frames out of the lanes: overlap-add in the polyphase form of the signal.
//!
//! Frames go out as they come in (`phases`): sample `k·hop + s` of the frame in a lane belongs to position `s` of the hop
//! `k` columns further on, so that all lanes are added to a matrix of positions over hops at once. A hop is complete when
//! the last frame that reaches it has been added, and only then turned into the order of time: each sample of the signal
//! once, however many frames overlap. The frames are added in the order of time, so that a sample is the same sum
//! wherever a block begins.
// Loads and stores are where `Add` and `Emit` say; whoever makes one vouches for it. `Isa` proves the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use neurdsp_simd::{Lanes, Real, opaque};

/// Frames to be windowed and added.
#[derive(Clone, Copy, Debug)]
pub struct Add<T> {
    /// The complex numbers of an inverse transform, parts exchanged: the even samples are their imaginary parts.
    pub(crate) from: *const T,
    pub(crate) n_fft: usize,
    /// One weight for each sample of a frame.
    pub(crate) window: *const T,
    pub(crate) sums: *mut T,
    /// Positions in a hop.
    pub(crate) rows: usize,
    /// Values from one row of the sums to the next.
    pub(crate) width: usize,
}

#[inline(always)]
pub(crate) unsafe fn add<V: Lanes>(add: Add<V::Element>) {
    unsafe {
        // The hop that a frame reaches last is the one in which it is the earliest.
        for column in (0..add.n_fft.div_ceil(add.rows)).rev() {
            let first = column * add.rows;
            for row in 0..add.rows.min(add.n_fft - first) {
                let sample = first + row;
                let sum = add.sums.add(row * add.width + column);
                // Two samples are a number, of which the imaginary part comes first in time and last in memory.
                let value = V::load(add.from.add((sample ^ 1) * V::LANES));
                value.fma(V::splat(*add.window.add(sample)), V::load(sum)).store(sum);
            }
        }
    }
}

/// Complete hops to be written, as many as there are lanes.
#[derive(Clone, Copy, Debug)]
pub struct Emit<T> {
    pub(crate) sums: *mut T,
    pub(crate) rows: usize,
    pub(crate) width: usize,
    /// A factor for each position, or null.
    pub(crate) weights: *const T,
    /// The first sample of the first hop.
    pub(crate) to: *mut T,
    /// Distance between hops.
    pub(crate) stride: usize,
}

#[inline(always)]
unsafe fn weight<V: Lanes>(weights: *const V::Element, row: usize) -> V {
    unsafe { V::splat(if weights.is_null() { V::Element::from_f64(1.0) } else { *weights.add(row) }) }
}

#[inline(always)]
pub(crate) unsafe fn emit<V: Lanes>(emit: Emit<V::Element>) {
    unsafe {
        let Emit { sums, rows, width, weights, to, stride } = emit;
        let mut row = 0;
        while row + 4 <= rows {
            let mut chunk = [V::splat(V::Element::from_f64(0.0)); 4];
            for (i, values) in chunk.iter_mut().enumerate() {
                *values = V::load(sums.add((row + i) * width)).mul(weight(weights, row + i));
            }
            V::store_chunk(chunk, to.add(row), opaque(stride));
            row += 4;
        }
        for row in row..rows {
            let mut values = [V::Element::from_f64(0.0); 16];
            V::load(sums.add(row * width)).mul(weight(weights, row)).store(values.as_mut_ptr());
            for (lane, value) in values.iter().take(V::LANES).enumerate() {
                *to.add(lane * stride + row) = *value;
            }
        }
        // The sums of later hops move to the front.
        for row in 0..rows {
            let start = sums.add(row * width);
            let mut column = V::LANES;
            while column + V::LANES <= width {
                V::load(start.add(column)).store(start.add(column - V::LANES));
                column += V::LANES;
            }
            for column in column..width {
                *start.add(column - V::LANES) = *start.add(column);
            }
            V::splat(V::Element::from_f64(0.0)).store(start.add(width - V::LANES));
        }
    }
}
