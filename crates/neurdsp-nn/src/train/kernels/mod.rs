//! The kernels that training runs on, in its two precisions.

pub(super) mod activation;
pub(super) mod convolution;
pub(super) mod correlation;
mod elementwise;
mod scan;

use activation::Shape;
use neurdsp_simd::Real;

/// `f32` or `f64`.
pub trait Element: Real + Kernels<Self> {}

impl Element for f32 {}
impl Element for f64 {}

neurdsp_simd::kernels! {
    /// The kernels of one precision. Sealed: the module is private.
    pub trait Kernels<T> {
        /// Runs a convolution.
        fn convolve(job: &convolution::Job<'_, T>) = convolution::convolve;
        /// Adds to the sums of a weight gradient.
        fn correlate(job: &correlation::Job<'_, T>, sums: &mut [T]) = correlation::correlate;
        /// Applies a function to every value.
        fn apply(shape: Shape, values: &mut [T]) = activation::apply;
        /// Multiplies every gradient by the derivative of a function.
        fn differentiate(shape: Shape, kept: &[T], gradient: &mut [T]) = activation::differentiate;
        /// `to = a * b`.
        fn multiply(a: &[T], b: &[T], to: &mut [T]) = elementwise::multiply;
        /// `to += a`.
        fn accumulate(a: &[T], to: &mut [T]) = elementwise::accumulate;
        /// A gated recurrence along time.
        fn scan(forget: &[T], candidate: &[T], states: &mut [T], carry: &mut [T]) = scan::scan;
        /// Its backward pass.
        fn scan_backward(kept: [&[T]; 4], forget_gradient: &mut [T], candidate_gradient: &mut [T], carry: &mut [T]) = scan::scan_backward;
    }
}
