//! From the sums of the gates to the next state, in as short a chain of dependent operations as each instruction set allows.
//!
//! Each step of a recurrence waits for the one before, so the length of the chain counts, not the number of operations.
//! With AVX-512 tanh is a polynomial whose coefficients are looked up in registers, and what it is multiplied by goes into
//! its last two operations. Elsewhere tanh is a fraction, and the gates multiply before they divide: with
//! `σ = (D + N) / 2D`, the new cell `f·c + i·g` and the new hidden value `o·tanh(c)` take one division each.
// Every block is arithmetic on a vector type; the caller vouches for the instruction set, as `Vector` asks.
#![allow(clippy::undocumented_unsafe_blocks)]

use neurdsp_simd::math::{fma, scaled_tanh_fraction, tanh_fraction};
use neurdsp_simd::{Scalar, Vector};

/// A vector that an LSTM steps with.
pub(super) trait Gates: Vector<f32> {
    /// Constants of a run, which the compiler keeps in registers.
    type Constants: Copy;

    unsafe fn constants() -> Self::Constants;

    /// The next hidden values and cells, from the sums of the gates input, forget, cell and output.
    ///
    /// The sums of the three sigmoid gates are halved, since σ(x) = ½ tanh(½ x) + ½. A gate that is NaN counts as fully
    /// open, so that a state that was finite stays finite.
    #[inline(always)]
    unsafe fn step<const N: usize>(
        _constants: &Self::Constants,
        sums: [[Self; N]; 4],
        cells: [Self; N],
    ) -> ([Self; N], [Self; N]) {
        unsafe { step_by_fractions(sums, cells) }
    }
}

/// [`Gates::step`] by fractions.
///
/// In stages over all vectors, so that the chains of one fill the gaps of another.
#[inline(always)]
pub(super) unsafe fn step_by_fractions<V: Vector<f32>, const N: usize>(
    sums: [[V; N]; 4],
    mut cells: [V; N],
) -> ([V; N], [V; N]) {
    unsafe {
        let zero = V::splat(0.0);
        let mut gates = [[(zero, zero); N]; 4];
        for (gates, sums) in gates.iter_mut().zip(sums) {
            for (gate, sum) in gates.iter_mut().zip(sums) {
                *gate = tanh_fraction(sum);
            }
        }
        let [input, forget, new, output] = gates;
        for n in 0..N {
            let [(i, below_i), (f, below_f), (g, below_g)] = [input[n], forget[n], new[n]];
            // The denominators are known before the numerators, so a reciprocal is done sooner than a quotient.
            let below = below_i.mul(below_g);
            let reciprocal = V::splat(1.0).div(below.mul(below_f.add(below_f)));
            let before = cells[n].mul(below);
            let kept = fma(f, before, below_f.mul(before));
            cells[n] = fma(fma(i, below_f, below_i.mul(below_f)), g, kept).mul(reciprocal);
        }
        let mut hidden = [zero; N];
        for n in 0..N {
            let (o, below_o) = output[n];
            let open = below_o.add(o).div(below_o.add(below_o));
            let (above, below) = scaled_tanh_fraction(open, cells[n]);
            hidden[n] = above.mul(V::splat(1.0).div(below));
        }
        (hidden, cells)
    }
}

impl Gates for Scalar<f32> {
    type Constants = ();

