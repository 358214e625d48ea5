//! Taking frames out of the lanes: overlap-add in the polyphase form of the signal.
//!
//! As frames come in (`phases`), so they go out: sample `k·hop + s` of the frame in a lane belongs to position `s` of the hop
//! `k` columns further on, so that all lanes are added to a matrix of positions over hops at once. A hop is complete when
//! the last frame that reaches it has been added, and only then turned into the order of time: each sample of the signal
//! once, however many frames overlap. The frames are added in the order of time, so that a sample is the same sum
//! wherever a block begins.
// Loads and stores are where `Add` and `Emit` say; whoever makes one vouches for it. `Isa` proves the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use neurdsp_simd::{Lanes, Real, dispatch, opaque};

/// Frames to be windowed and added.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Add<T> {
    /// The complex numbers of an inverse transform, parts exchanged: the even samples are their imaginary parts.
    pub(super) from: *const T,
    pub(super) n_fft: usize,
    /// One weight for each sample of a frame.
    pub(super) window: *const T,
    pub(super) sums: *mut T,
    /// Positions in a hop.
    pub(super) rows: usize,
    /// Values from one row of the sums to the next.
    pub(super) width: usize,
}

#[inline(always)]
unsafe fn add_on<V: Lanes>(add: Add<V::Element>) {
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

/// Hops to be handed over, as many as there are lanes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Emit<T> {
    pub(super) sums: *mut T,
    pub(super) rows: usize,
    pub(super) width: usize,
    /// What each position is multiplied by, or null.
    pub(super) weights: *const T,
    /// The first sample of the first hop.
    pub(super) to: *mut T,
    /// Distance of the hops.
    pub(super) stride: usize,
}

#[inline(always)]
unsafe fn weight<V: Lanes>(weights: *const V::Element, row: usize) -> V {
    unsafe { V::splat(if weights.is_null() { V::Element::from_f64(1.0) } else { *weights.add(row) }) }
}

#[inline(always)]
unsafe fn emit_on<V: Lanes>(emit: Emit<V::Element>) {
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
        // What later hops have so far moves to the front.
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

macro_rules! overlap {
    ($module:ident, $t:ty $(, $double:ident)?) => {
        pub(super) mod $module {
            use super::*;
            dispatch! { pub(in super::super) fn add(add: Add<$t>) = $($double)? add_on }
            dispatch! { pub(in super::super) fn emit(emit: Emit<$t>) = $($double)? emit_on }
        }
    };
}
overlap!(single, f32);
overlap!(double, f64, f64);
