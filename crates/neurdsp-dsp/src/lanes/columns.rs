//! Bringing frames out of the lanes.
//!
//! A real frame is taken as complex numbers: samples `2n` and `2n + 1` are the real and the imaginary part of number `n`.
// Loads and stores are where `Store` says; whoever makes one vouches for it. `Isa` proves the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::butterfly::Complex;
use neurdsp_simd::{Lanes, dispatch, opaque};

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
            V::store_chunk(chunk, store.frames.add(2 * n), opaque(2 * store.length));
        }
    }
}

macro_rules! columns {
    ($module:ident, $t:ty $(, $double:ident)?) => {
        pub(super) mod $module {
            use super::*;
            dispatch! { pub(in super::super) fn store(store: Store<$t>) = $($double)? store_on }
        }
    };
}
columns!(single, f32);
columns!(double, f64, f64);
