//! Between the spectrum of a real frame and that of the complex numbers that its samples make.
//!
//! With `Z` the transform of `m` complex numbers, `E[k] = (Z[k] + Z*[m - k]) / 2` is the spectrum of the even samples and
//! `O[k] = (Z[k] - Z*[m - k]) / 2i` that of the odd ones, and `X[k] = E[k] + exp(-2πi k / 2m) O[k]`. The halves are in the
//! window already. Bins `k` and `m - k` share all the work.
// Loads and stores are where `Split` and `Join` say; whoever makes one vouches for it. `Isa` proves the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::butterfly::Complex;
use neurdsp_simd::{Lanes, Real};

/// Some pairs of `Z[k]` and `Z[m - k]`, in memory in ascending and in descending order.
#[derive(Clone, Copy, Debug)]
pub struct Split<T> {
    /// Pairs.
    pub(crate) count: usize,
    pub(crate) ascending: *const T,
    pub(crate) descending: *const T,
    /// `exp(-2πi k / 2m)` of each pair.
    pub(crate) roots: *const T,
    /// `k` of the first pair. If it is zero, the first pair is `Z[0]` alone.
    pub(crate) first: usize,
    /// Distance in `k` from pair to pair.
    pub(crate) step: usize,
    /// `m`.
    pub(crate) length: usize,
}

/// `X[k]` and `X*[m - k]`, from `Z[k]` and `Z[m - k]`.
#[inline(always)]
unsafe fn bins<V: Lanes>(split: &Split<V::Element>, pair: usize) -> (Complex<V>, Complex<V>) {
    unsafe {
        let a = Complex::<V>::load(split.ascending, pair);
        if split.first == 0 && pair == 0 {
            let (even, odd) = (a.re.add(a.re), a.im.add(a.im));
            let zero = V::splat(V::Element::from_f64(0.0));
            return (Complex { re: even.add(odd), im: zero }, Complex { re: even.sub(odd), im: zero });
        }
        let b = Complex::<V>::load(split.descending.wrapping_sub(2 * pair * V::LANES), 0);
        let even = Complex { re: a.re.add(b.re), im: a.im.sub(b.im) };
        let odd = Complex { re: a.im.add(b.im), im: b.re.sub(a.re) }.rotate(split.roots.add(2 * pair));
        (
            Complex { re: even.re.add(odd.re), im: even.im.add(odd.im) },
            Complex { re: even.re.sub(odd.re), im: even.im.sub(odd.im) },
        )
    }
}

/// Where magnitudes go, `[bins][lanes]`.
#[derive(Clone, Copy, Debug)]
pub struct Magnitudes<T> {
    pub(crate) to: *mut T,
    /// How many bins are wanted.
    pub(crate) bins: usize,
    /// Added to a square before its root is taken; `None` leaves squares as they are.
    pub(crate) root: Option<T>,
}

/// Takes the magnitudes of both bins of each pair.
pub(super) trait Sink<V: Lanes> {
    unsafe fn put(&self, split: &Split<V::Element>, pair: usize, x: V, y: V);
}

/// Hands the magnitudes of all pairs to `sink`: squares, or with `root` added to them and roots taken.
#[inline(always)]
pub(super) unsafe fn each_magnitude<V: Lanes>(
    split: Split<V::Element>,
    root: Option<V::Element>,
    sink: &impl Sink<V>,
) {
    unsafe {
        match root {
            Some(eps) => each_magnitude_of::<V, true>(split, eps, sink),
            None => each_magnitude_of::<V, false>(split, V::Element::default(), sink),
        }
    }
}

#[inline(always)]
unsafe fn each_magnitude_of<V: Lanes, const ROOT: bool>(
    split: Split<V::Element>,
    eps: V::Element,
    sink: &impl Sink<V>,
) {
    unsafe {
        let eps = V::splat(eps);
        for pair in 0..split.count {
            let (x, y) = bins::<V>(&split, pair);
            let (x, y) = (x.re.fma(x.re, x.im.mul(x.im)), y.re.fma(y.re, y.im.mul(y.im)));
            let (x, y) = if ROOT { (x.add(eps).sqrt(), y.add(eps).sqrt()) } else { (x, y) };
            sink.put(&split, pair, x, y);
        }
    }
}

