//! Moving data between memory that runs along time and registers that run across signals.
//!
//! A kernel that treats each lane as a signal of its own needs no shuffles inside, only on the way in and out:
//! [`Lanes::load_chunk`] reads four samples of every signal and transposes them, [`Lanes::store_chunk`] does the
//! reverse, and [`Lanes::interleave`] joins real and imaginary parts into complex numbers as they lie in memory.

use crate::scalar::Scalar;
use crate::vector::{Real, Vector};

/// A vector whose lanes can be filled from, and emptied into, as many separate signals.
///
/// # Safety
///
/// As for [`Vector`]: call from a function that has the instruction set of the type.
#[allow(clippy::missing_safety_doc)]
pub trait Lanes: Vector<Self::Element> {
    /// The type of one lane.
    type Element: Real;

    /// Reads the first four samples of each of the `LANES` signals that lie `stride` apart; lane `l` of vector `s` is
    /// sample `s` of signal `l`.
    unsafe fn load_chunk(signals: *const Self::Element, stride: usize) -> [Self; 4];

    /// Writes what [`load_chunk`](Self::load_chunk) reads.
    unsafe fn store_chunk(chunk: [Self; 4], signals: *mut Self::Element, stride: usize);

    /// Reads the first four samples of four signals and writes them as columns: sample `s` of signal `l` goes to
    /// `to[s * width + l]`.
    unsafe fn turn_quad(signals: [*const Self::Element; 4], to: *mut Self::Element, width: usize);

    /// Writes all lanes, bypassing the caches, to an address that is a multiple of the register's size. [`store_fence`]
    /// must follow before another thread reads it.
    unsafe fn stream(self, to: *mut Self::Element);

    /// `re0 im0 re1 im1 …` in two vectors, from the real and the imaginary parts.
    unsafe fn interleave(re: Self, im: Self) -> (Self, Self);

    /// The real and the imaginary parts of `re0 im0 re1 im1 …`.
    unsafe fn deinterleave(low: Self, high: Self) -> (Self, Self);

    /// `(m, e)` with `m * 2^e == self` and `m` in `[√½, √2)`, for positive normal numbers.
    ///
    /// The result for any other number is meaningless.
    unsafe fn split_exponent(self) -> (Self, Self);

    /// `2^self` for whole numbers that are the exponents of normal numbers: -126 to 127, or -1022 to 1023.
    ///
    /// The result for any other number is meaningless.
    unsafe fn power_of_two(self) -> Self;
}

/// `stride`, hidden from the compiler.
///
/// In a loop over chunks the compiler would otherwise keep the address of every signal in memory and increment each of them
/// for every chunk, which takes longer than the chunk.
#[inline(always)]
#[must_use]
pub fn opaque(stride: usize) -> usize {
    #[cfg(target_arch = "x86_64")]
    {
        let mut hidden = stride;
        // SAFETY: no instruction at all.
        unsafe {
            std::arch::asm!("/* {0} */", inout(reg) hidden, options(nomem, nostack, preserves_flags));
        }
        hidden
    }
    #[cfg(not(target_arch = "x86_64"))]
    stride
}

/// Waits until everything that [`Lanes::stream`] has written is in memory.
#[inline(always)]
pub fn store_fence() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 has the instruction, which changes no value.
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}

