//! Complex transforms of a fixed small length, unrolled: the inner loops of a pass.
//!
//! A codelet of `P·Q` points is `Q` butterflies of `P` points, rotations, and `P` butterflies of `Q` points, with all
//! bounds known at compile time.
// Loads and stores are where the `Pass` says; whoever makes one vouches for it. The instruction set is proved by `Isa`.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::butterfly::{Complex, butterfly};
use super::phases::{Tap, weighted};
use super::roots;
use neurdsp_simd::{Isa, Lanes, Real};
use std::mem::MaybeUninit;

/// Where the transforms of one pass read and write. Strides and steps count complex numbers.
///
/// A complex number is a register of real parts followed by one of imaginary parts.
#[derive(Clone, Copy, Debug)]
pub struct Pass<T> {
    /// Transforms to do.
    pub(crate) count: usize,
    /// First input of the first transform, or a matrix of frames.
    pub(crate) from: *const T,
    /// Distance between a transform's inputs.
    pub(crate) from_stride: usize,
    /// Distance between the first inputs of two transforms.
    pub(crate) from_step: usize,
    /// Where in the matrix the inputs are, transform after transform; for [`Codelet::framed`] alone.
    pub(crate) taps: *const Tap<T>,
    /// First output of the first transform.
    pub(crate) to: *mut T,
    /// Distance between a transform's outputs.
    pub(crate) to_stride: usize,
    /// Distance between the first outputs of two transforms.
    pub(crate) to_step: usize,
    /// The rotations inside of the codelet: [`Codelet::roots`].
    pub(crate) inner: *const T,
    /// A rotation for each output, transform after transform; ignored by [`Codelet::plain`].
    pub(crate) outer: *const T,
}

/// A codelet of one length.
#[derive(Clone, Copy, Debug)]
pub struct Codelet<T> {
    /// Points in its first step; those of the second are the rest of its length.
    first: usize,
    second: usize,
    /// Transforms of columns of frames, whose outputs are rotated.
    pub(crate) framed: fn(Isa, Pass<T>),
    /// Transforms whose outputs are rotated.
    pub(crate) rotated: fn(Isa, Pass<T>),
    /// Transforms whose outputs are stored as they are.
    pub(crate) plain: fn(Isa, Pass<T>),
}

impl<T: Real> Codelet<T> {
    /// The rotations between the two steps.
    pub(crate) fn roots(&self) -> Vec<T> {
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

macro_rules! codelets {
    ($(($name:ident, $p:literal, $q:literal)),* $(,)?) => {
        $(
            mod $name {
                use super::*;
                #[inline(always)]
                unsafe fn framed<V: Lanes>(pass: Pass<V::Element>) {
                    unsafe { codelet::<V, $p, $q, { $p * $q }, true, true>(pass) }
                }
                #[inline(always)]
                unsafe fn rotated<V: Lanes>(pass: Pass<V::Element>) {
                    unsafe { codelet::<V, $p, $q, { $p * $q }, false, true>(pass) }
                }
                #[inline(always)]
                unsafe fn plain<V: Lanes>(pass: Pass<V::Element>) {
                    unsafe { codelet::<V, $p, $q, { $p * $q }, false, false>(pass) }
                }
                neurdsp_simd::kernels! {
                    /// The three entry points of one codelet.
                    pub trait Entry<T> {
                        fn framed(pass: Pass<T>) = framed;
                        fn rotated(pass: Pass<T>) = rotated;
                        fn plain(pass: Pass<T>) = plain;
                    }
                }
            }
        )*

        /// The lengths that codelets are compiled for.
        pub(crate) const LENGTHS: &[usize] = &[$($p * $q),*];

        /// A type that the codelets are compiled for.
        pub trait Codelets: Sized $(+ $name::Entry<Self>)* {
            /// The codelet of a length, if there is one.
            fn codelet(length: usize) -> Option<Codelet<Self>> {
                $(
                    if length == $p * $q {
                        return Some(Codelet {
                            first: $p,
                            second: $q,
                            framed: <Self as $name::Entry<Self>>::framed,
                            rotated: <Self as $name::Entry<Self>>::rotated,
                            plain: <Self as $name::Entry<Self>>::plain,
                        });
                    }
                )*
                None
            }
        }
    };
}

codelets! {
    (four, 1, 4), (eight, 1, 8), (ten, 2, 5), (fifteen, 3, 5), (sixteen, 4, 4), (twenty, 4, 5), (twenty_four, 3, 8),
    (twenty_five, 5, 5), (thirty_two, 4, 8), (forty_eight, 6, 8), (sixty_four, 8, 8),
}

impl Codelets for f32 {}
impl Codelets for f64 {}
