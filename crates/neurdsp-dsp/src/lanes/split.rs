//! Between the spectrum of a real frame and that of the complex numbers that its samples make.
//!
//! With `Z` the transform of `m` complex numbers, `E[k] = (Z[k] + Z*[m - k]) / 2` is the spectrum of the even samples and
//! `O[k] = (Z[k] - Z*[m - k]) / 2i` that of the odd ones, and `X[k] = E[k] + exp(-2πi k / 2m) O[k]`. The halves are in the
//! window already. Bins `k` and `m - k` share all of the work.
// Loads and stores are where `Split` and `Join` say; whoever makes one vouches for it. `Isa` proves the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::butterfly::Complex;
use neurdsp_simd::{Lanes, Real, dispatch};

/// Some pairs of `Z[k]` and `Z[m - k]`, in memory in ascending and in descending order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Split<T> {
    /// Pairs.
    pub(super) count: usize,
    pub(super) ascending: *const T,
    pub(super) descending: *const T,
    /// `exp(-2πi k / 2m)` of each pair.
    pub(super) roots: *const T,
    /// `k` of the first pair. If it is zero, the first pair is `Z[0]` alone.
    pub(super) first: usize,
    /// Distance of `k` from pair to pair.
    pub(super) step: usize,
    /// `m`.
    pub(super) length: usize,
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
pub(crate) struct Magnitudes<T> {
    pub(super) to: *mut T,
    /// Only so many bins are wanted.
    pub(super) bins: usize,
    /// What is added to a square before its root is taken; squares stay as they are if none.
    pub(super) root: Option<T>,
}

/// The part that one bin has in two bands, one of which may be that past the last, which nobody reads.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Share<T> {
    pub(super) bands: [u32; 2],
    pub(super) weights: [T; 2],
}

/// Where the sums of bands are made, `[bands + 1][lanes]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BandSums<T> {
    /// The shares of both bins of a pair, in the order of the pairs.
    pub(super) shares: *const [Share<T>; 2],
    pub(super) sums: *mut T,
    /// As in [`Magnitudes`].
    pub(super) root: Option<T>,
}

/// The magnitudes of both bins of a pair.
#[inline(always)]
unsafe fn magnitudes<V: Lanes, const ROOT: bool>(split: &Split<V::Element>, pair: usize, eps: V) -> (V, V) {
    unsafe {
        let (x, y) = bins::<V>(split, pair);
        let (x, y) = (x.re.fma(x.re, x.im.mul(x.im)), y.re.fma(y.re, y.im.mul(y.im)));
        if ROOT { (x.add(eps).sqrt(), y.add(eps).sqrt()) } else { (x, y) }
    }
}

#[inline(always)]
unsafe fn magnitudes_on<V: Lanes>(split: Split<V::Element>, out: Magnitudes<V::Element>) {
    unsafe {
        match out.root {
            Some(eps) => put_magnitudes::<V, true>(split, out, eps),
            None => put_magnitudes::<V, false>(split, out, V::Element::from_f64(0.0)),
        }
    }
}

#[inline(always)]
unsafe fn put_magnitudes<V: Lanes, const ROOT: bool>(
    split: Split<V::Element>,
    out: Magnitudes<V::Element>,
    eps: V::Element,
) {
    unsafe {
        let eps = V::splat(eps);
        for pair in 0..split.count {
            let k = split.first + pair * split.step;
            let opposite = split.length - k;
            let (x, y) = magnitudes::<V, ROOT>(&split, pair, eps);
            if k < out.bins {
                x.store(out.to.add(k * V::LANES));
            }
            if opposite < out.bins {
                y.store(out.to.add(opposite * V::LANES));
            }
        }
    }
}

#[inline(always)]
unsafe fn bands_on<V: Lanes>(split: Split<V::Element>, out: BandSums<V::Element>) {
    unsafe {
        match out.root {
            Some(eps) => add_to_bands::<V, true>(split, out, eps),
            None => add_to_bands::<V, false>(split, out, V::Element::from_f64(0.0)),
        }
    }
}

#[inline(always)]
unsafe fn add_to_bands<V: Lanes, const ROOT: bool>(
    split: Split<V::Element>,
    out: BandSums<V::Element>,
    eps: V::Element,
) {
    unsafe {
        let eps = V::splat(eps);
        for pair in 0..split.count {
            let (x, y) = magnitudes::<V, ROOT>(&split, pair, eps);
            let [of_x, of_y] = &*out.shares.add(pair);
            for (value, share) in [(x, of_x), (y, of_y)] {
                for (band, weight) in share.bands.into_iter().zip(share.weights) {
                    let sum = out.sums.add(band as usize * V::LANES);
                    value.fma(V::splat(weight), V::load(sum)).store(sum);
                }
            }
        }
    }
}

/// Spectra, `[bins][lanes]`, to be multiplied by twice the gradients over their powers, which come from those over bands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pull<T> {
    /// Of each bin.
    pub(super) shares: *const Share<T>,
    pub(super) bins: usize,
    /// `[bands + 1][lanes]`; the last row is zero.
    pub(super) gradient: *const T,
    pub(super) re: *mut T,
    pub(super) im: *mut T,
}

#[inline(always)]
unsafe fn pull_on<V: Lanes>(pull: Pull<V::Element>) {
    unsafe {
        for bin in 0..pull.bins {
            let share = &*pull.shares.add(bin);
            let mut factor = V::splat(V::Element::from_f64(0.0));
            for (band, weight) in share.bands.into_iter().zip(share.weights) {
                factor = V::load(pull.gradient.add(band as usize * V::LANES)).fma(V::splat(weight), factor);
            }
            factor = factor.add(factor);
            for part in [pull.re, pull.im] {
                let at = part.add(bin * V::LANES);
                V::load(at).mul(factor).store(at);
            }
        }
    }
}

/// Where spectra go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<T> {
    pub(super) re: *mut T,
    pub(super) im: *mut T,
    /// Values from one bin to the next.
    pub(super) step: usize,
}

#[inline(always)]
unsafe fn spectrum_on<V: Lanes>(split: Split<V::Element>, out: Parts<V::Element>) {
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
pub(crate) struct Join<T> {
    /// `m`.
    pub(super) length: usize,
    /// `exp(-2πi k / 2m)` for `k` up to `m / 2`.
    pub(super) roots: *const T,
    pub(super) re: *const T,
    pub(super) im: *const T,
    /// Where `2 Z` goes, with its parts exchanged: a forward transform of that is the inverse one, exchanged.
    pub(super) to: *mut T,
}

#[inline(always)]
unsafe fn join_on<V: Lanes>(join: Join<V::Element>) {
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

macro_rules! splits {
    ($module:ident, $t:ty $(, $double:ident)?) => {
        pub(super) mod $module {
            use super::*;
            dispatch! {
                pub(in super::super) fn magnitudes(split: Split<$t>, out: Magnitudes<$t>) = $($double)? magnitudes_on
            }
            dispatch! { pub(in super::super) fn bands(split: Split<$t>, out: BandSums<$t>) = $($double)? bands_on }
            dispatch! {
                pub(in super::super) fn spectrum(split: Split<$t>, out: Parts<$t>) = $($double)? spectrum_on
            }
            dispatch! { pub(in super::super) fn pull(pull: Pull<$t>) = $($double)? pull_on }
            dispatch! { pub(in super::super) fn join(join: Join<$t>) = $($double)? join_on }
        }
    };
}
splits!(single, f32);
splits!(double, f64, f64);