/// Prefetches the cache line at `address`. An address that is not readable is ignored.
#[inline(always)]
pub fn prefetch<T>(address: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint that every x86-64 has and that cannot fail.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// What is added to a whole number so that the low bits of the sum hold it with the bias of an exponent.
pub(crate) const EXPONENT_F32: f32 = 12_582_912.0 + 127.0;
/// As [`EXPONENT_F32`], in double precision.
pub(crate) const EXPONENT_F64: f64 = 6_755_399_441_055_744.0 + 1023.0;

/// The bits of `√½`: subtracting them carries into the exponent exactly where a mantissa lies above `√2`.
pub(crate) const SQRT_HALF_F32: u32 = 0x3f35_04f3;
/// As [`SQRT_HALF_F32`], in double precision.
pub(crate) const SQRT_HALF_F64: u64 = 0x3fe6_a09e_667f_3bcd;

macro_rules! scalar_lanes {
    ($t:ty, $bits:ty, $signed:ty, $mantissa_bits:literal, $sqrt_half:ident, $exponent:ident) => {
        // Plain loads and stores: the trait's own safety section is what each relies on.
        #[allow(clippy::undocumented_unsafe_blocks)]
        impl Lanes for Scalar<$t> {
            type Element = $t;
            #[inline(always)]
            unsafe fn load_chunk(signal: *const $t, _stride: usize) -> [Self; 4] {
                unsafe { [Self(*signal), Self(*signal.add(1)), Self(*signal.add(2)), Self(*signal.add(3))] }
            }
            #[inline(always)]
            unsafe fn store_chunk(chunk: [Self; 4], signal: *mut $t, _stride: usize) {
                for (s, value) in chunk.into_iter().enumerate() {
                    unsafe { *signal.add(s) = value.0 };
                }
            }
            #[inline(always)]
            unsafe fn turn_quad(signals: [*const $t; 4], to: *mut $t, width: usize) {
                for (l, signal) in signals.into_iter().enumerate() {
                    for s in 0..4 {
                        unsafe { *to.add(s * width + l) = *signal.add(s) };
                    }
                }
            }
            #[inline(always)]
            unsafe fn stream(self, to: *mut $t) {
                unsafe { *to = self.0 };
            }
            #[inline(always)]
            unsafe fn interleave(re: Self, im: Self) -> (Self, Self) {
                (re, im)
            }
            #[inline(always)]
            unsafe fn deinterleave(low: Self, high: Self) -> (Self, Self) {
                (low, high)
            }
            #[inline(always)]
            unsafe fn split_exponent(self) -> (Self, Self) {
                let bits = self.0.to_bits();
                let above = bits.wrapping_sub($sqrt_half) as $signed;
                let exponent = above >> $mantissa_bits;
                let mantissa = bits.wrapping_sub((exponent << $mantissa_bits) as $bits);
                (Self(<$t>::from_bits(mantissa)), Self(exponent as $t))
            }
            #[inline(always)]
            unsafe fn power_of_two(self) -> Self {
                Self(<$t>::from_bits((self.0 + $exponent).to_bits() << $mantissa_bits))
            }
        }
    };
}

scalar_lanes!(f32, u32, i32, 23, SQRT_HALF_F32, EXPONENT_F32);
scalar_lanes!(f64, u64, i64, 52, SQRT_HALF_F64, EXPONENT_F64);

#[cfg(test)]
mod tests {
    // Each call below sits in a function that `kernels!` gives the features to.
    #![allow(clippy::undocumented_unsafe_blocks)]
    use super::*;
    use crate::{Isa, kernels};

    kernels! {
        trait Kernels<T> {
            fn turn(signals: &[[T; 7]], turned: &mut Vec<T>, back: &mut [[T; 7]]) = turn_all;
            fn weave(values: &[T; 32], woven: &mut [T; 32], back: &mut [T; 32]) -> usize = weave_all;
            fn exponent(value: T, parts: &mut [[T; 16]; 2]) = exponent_of;
            fn power(value: T) -> T = power_of;
        }
    }

    #[inline(always)]
    unsafe fn turn_all<V: Lanes>(
        signals: &[[V::Element; 7]],
        turned: &mut Vec<V::Element>,
        back: &mut [[V::Element; 7]],
    ) {
        unsafe {
            let zero = V::Element::default();
            let chunk = V::load_chunk(signals.as_flattened()[3..].as_ptr(), 7);
            turned.resize(4 * V::LANES, zero);
            for (s, v) in chunk.into_iter().enumerate() {
                v.store(turned.as_mut_ptr().add(s * V::LANES));
            }
            V::store_chunk(chunk, back.as_flattened_mut()[3..].as_mut_ptr(), 7);
            let signal = |l: usize| signals[l][3..].as_ptr();
            let at = turned.len();
            turned.resize(at + 4 * 5, zero);
            V::turn_quad([signal(4), signal(5), signal(6), signal(7)], turned.as_mut_ptr().add(at), 5);
        }
    }

    #[inline(always)]
    unsafe fn weave_all<V: Lanes>(
        values: &[V::Element; 32],
        woven: &mut [V::Element; 32],
        back: &mut [V::Element; 32],
    ) -> usize {
        unsafe {
            let (re, im) = (V::load(values.as_ptr()), V::load(values.as_ptr().add(V::LANES)));
            let (low, high) = V::interleave(re, im);
            low.store(woven.as_mut_ptr());
            high.store(woven.as_mut_ptr().add(V::LANES));
            let (re, im) = V::deinterleave(low, high);
            re.store(back.as_mut_ptr());
            im.store(back.as_mut_ptr().add(V::LANES));
        }
        V::LANES
    }

    #[inline(always)]
    unsafe fn power_of<V: Lanes>(value: V::Element) -> V::Element {
        unsafe { V::splat(value).power_of_two().max_lane() }
    }

    #[inline(always)]
    unsafe fn exponent_of<V: Lanes>(value: V::Element, parts: &mut [[V::Element; 16]; 2]) {
        unsafe {
            let (mantissa, exponent) = V::splat(value).split_exponent();
            mantissa.store(parts[0].as_mut_ptr());
            exponent.store(parts[1].as_mut_ptr());
        }
    }

    /// A small whole number in either precision.
    fn whole<T: Real>(number: usize) -> T {
        T::from_f64(number as f64)
    }

    fn a_chunk_turns_and_returns_in<T: Real + Kernels<T>>() {
        let signals: [[T; 7]; 16] = std::array::from_fn(|l| std::array::from_fn(|s| whole(100 * l + s)));
        for isa in Isa::available() {
            let (mut turned, mut back) = (Vec::new(), [[whole(0); 7]; 16]);
            T::turn(isa, &signals, &mut turned, &mut back);
            let quad = turned.split_off(turned.len() - 20);
            for (i, value) in quad.iter().enumerate().filter(|(i, _)| i % 5 < 4) {
                assert_eq!(*value, whole(100 * (4 + i % 5) + 3 + i / 5), "{} quad at {i}", isa.name());
            }
            let lanes = turned.len() / 4;
            assert_eq!(lanes, isa.lanes::<T>());
            for (i, value) in turned.iter().enumerate() {
                assert_eq!(*value, whole(100 * (i % lanes) + 3 + i / lanes), "{} at {i}", isa.name());
            }
            for l in 0..lanes {
                assert_eq!(back[l][3..], signals[l][3..], "{} signal {l}", isa.name());
                assert_eq!(back[l][..3], [whole(0); 3]);
            }
        }
    }

    #[test]
    fn a_chunk_turns_and_returns() {
        a_chunk_turns_and_returns_in::<f32>();
        a_chunk_turns_and_returns_in::<f64>();
    }

    fn complex_numbers_weave_and_unweave_in<T: Real + Kernels<T>>() {
        let values: [T; 32] = std::array::from_fn(whole);
        for isa in Isa::available() {
            let (mut woven, mut back) = ([whole(0); 32], [whole(0); 32]);
            let lanes = T::weave(isa, &values, &mut woven, &mut back);
            for l in 0..lanes {
                assert_eq!(woven[2 * l], whole(l), "{}", isa.name());
                assert_eq!(woven[2 * l + 1], whole(l + lanes), "{}", isa.name());
            }
            assert_eq!(back[..2 * lanes], values[..2 * lanes], "{}", isa.name());
        }
    }

    #[test]
    fn complex_numbers_weave_and_unweave() {
        complex_numbers_weave_and_unweave_in::<f32>();
        complex_numbers_weave_and_unweave_in::<f64>();
    }

    fn mantissa_and_exponent_make_the_number_again_in<T: Real + Kernels<T>>(ends: [T; 2]) {
        let between = [1e-5, 0.5, 0.70, 0.71, 1.0, 1.41, 1.42, 3.0, 1e30].map(T::from_f64);
        for isa in Isa::available() {
            for value in ends.into_iter().chain(between) {
                let mut parts = [[T::default(); 16]; 2];
                T::exponent(isa, value, &mut parts);
                let (mantissa, exponent) = (parts[0][0].to_f64(), parts[1][0].to_f64());
                assert!((0.707..1.4143).contains(&mantissa), "{value:?}: {mantissa}");
                let power = mantissa.log2() + exponent;
                assert!((power - value.to_f64().log2()).abs() < 1e-6, "{value:?}: {mantissa} {exponent}");
            }
        }
    }

    #[test]
    fn mantissa_and_exponent_make_the_number_again() {
        mantissa_and_exponent_make_the_number_again_in([f32::MIN_POSITIVE, f32::MAX]);
        mantissa_and_exponent_make_the_number_again_in([f64::MIN_POSITIVE, f64::MAX]);
    }

    fn whole_powers_of_two_are_exact_in<T: Real + Kernels<T>>(exponents: std::ops::RangeInclusive<i32>) {
        for isa in Isa::available() {
            for exponent in exponents.clone() {
                let power = T::power(isa, T::from_f64(f64::from(exponent))).to_f64();
                assert_eq!(power.to_bits(), 2f64.powi(exponent).to_bits(), "{}: {exponent}", isa.name());
            }
        }
    }

    #[test]
    fn whole_powers_of_two_are_exact() {
        whole_powers_of_two_are_exact_in::<f32>(-126..=127);
        whole_powers_of_two_are_exact_in::<f64>(-1022..=1023);
    }
}