    #[inline(always)]
    unsafe fn constants() {}
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Gates, fma};
    use crate::lstm::table::{DEGREE, LIMIT, MANTISSA_BITS, SEGMENTS, SHIFT, table};
    use neurdsp_simd::{F32x8, F32x16, Vector};
    use std::arch::x86_64::*;

    impl Gates for F32x8 {
        type Constants = ();

        #[inline(always)]
        unsafe fn constants() {}
    }

    /// Coefficients of tanh in two registers for each power.
    type Coefficients = [[F32x16; 2]; DEGREE + 1];

    impl Gates for F32x16 {
        type Constants = Coefficients;

        #[inline(always)]
        unsafe fn constants() -> Coefficients {
            let load = |power: &[f32; SEGMENTS]| unsafe {
                [F32x16::load(power.as_ptr()), F32x16::load(power.as_ptr().add(16))]
            };
            table().each_ref().map(load)
        }

        #[inline(always)]
        unsafe fn step<const N: usize>(
            constants: &Coefficients,
            [i, f, g, o]: [[Self; N]; 4],
            mut cells: [Self; N],
        ) -> ([Self; N], [Self; N]) {
            unsafe {
                let half = F32x16::splat(0.5);
                let mut hidden = cells;
                for n in 0..N {
                    // The gates of cell and output come last: the one is needed last, the other not before the new cell.
                    let keep = Polynomial::of(constants, f[n]).times_plus(half, half);
                    let take = Polynomial::of(constants, i[n]).times_plus(half, half);
                    cells[n] = Polynomial::of(constants, g[n]).times_plus(take, keep.mul(cells[n]));
                    let open = Polynomial::of(constants, o[n]).times_plus(half, half);
                    hidden[n] = Polynomial::of(constants, cells[n]).times(open);
                }
                (hidden, cells)
            }
        }
    }

    /// tanh of `x` before its last operations: `sign(x) · (low + high · square)`.
    struct Polynomial {
        x: F32x16,
        square: F32x16,
        low: F32x16,
        high: F32x16,
    }

    impl Polynomial {
        #[inline(always)]
        unsafe fn of(coefficients: &Coefficients, x: F32x16) -> Polynomial {
            unsafe {
                // The smaller magnitude, without the sign; the limit where `x` is NaN.
                let magnitude = F32x16(_mm512_range_ps::<0b1010>(x.0, _mm512_set1_ps(LIMIT)));
                const BELOW: u32 = 23 - MANTISSA_BITS;
                let shift = F32x16::splat(SHIFT);
                let bits = _mm512_castps_si512(magnitude.add(shift).0);
                let segment = _mm512_srli_epi32::<BELOW>(bits);
                let start = _mm512_and_si512(bits, _mm512_set1_epi32(-1 << BELOW));
                let x_in = magnitude.sub(F32x16(_mm512_castsi512_ps(start)).sub(shift));
                // The instruction reads five bits of an index.
                let [c0, c1, c2, c3, c4, c5] =
                    coefficients.map(|[low, high]| F32x16(_mm512_permutex2var_ps(low.0, segment, high.0)));
                let square = x_in.mul(x_in);
                let high = fma(square, fma(x_in, c5, c4), fma(x_in, c3, c2));
                Polynomial { x, square, low: fma(x_in, c1, c0), high }
            }
        }

        /// `factor`, with its sign flipped where `x` is negative.
        #[inline(always)]
        unsafe fn signed(&self, factor: F32x16) -> F32x16 {
            unsafe {
                let sign = _mm512_set1_epi32(i32::MIN);
                let [factor, x] = [factor.0, self.x.0].map(|v| _mm512_castps_si512(v));
                // factor ^ (x & sign)
                F32x16(_mm512_castsi512_ps(_mm512_ternarylogic_epi32::<0x78>(factor, x, sign)))
            }
        }

        /// `factor · tanh(x) + term`.
        #[inline(always)]
        unsafe fn times_plus(self, factor: F32x16, term: F32x16) -> F32x16 {
            unsafe {
                let factor = self.signed(factor);
                fma(factor.mul(self.square), self.high, fma(factor, self.low, term))
            }
        }

        /// `factor · tanh(x)`.
        #[inline(always)]
        unsafe fn times(self, factor: F32x16) -> F32x16 {
            unsafe {
                let factor = self.signed(factor);
                fma(factor.mul(self.square), self.high, factor.mul(self.low))
            }
        }
    }
}
