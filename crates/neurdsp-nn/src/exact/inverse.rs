//! The inverse Fourier transform of several real frames at once, one to a lane.
//!
//! The transforms of `neurdsp-dsp` are faster, but where registers are narrow they hand over to a library whose bits depend
//! on the processor. This one does the same sums everywhere: a complex transform of half the length, by fours (T. Stockham,
//! "High-speed convolution and correlation", AFIPS 1966).
// Passes stay within buffers whose lengths `run` checks; the caller vouches for the instruction set.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::functions::{cos_turns, sin_turns};
use neurdsp_simd::{AlignedBuf, Isa, Vector, dispatch};

/// A planned inverse transform of `2·4^n` samples.
#[derive(Clone, Debug)]
pub struct InverseReal {
    length: usize,
    /// `(cos, sin)` of `k / length` turns for half of the bins.
    split: Vec<[f32; 2]>,
    /// Three rotations of each butterfly, pass after pass.
    rotations: Vec<[f32; 6]>,
    isa: Isa,
}

/// Working memory of a transform, and its result.
#[derive(Clone, Debug)]
pub struct InverseScratch {
    /// Real and imaginary parts, each `[length / 2][lanes]`, twice.
    buffers: [AlignedBuf; 4],
}

impl InverseReal {
    /// A transform of `length` samples.
    ///
    /// # Panics
    /// If the length is not twice a power of four.
    #[must_use]
    pub fn new(length: usize, isa: Isa) -> Self {
        let half = length / 2;
        assert!(
            length == 2 * half && half.is_power_of_two() && half.trailing_zeros().is_multiple_of(2),
            "2·4^n"
        );
        let turn = |part: usize, of: usize| {
            let turns = part as f64 / of as f64;
            [cos_turns(turns) as f32, sin_turns(turns) as f32]
        };
        let mut rotations = Vec::new();
        let mut points = half;
        while points > 1 {
            for p in 0..points / 4 {
                let [first, second, third] = [p, 2 * p, 3 * p].map(|part| turn(part, points));
                rotations.push([first[0], first[1], second[0], second[1], third[0], third[1]]);
            }
            points /= 4;
        }
        Self { length, split: (0..=half / 2).map(|k| turn(k, length)).collect(), rotations, isa }
    }

    /// Frames that are transformed at once.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.isa.lanes::<f32>()
    }

    /// Samples of a frame.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }

    /// Working memory for one thread.
    #[must_use]
    pub fn scratch(&self) -> InverseScratch {
        let len = self.length / 2 * self.lanes();
        InverseScratch { buffers: std::array::from_fn(|_| AlignedBuf::zeroed(len)) }
    }

    /// Transforms spectra, `[length / 2 + 1][lanes]`, with the factor `1 / length`. The imaginary parts of the first and the
    /// last bin count as zero. Gives the even samples and the odd ones, each `[length / 2][lanes]`.
    ///
    /// # Panics
    /// If a slice is too short.
    pub fn run<'a>(&self, re: &[f32], im: &[f32], scratch: &'a mut InverseScratch) -> (&'a [f32], &'a [f32]) {
        let (half, lanes) = (self.length / 2, self.lanes());
        assert!(re.len().min(im.len()) >= (half + 1) * lanes, "a spectrum for each lane");
        let [a, b, c, d] = &mut scratch.buffers;
        assert!(
            [&*a, b, c, d].iter().all(|buffer| buffer.len() >= half * lanes),
            "the scratch of this transform"
        );
        join(self.isa, &self.split, half, 1.0 / self.length as f32, re, im, a, b);
        let (mut from, mut to) = ((a, b), (c, d));
        let (mut points, mut stride, mut first) = (half, 1, 0);
        while points > 1 {
            let rotations = &self.rotations[first..first + points / 4];
            pass(self.isa, rotations, stride, from.0, from.1, to.0, to.1);
            first += points / 4;
            (points, stride) = (points / 4, stride * 4);
            std::mem::swap(&mut from, &mut to);
        }
        (from.0, from.1)
    }
}

dispatch! {
    fn join(
        split: &[[f32; 2]],
        half: usize,
        scale: f32,
        re: &[f32],
        im: &[f32],
        to_re: &mut [f32],
        to_im: &mut [f32],
    ) = join_generic
}

