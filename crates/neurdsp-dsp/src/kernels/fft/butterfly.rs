//! Complex numbers in registers, and their transforms of 2, 3, 4, 5, 6 and 8 points.
// Arithmetic on registers only; each function is inlined into one that has the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use neurdsp_simd::{Lanes, Real};

/// One complex number in every lane.
#[derive(Clone, Copy)]
pub(super) struct Complex<V> {
    pub(super) re: V,
    pub(super) im: V,
}

impl<V: Lanes> Complex<V> {
    #[inline(always)]
    pub(super) unsafe fn zero() -> Self {
        unsafe { Self { re: splat(0.0), im: splat(0.0) } }
    }

    /// The complex number at `index` of an array of them, each a register of real parts and one of imaginary parts.
    #[inline(always)]
    pub(super) unsafe fn load(from: *const V::Element, index: usize) -> Self {
        unsafe {
            let at = from.add(2 * index * V::LANES);
            Self { re: V::load(at), im: V::load(at.add(V::LANES)) }
        }
    }

    /// Writes what [`load`](Self::load) reads.
    #[inline(always)]
    pub(super) unsafe fn store(self, to: *mut V::Element, index: usize) {
        unsafe {
            let at = to.add(2 * index * V::LANES);
            self.re.store(at);
            self.im.store(at.add(V::LANES));
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        unsafe { Self { re: self.re.add(other.re), im: self.im.add(other.im) } }
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        unsafe { Self { re: self.re.sub(other.re), im: self.im.sub(other.im) } }
    }

    /// `self - i other`.
    #[inline(always)]
    unsafe fn sub_i(self, other: Self) -> Self {
        unsafe { Self { re: self.re.add(other.im), im: self.im.sub(other.re) } }
    }

    /// `self + i other`.
    #[inline(always)]
    unsafe fn add_i(self, other: Self) -> Self {
        unsafe { Self { re: self.re.sub(other.im), im: self.im.add(other.re) } }
    }

    /// `self * factor + term` for a real factor.
    #[inline(always)]
    unsafe fn fma(self, factor: V, term: Self) -> Self {
        unsafe { Self { re: self.re.fma(factor, term.re), im: self.im.fma(factor, term.im) } }
    }

    #[inline(always)]
    unsafe fn scale(self, factor: V) -> Self {
        unsafe { Self { re: self.re.mul(factor), im: self.im.mul(factor) } }
    }

    /// `self` times the root at `root`: its real part, then its imaginary part.
    #[inline(always)]
    pub(super) unsafe fn rotate(self, root: *const V::Element) -> Self {
        unsafe {
            let (re, im) = (V::splat(*root), V::splat(*root.add(1)));
            Self { re: self.re.fms(re, self.im.mul(im)), im: self.re.fma(im, self.im.mul(re)) }
        }
    }
}

#[inline(always)]
unsafe fn splat<V: Lanes>(value: f64) -> V {
    unsafe { V::splat(V::Element::from_f64(value)) }
}

/// The forward transform of `N` points.
#[inline(always)]
pub(super) unsafe fn butterfly<V: Lanes, const N: usize>(x: [Complex<V>; N]) -> [Complex<V>; N] {
    let mut y = x;
    unsafe {
        match N {
            1 => {}
            2 => (y[0], y[1]) = (x[0].add(x[1]), x[0].sub(x[1])),
            3 => [y[0], y[1], y[2]] = three([x[0], x[1], x[2]]),
            4 => [y[0], y[1], y[2], y[3]] = four([x[0], x[1], x[2], x[3]]),
            5 => [y[0], y[1], y[2], y[3], y[4]] = five([x[0], x[1], x[2], x[3], x[4]]),
            6 => {
                // Two and three are coprime: the prime-factor order of the inputs needs no rotations.
                let even = three([x[0], x[2], x[4]]);
                let odd = three([x[3], x[5], x[1]]);
                (y[0], y[3]) = (even[0].add(odd[0]), even[0].sub(odd[0]));
                (y[4], y[1]) = (even[1].add(odd[1]), even[1].sub(odd[1]));
                (y[2], y[5]) = (even[2].add(odd[2]), even[2].sub(odd[2]));
            }
            8 => {
                let even = four([x[0], x[2], x[4], x[6]]);
                let odd = four([x[1], x[3], x[5], x[7]]);
                let half: V = splat(std::f64::consts::FRAC_1_SQRT_2);
                // odd[1] (1 - i) and odd[3] (-1 - i), both over √2 when they are added.
                let first = Complex { re: odd[1].re.add(odd[1].im), im: odd[1].im.sub(odd[1].re) };
                let third = Complex { re: odd[3].im.sub(odd[3].re), im: odd[3].re.add(odd[3].im).neg() };
                let minus = half.neg();
                (y[0], y[4]) = (even[0].add(odd[0]), even[0].sub(odd[0]));
                (y[1], y[5]) = (first.fma(half, even[1]), first.fma(minus, even[1]));
                (y[2], y[6]) = (even[2].sub_i(odd[2]), even[2].add_i(odd[2]));
                (y[3], y[7]) = (third.fma(half, even[3]), third.fma(minus, even[3]));
            }
            _ => unreachable!("codelets are made of 1, 2, 3, 4, 5, 6 and 8 points"),
        }
    }
    y
}

#[inline(always)]
unsafe fn three<V: Lanes>(x: [Complex<V>; 3]) -> [Complex<V>; 3] {
    unsafe {
        let sum = x[1].add(x[2]);
        let turned = x[1].sub(x[2]).scale(splat(0.866_025_403_784_438_6));
        let middle = sum.fma(splat(-0.5), x[0]);
        [x[0].add(sum), middle.sub_i(turned), middle.add_i(turned)]
    }
}

#[inline(always)]
unsafe fn four<V: Lanes>(x: [Complex<V>; 4]) -> [Complex<V>; 4] {
    unsafe {
        let (even_sum, even_difference) = (x[0].add(x[2]), x[0].sub(x[2]));
        let (odd_sum, odd_difference) = (x[1].add(x[3]), x[1].sub(x[3]));
        [
            even_sum.add(odd_sum),
            even_difference.sub_i(odd_difference),
            even_sum.sub(odd_sum),
            even_difference.add_i(odd_difference),
        ]
    }
}

#[inline(always)]
unsafe fn five<V: Lanes>(x: [Complex<V>; 5]) -> [Complex<V>; 5] {
    unsafe {
        // Cosine and sine of 72° and 144°.
        let (cos1, cos2): (V, V) = (splat(0.309_016_994_374_947_45), splat(-0.809_016_994_374_947_5));
        let (sin1, sin2): (V, V) = (splat(0.951_056_516_295_153_5), splat(0.587_785_252_292_473_1));
        let (outer, inner) = (x[1].add(x[4]), x[2].add(x[3]));
        let (outer_turned, inner_turned) = (x[1].sub(x[4]), x[2].sub(x[3]));
        let first = outer.fma(cos1, inner.fma(cos2, x[0]));
        let second = outer.fma(cos2, inner.fma(cos1, x[0]));
        let first_turned = outer_turned.fma(sin1, inner_turned.scale(sin2));
        let second_turned = outer_turned.fma(sin2, inner_turned.scale(sin1.neg()));
        [
            x[0].add(outer.add(inner)),
            first.sub_i(first_turned),
            second.sub_i(second_turned),
            second.add_i(second_turned),
            first.add_i(first_turned),
        ]
    }
}
