//! Complex transforms of a fixed small length, unrolled: the inner loops of a pass.
//!
//! A codelet of `P·Q` points is `Q` butterflies of `P` points, rotations, and `P` butterflies of `Q` points, all of whose
//! bounds the compiler knows.
// Loads and stores are where the `Pass` says; whoever makes one vouches for it. The instruction set is proved by `Isa`.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::butterfly::{Complex, butterfly};
use super::phases::{Tap, weighted};
use super::roots;
use neurdsp_simd::{Isa, Lanes, Real, dispatch};
use std::mem::MaybeUninit;

/// Where the transforms of one pass read and write. Strides and steps count complex numbers.
///
/// A complex number is a register of real parts followed by one of imaginary parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pass<T> {
    /// Transforms to do.
    pub(super) count: usize,
    /// First input of the first transform, or a matrix of frames.
    pub(super) from: *const T,
    /// Distance of a transform's inputs.
    pub(super) from_stride: usize,
    /// Distance of the first inputs of two transforms.
    pub(super) from_step: usize,
    /// Where in the matrix the inputs are, transform after transform; for [`Codelet::framed`] alone.
    pub(super) taps: *const Tap<T>,
    /// First output of the first transform.
    pub(super) to: *mut T,
    /// Distance of a transform's outputs.
    pub(super) to_stride: usize,
    /// Distance of the first outputs of two transforms.
    pub(super) to_step: usize,
    /// The rotations inside of the codelet: [`Codelet::roots`].
    pub(super) inner: *const T,
    /// A rotation for each output, transform after transform; ignored by [`Codelet::plain`].
    pub(super) outer: *const T,
}

/// A codelet of one length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Codelet<T> {
    /// Points in its first step; those of the second are the rest of its length.
    first: usize,
    second: usize,
    /// Transforms of columns of frames, whose outputs are rotated.
    pub(super) framed: fn(Isa, Pass<T>),
    /// Transforms whose outputs are rotated.
    pub(super) rotated: fn(Isa, Pass<T>),
    /// Transforms whose outputs are stored as they are.
    pub(super) plain: fn(Isa, Pass<T>),
}

impl<T: Real> Codelet<T> {
    /// The rotations between the two steps.
    pub(super) fn roots(&self) -> Vec<T> {
        let exponents = (0..self.first).flat_map(|p| (0..self.second).map(move |q| p * q));
        roots::table(self.first * self.second, exponents)
    }
}

#[inline(always)]
unsafe fn codelet<
    V: Lanes,
    const P: usize,
    const Q: usize,
    const N: usize,
    const FRAMED: bool,
    const ROTATED: bool,
>(
    pass: Pass<V::Element>,
) {
    unsafe {
        for column in 0..pass.count {
            let from = pass.from.add(2 * column * pass.from_step * V::LANES);
            let taps = pass.taps.wrapping_add(column * N);
            let to = pass.to.add(2 * column * pass.to_step * V::LANES);
            let outer = pass.outer.wrapping_add(2 * column * N);
            let mut middle: [MaybeUninit<Complex<V>>; N] = [MaybeUninit::uninit(); N];
            for q in 0..Q {
                let mut x = [Complex::zero(); P];
                for (p, x) in x.iter_mut().enumerate() {
                    let n = q + Q * p;
                    *x = if FRAMED {
                        weighted(pass.from, taps.add(n))
                    } else {
                        Complex::load(from, n * pass.from_stride)
                    };
                }
                let y = butterfly(x);
                middle[q].write(y[0]);
                for p in 1..P {
                    middle[p * Q + q].write(y[p].rotate(pass.inner.add(2 * (p * Q + q))));
                }
            }
            for p in 0..P {
                let mut x = [Complex::zero(); Q];
                for (q, x) in x.iter_mut().enumerate() {
                    *x = middle[p * Q + q].assume_init();
                }
                let y = butterfly(x);
                for (q, y) in y.into_iter().enumerate() {
                    let k = p + P * q;
                    let value = if ROTATED { y.rotate(outer.add(2 * k)) } else { y };
                    value.store(to, k * pass.to_stride);
                }
            }
        }
    }
}

/// The lengths that codelets are compiled for.
pub(super) const LENGTHS: [usize; 11] = [4, 8, 10, 15, 16, 20, 24, 25, 32, 48, 64];

/// The three entry points of one codelet.
macro_rules! entry {
    ($name:ident, $t:ty, [$($double:ident)?], $p:literal, $q:literal) => {
        mod $name {
            use super::*;
            #[inline(always)]
            unsafe fn framed_on<V: Lanes<Element = $t>>(pass: Pass<$t>) {
                unsafe { codelet::<V, $p, $q, { $p * $q }, true, true>(pass) }
            }
            #[inline(always)]
            unsafe fn rotated_on<V: Lanes<Element = $t>>(pass: Pass<$t>) {
                unsafe { codelet::<V, $p, $q, { $p * $q }, false, true>(pass) }
            }
            #[inline(always)]
            unsafe fn plain_on<V: Lanes<Element = $t>>(pass: Pass<$t>) {
                unsafe { codelet::<V, $p, $q, { $p * $q }, false, false>(pass) }
            }
            dispatch! { pub(super) fn framed(pass: Pass<$t>) = $($double)? framed_on }
            dispatch! { pub(super) fn rotated(pass: Pass<$t>) = $($double)? rotated_on }
            dispatch! { pub(super) fn plain(pass: Pass<$t>) = $($double)? plain_on }
        }
    };
}

macro_rules! codelets {
    ($module:ident, $t:ty, $double:tt, $(($name:ident, $p:literal, $q:literal)),*) => {
        pub(super) mod $module {
            use super::*;
            $(entry!($name, $t, $double, $p, $q);)*
            pub(in super::super) fn codelet_of(length: usize) -> Option<Codelet<$t>> {
                $(
                    if length == $p * $q {
                        let (framed, rotated, plain) = ($name::framed, $name::rotated, $name::plain);
                        return Some(Codelet { first: $p, second: $q, framed, rotated, plain });
                    }
                )*
                None
            }
        }
    };
    ($module:ident, $t:ty, $double:tt) => {
        codelets! {
            $module, $t, $double, (four, 1, 4), (eight, 1, 8), (ten, 2, 5), (fifteen, 3, 5), (sixteen, 4, 4),
            (twenty, 4, 5), (twenty_four, 3, 8), (twenty_five, 5, 5), (thirty_two, 4, 8), (forty_eight, 6, 8), (sixty_four, 8, 8)
        }
    };
}
codelets!(single, f32, []);
codelets!(double, f64, [f64]);