impl<V: Lanes> Sink<V> for Magnitudes<V::Element> {
    #[inline(always)]
    unsafe fn put(&self, split: &Split<V::Element>, pair: usize, x: V, y: V) {
        unsafe {
            let k = split.first + pair * split.step;
            let opposite = split.length - k;
            if k < self.bins {
                x.store(self.to.add(k * V::LANES));
            }
            if opposite < self.bins {
                y.store(self.to.add(opposite * V::LANES));
            }
        }
    }
}

#[inline(always)]
pub(crate) unsafe fn magnitudes<V: Lanes>(split: Split<V::Element>, out: Magnitudes<V::Element>) {
    unsafe { each_magnitude::<V>(split, out.root, &out) }
}

/// Where spectra go.
#[derive(Clone, Copy, Debug)]
pub struct Parts<T> {
    pub(crate) re: *mut T,
    pub(crate) im: *mut T,
    /// Values from one bin to the next.
    pub(crate) step: usize,
}

#[inline(always)]
pub(crate) unsafe fn spectrum<V: Lanes>(split: Split<V::Element>, out: Parts<V::Element>) {
    unsafe {
        for pair in 0..split.count {
            let k = split.first + pair * split.step;
            let (x, y) = bins::<V>(&split, pair);
            let (at, opposite) = (k * out.step, (split.length - k) * out.step);
            x.re.store(out.re.add(at));
            x.im.store(out.im.add(at));
            y.re.store(out.re.add(opposite));
            V::splat(V::Element::from_f64(0.0)).sub(y.im).store(out.im.add(opposite));
        }
    }
}

/// The way back: `Z` from the `m + 1` bins of a real spectrum, real and imaginary parts apart.
#[derive(Clone, Copy, Debug)]
pub struct Join<T> {
    /// `m`.
    pub(crate) length: usize,
    /// `exp(-2πi k / 2m)` for `k` up to `m / 2`.
    pub(crate) roots: *const T,
    pub(crate) re: *const T,
    pub(crate) im: *const T,
    /// Where `2 Z` goes, with its parts exchanged: a forward transform of that is the inverse transform, exchanged.
    pub(crate) to: *mut T,
}

#[inline(always)]
pub(crate) unsafe fn join<V: Lanes>(join: Join<V::Element>) {
    unsafe {
        // The first and the last bin of a real spectrum are real.
        let (first, last) = (bin::<V>(&join, 0).re, bin::<V>(&join, join.length).re);
        Complex { re: first.sub(last), im: first.add(last) }.store(join.to, 0);
        for k in 1..=join.length / 2 {
            let (x, y) = (bin::<V>(&join, k), bin::<V>(&join, join.length - k));
            let even = Complex { re: x.re.add(y.re), im: x.im.sub(y.im) };
            let twice = Complex { re: x.re.sub(y.re), im: x.im.add(y.im) };
            let root = join.roots.add(2 * k);
            let (cos, sin) = (V::splat(*root), V::splat(*root.add(1)));
            let odd = Complex {
                re: twice.re.fma(cos, twice.im.mul(sin)),
                im: twice.im.fms(cos, twice.re.mul(sin)),
            };
            Complex { re: even.im.add(odd.re), im: even.re.sub(odd.im) }.store(join.to, k);
            Complex { re: odd.re.sub(even.im), im: even.re.add(odd.im) }.store(join.to, join.length - k);
        }
    }
}

#[inline(always)]
unsafe fn bin<V: Lanes>(join: &Join<V::Element>, k: usize) -> Complex<V> {
    unsafe { Complex { re: V::load(join.re.add(k * V::LANES)), im: V::load(join.im.add(k * V::LANES)) } }
}
