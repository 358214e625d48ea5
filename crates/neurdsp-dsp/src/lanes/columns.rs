//! Bringing windowed frames into the lanes, and back.
//!
//! A real frame is taken as complex numbers: samples `2n` and `2n + 1` are the real and the imaginary part of number `n`.
// Loads and stores are where `Load` and `Store` say; whoever makes one vouches for it. `Isa` proves the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::butterfly::Complex;
use neurdsp_simd::{Lanes, dispatch};

/// Some columns of the frames, seen as matrices of `rows` rows whose first elements are `row_samples` apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load<T> {
    /// First sample of the frame of lane 0.
    pub(super) samples: *const T,
    /// Distance of the frames in samples.
    pub(super) stride: usize,
    /// One weight for each sample of a frame.
    pub(super) window: *const T,
    pub(super) rows: usize,
    pub(super) row_samples: usize,
    /// First complex column, and their number; both even.
    pub(super) first: usize,
    pub(super) columns: usize,
    /// Where the columns go, one after the other.
    pub(super) to: *mut T,
}

#[inline(always)]
unsafe fn load_on<V: Lanes>(load: Load<V::Element>) {
    unsafe {
        for row in 0..load.rows {
            for column in (0..load.columns).step_by(2) {
                let at = 2 * (load.first + column) + row * load.row_samples;
                let [a, b, c, d] =
                    weighted(V::load_chunk(load.samples.add(at), load.stride), load.window.add(at));
                Complex { re: a, im: b }.store(load.to, column * load.rows + row);
                Complex { re: c, im: d }.store(load.to, (column + 1) * load.rows + row);
            }
        }
    }
}

#[inline(always)]
unsafe fn weighted<V: Lanes>(samples: [V; 4], weights: *const V::Element) -> [V; 4] {
    unsafe {
        let [a, b, c, d] = samples;
        [
            a.mul(V::splat(*weights)),
            b.mul(V::splat(*weights.add(1))),
            c.mul(V::splat(*weights.add(2))),
            d.mul(V::splat(*weights.add(3))),
        ]
    }
}

/// Whole frames, from the complex numbers of an inverse transform whose parts are exchanged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Store<T> {
    pub(super) from: *const T,
    /// Complex numbers in a frame; even.
    pub(super) length: usize,
    /// One weight for each sample of a frame.
    pub(super) window: *const T,
    /// Frames of twice `length` samples, one after the other.
    pub(super) frames: *mut T,
}

#[inline(always)]
unsafe fn store_on<V: Lanes>(store: Store<V::Element>) {
    unsafe {
        for n in (0..store.length).step_by(2) {
            let (a, b) = (Complex::<V>::load(store.from, n), Complex::<V>::load(store.from, n + 1));
            let weight = |s: usize| V::splat(*store.window.add(2 * n + s));
            let chunk = [a.im.mul(weight(0)), a.re.mul(weight(1)), b.im.mul(weight(2)), b.re.mul(weight(3))];
            V::store_chunk(chunk, store.frames.add(2 * n), 2 * store.length);
        }
    }
}

macro_rules! columns {
    ($module:ident, $t:ty $(, $double:ident)?) => {
        pub(super) mod $module {
            use super::*;
            dispatch! { pub(in super::super) fn load(load: Load<$t>) = $($double)? load_on }
            dispatch! { pub(in super::super) fn store(store: Store<$t>) = $($double)? store_on }
        }
    };
}
columns!(single, f32);
columns!(double, f64, f64);