/// `(X[k] + X*[M − k]) + i (X[k] − X*[M − k]) e^(2πik / 2M)`: the spectrum of even and odd samples as one complex signal.
#[allow(clippy::too_many_arguments)]
#[inline(always)]
unsafe fn join_generic<V: Vector<f32>>(
    split: &[[f32; 2]],
    half: usize,
    scale: f32,
    re: &[f32],
    im: &[f32],
    to_re: &mut [f32],
    to_im: &mut [f32],
) {
    unsafe {
        let scale = V::splat(scale);
        let (re, im) = (re.as_ptr(), im.as_ptr());
        let (re0, re1) = (V::load(re).mul(scale), V::load(re.add(half * V::LANES)).mul(scale));
        re0.add(re1).store(to_re.as_mut_ptr());
        re0.sub(re1).store(to_im.as_mut_ptr());
        for (k, [cos, sin]) in split.iter().enumerate().skip(1) {
            let (cos, sin, opposite) = (V::splat(*cos), V::splat(*sin), half - k);
            let (a, b) = pair::<V>(re, im, k * V::LANES);
            let (c, d) = pair::<V>(re, im, opposite * V::LANES);
            let (a, b, c, d) = (a.mul(scale), b.mul(scale), c.mul(scale), d.mul(scale));
            let (even_re, even_im) = (a.add(c), b.sub(d));
            let (odd_re, odd_im) = (a.sub(c), b.add(d));
            let turned_re = odd_re.mul(cos).sub(odd_im.mul(sin));
            let turned_im = odd_re.mul(sin).add(odd_im.mul(cos));
            even_re.sub(turned_im).store(to_re.as_mut_ptr().add(k * V::LANES));
            even_im.add(turned_re).store(to_im.as_mut_ptr().add(k * V::LANES));
            even_re.add(turned_im).store(to_re.as_mut_ptr().add(opposite * V::LANES));
            turned_re.sub(even_im).store(to_im.as_mut_ptr().add(opposite * V::LANES));
        }
    }
}

dispatch! {
    fn pass(
        rotations: &[[f32; 6]],
        stride: usize,
        re: &[f32],
        im: &[f32],
        to_re: &mut [f32],
        to_im: &mut [f32],
    ) = pass_generic
}

/// Butterflies of four.
#[inline(always)]
unsafe fn pass_generic<V: Vector<f32>>(
    rotations: &[[f32; 6]],
    stride: usize,
    re: &[f32],
    im: &[f32],
    to_re: &mut [f32],
    to_im: &mut [f32],
) {
    unsafe {
        let quarter = rotations.len() * stride;
        let (re, im) = (re.as_ptr(), im.as_ptr());
        let (to_re, to_im) = (to_re.as_mut_ptr(), to_im.as_mut_ptr());
        for (p, rotations) in rotations.iter().enumerate() {
            let mut w = [V::splat(0.0); 6];
            for (to, value) in w.iter_mut().zip(rotations) {
                *to = V::splat(*value);
            }
            for q in 0..stride {
                let first = (q + stride * p) * V::LANES;
                let step = quarter * V::LANES;
                let (a_re, a_im) = pair::<V>(re, im, first);
                let (b_re, b_im) = pair::<V>(re, im, first + step);
                let (c_re, c_im) = pair::<V>(re, im, first + 2 * step);
                let (d_re, d_im) = pair::<V>(re, im, first + 3 * step);
                let (sum_re, sum_im) = (a_re.add(c_re), a_im.add(c_im));
                let (difference_re, difference_im) = (a_re.sub(c_re), a_im.sub(c_im));
                let (other_re, other_im) = (b_re.add(d_re), b_im.add(d_im));
                // i (b − d)
                let (turned_re, turned_im) = (d_im.sub(b_im), b_re.sub(d_re));
                let to = (q + 4 * stride * p) * V::LANES;
                let step = stride * V::LANES;
                sum_re.add(other_re).store(to_re.add(to));
                sum_im.add(other_im).store(to_im.add(to));
                let (x, y) = (difference_re.add(turned_re), difference_im.add(turned_im));
                put_rotated(x, y, [w[0], w[1]], to_re.add(to + step), to_im.add(to + step));
                let (x, y) = (sum_re.sub(other_re), sum_im.sub(other_im));
                put_rotated(x, y, [w[2], w[3]], to_re.add(to + 2 * step), to_im.add(to + 2 * step));
                let (x, y) = (difference_re.sub(turned_re), difference_im.sub(turned_im));
                put_rotated(x, y, [w[4], w[5]], to_re.add(to + 3 * step), to_im.add(to + 3 * step));
            }
        }
    }
}

/// Real and imaginary parts at a place.
// Functions, not closures: those would not have the instruction set.
#[inline(always)]
unsafe fn pair<V: Vector<f32>>(re: *const f32, im: *const f32, place: usize) -> (V, V) {
    unsafe { (V::load(re.add(place)), V::load(im.add(place))) }
}

/// Writes `(re + i im) (cos + i sin)`.
#[inline(always)]
unsafe fn put_rotated<V: Vector<f32>>(re: V, im: V, [cos, sin]: [V; 2], to_re: *mut f32, to_im: *mut f32) {
    unsafe {
        re.mul(cos).sub(im.mul(sin)).store(to_re);
        re.mul(sin).add(im.mul(cos)).store(to_im);
    }
}
