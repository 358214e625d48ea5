//! The two precisions that training runs in, and the entry of each kernel for each of them.

use super::activation::{self, Shape};
use super::convolution::{self, Job};
use super::gradient;
use neurdsp_simd::{Isa, Lanes, Real, dispatch, math};
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// `f32` or `f64`.
pub trait Element:
    Real
    + Default
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + Kernels
{
}

impl Element for f32 {}
impl Element for f64 {}

/// The kernels of one precision. Sealed: the module is private.
pub trait Kernels: Sized {
    /// Values in the widest vector of `isa`.
    fn lanes(isa: Isa) -> usize;
    /// Runs a convolution.
    fn convolve(isa: Isa, job: &Job<'_, Self>);
    /// Adds to the sums of a weight gradient.
    fn correlate(isa: Isa, job: &gradient::Job<'_, Self>, sums: &mut [Self]);
    /// Applies a function to every value.
    fn apply(isa: Isa, shape: Shape, values: &mut [Self]);
    /// Multiplies every gradient by the derivative of a function.
    fn differentiate(isa: Isa, shape: Shape, kept: &[Self], gradient: &mut [Self]);
    /// `to = a * b`.
    fn multiply(isa: Isa, a: &[Self], b: &[Self], to: &mut [Self]);
    /// `to += a`.
    fn accumulate(isa: Isa, a: &[Self], to: &mut [Self]);
    /// Hyperbolic tangent of every lane; it needs the instruction set of `V`.
    fn tanh<V: Lanes<Element = Self>>(x: V) -> V;
}

#[inline(always)]
fn tanh_f32<V: Lanes<Element = f32>>(x: V) -> V {
    // SAFETY: a kernel calls this, which has the instruction set.
    unsafe { math::tanh(x) }
}

/// To the last bit, lane by lane: double precision is for checking, not for speed.
#[inline(always)]
fn tanh_f64<V: Lanes<Element = f64>>(x: V) -> V {
    let mut lanes = [0.0f64; 8];
    // SAFETY: a kernel calls this, which has the instruction set; no vector of `f64` has more than eight lanes.
    unsafe {
        x.store(lanes.as_mut_ptr());
        lanes[..V::LANES].iter_mut().for_each(|lane| *lane = lane.tanh());
        V::load(lanes.as_ptr())
    }
}

dispatch! { fn convolve_f32(job: &Job<'_, f32>) = convolve }
dispatch! { fn convolve_f64(job: &Job<'_, f64>) = f64 convolve }
dispatch! { fn correlate_f32(job: &gradient::Job<'_, f32>, sums: &mut [f32]) = correlate }
dispatch! { fn correlate_f64(job: &gradient::Job<'_, f64>, sums: &mut [f64]) = f64 correlate }
dispatch! { fn apply_f32(shape: Shape, values: &mut [f32]) = apply }
dispatch! { fn apply_f64(shape: Shape, values: &mut [f64]) = f64 apply }
dispatch! { fn differentiate_f32(shape: Shape, kept: &[f32], gradient: &mut [f32]) = differentiate }
dispatch! { fn differentiate_f64(shape: Shape, kept: &[f64], gradient: &mut [f64]) = f64 differentiate }
dispatch! { fn multiply_f32(a: &[f32], b: &[f32], to: &mut [f32]) = multiply }
dispatch! { fn multiply_f64(a: &[f64], b: &[f64], to: &mut [f64]) = f64 multiply }
dispatch! { fn accumulate_f32(a: &[f32], to: &mut [f32]) = accumulate }
dispatch! { fn accumulate_f64(a: &[f64], to: &mut [f64]) = f64 accumulate }

use activation::{accumulate, apply, differentiate, multiply};
use convolution::convolve;
use gradient::correlate;

macro_rules! kernels {
    ($t:ty, $avx512:literal, $avx2:literal, $convolve:ident, $correlate:ident, $apply:ident, $differentiate:ident,
     $multiply:ident, $accumulate:ident, $tanh:ident) => {
        impl Kernels for $t {
            fn lanes(isa: Isa) -> usize {
                if isa.has_avx512() {
                    $avx512
                } else if isa.has_avx2() {
                    $avx2
                } else {
                    1
                }
            }
            fn convolve(isa: Isa, job: &Job<'_, Self>) {
                $convolve(isa, job);
            }
            fn correlate(isa: Isa, job: &gradient::Job<'_, Self>, sums: &mut [Self]) {
                $correlate(isa, job, sums);
            }
            fn apply(isa: Isa, shape: Shape, values: &mut [Self]) {
                $apply(isa, shape, values);
            }
            fn differentiate(isa: Isa, shape: Shape, kept: &[Self], gradient: &mut [Self]) {
                $differentiate(isa, shape, kept, gradient);
            }
            fn multiply(isa: Isa, a: &[Self], b: &[Self], to: &mut [Self]) {
                $multiply(isa, a, b, to);
            }
            fn accumulate(isa: Isa, a: &[Self], to: &mut [Self]) {
                $accumulate(isa, a, to);
            }
            #[inline(always)]
            fn tanh<V: Lanes<Element = Self>>(x: V) -> V {
                $tanh(x)
            }
        }
    };
}

kernels!(
    f32,
    16,
    8,
    convolve_f32,
    correlate_f32,
    apply_f32,
    differentiate_f32,
    multiply_f32,
    accumulate_f32,
    tanh_f32
);
kernels!(
    f64,
    8,
    4,
    convolve_f64,
    correlate_f64,
    apply_f64,
    differentiate_f64,
    multiply_f64,
    accumulate_f64,
    tanh_f64
);
