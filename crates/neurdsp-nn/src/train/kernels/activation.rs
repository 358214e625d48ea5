//! Activation functions of one channel, and their derivatives from what the forward pass kept.
// Loops over slices; the caller vouches for the instruction set, as `Vector` asks.
#![allow(clippy::undocumented_unsafe_blocks)]

use neurdsp_simd::{Lanes, Real, math};

/// The hyperbolic tangent in one precision.
pub(crate) trait Tanh: Real {
    /// Hyperbolic tangent of every lane.
    ///
    /// # Safety
    ///
    /// Needs the instruction set of `V`.
    unsafe fn tanh<V: Lanes<Element = Self>>(x: V) -> V;
}

impl Tanh for f32 {
    #[inline(always)]
    unsafe fn tanh<V: Lanes<Element = f32>>(x: V) -> V {
        unsafe { math::tanh(x) }
    }
}

impl Tanh for f64 {
    /// To the last bit, lane by lane: double precision is for checking, not for speed.
    #[inline(always)]
    unsafe fn tanh<V: Lanes<Element = f64>>(x: V) -> V {
        // No vector of `f64` has more than eight lanes.
        let mut lanes = [0.0f64; 8];
        unsafe {
            x.store(lanes.as_mut_ptr());
            lanes[..V::LANES].iter_mut().for_each(|lane| *lane = lane.tanh());
            V::load(lanes.as_ptr())
        }
    }
}

/// The functions that the kernels tell apart. Parameters are exact in double precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// `tanh(x)`
    Tanh,
    /// `1 / (1 + exp(−x))`
    Sigmoid,
    /// `x` above zero, and a line of this slope below.
    Leaky(f64),
    /// `x` between the first two values, and lines of the slopes in the others below and above.
    Bounded([f64; 4]),
    /// `x · sigmoid(x)`
    Silu,
    /// `x · clamp(x + 3, 0, 6) / 6`
    HardSwish,
    /// `x / (1 + |x|)`
    Softsign,
}

// Loops, not closures: a closure that the compiler chose not to inline would lack the instruction set.

/// Applies a function of a vector to all values; a rest that does not fill a vector is padded with zeros.
macro_rules! map {
    ($values:expr, $x:ident => $function:expr) => {{
        let mut blocks = $values.chunks_exact_mut(V::LANES);
        for block in &mut blocks {
            let $x = V::load(block.as_ptr());
            $function.store(block.as_mut_ptr());
        }
        let rest = blocks.into_remainder();
        if !rest.is_empty() {
            let mut padded = [V::Element::default(); 16];
            padded[..rest.len()].copy_from_slice(rest);
            let $x = V::load(padded.as_ptr());
            $function.store(padded.as_mut_ptr());
            rest.copy_from_slice(&padded[..rest.len()]);
        }
    }};
}

/// Applies `shape` to all values.
#[inline(always)]
pub(crate) unsafe fn apply<V: Lanes>(shape: Shape, values: &mut [V::Element])
where
    V::Element: Tanh,
{
    let of = V::Element::from_f64;
    let (zero, one) = (of(0.0), of(1.0));
    match shape {
        Shape::Tanh => unsafe { map!(values, x => V::Element::tanh(x)) },
        Shape::Sigmoid => unsafe { map!(values, x => sigmoid(x)) },
        Shape::Silu => unsafe { map!(values, x => x.mul(sigmoid(x))) },
        Shape::Leaky(slope) => {
            let slope = of(slope);
            for v in values {
                *v = if *v <= zero { *v * slope } else { *v };
            }
        }
        Shape::Bounded([min, max, min_slope, max_slope]) => {
            let (min, max, min_slope, max_slope) = (of(min), of(max), of(min_slope), of(max_slope));
            for v in values {
                let upper = if *v > max { max + (*v - max) * max_slope } else { *v };
                *v = if *v < min { min + (*v - min) * min_slope } else { upper };
            }
        }
        Shape::HardSwish => {
            let (three, six, sixth) = (of(3.0), of(6.0), of(1.0 / 6.0));
            for v in values {
                let shifted = *v + three;
                let low = if shifted < zero { zero } else { shifted };
                *v = *v * (if low > six { six } else { low }) * sixth;
            }
        }
        Shape::Softsign => {
            for v in values {
                *v = *v / (one + if *v < zero { -*v } else { *v });
            }
        }
    }
}

/// Multiplies all gradients by the derivative of `shape`.
#[inline(always)]
pub(crate) unsafe fn differentiate<V: Lanes>(shape: Shape, kept: &[V::Element], gradient: &mut [V::Element])
where
    V::Element: Tanh,
{
    let of = V::Element::from_f64;
    let (zero, one) = (of(0.0), of(1.0));
    match shape {
        Shape::Tanh => {
            for (g, &y) in gradient.iter_mut().zip(kept) {
                *g = *g * (one - y * y);
            }
        }
        Shape::Sigmoid => {
            for (g, &y) in gradient.iter_mut().zip(kept) {
                *g = *g * y * (one - y);
            }
        }
        Shape::Leaky(slope) => {
            let slope = of(slope);
            for (g, &x) in gradient.iter_mut().zip(kept) {
                *g = *g * if x > zero { one } else { slope };
            }
        }
        Shape::Bounded([min, max, min_slope, max_slope]) => {
            let (min, max, min_slope, max_slope) = (of(min), of(max), of(min_slope), of(max_slope));
            for (g, &x) in gradient.iter_mut().zip(kept) {
                let upper = if x >= max { max_slope } else { one };
                *g = *g * if x <= min { min_slope } else { upper };
            }
        }
        Shape::Silu => {
            let mut steps = [zero; 16];
            for (g, x) in gradient.chunks_mut(V::LANES).zip(kept.chunks(V::LANES)) {
                let steps = &mut steps[..x.len()];
                steps.copy_from_slice(x);
                unsafe { map!(steps, x => sigmoid(x)) };
                for ((g, &x), &s) in g.iter_mut().zip(x).zip(steps.iter()) {
                    *g = *g * s * (one + x * (one - s));
                }
            }
        }
        Shape::HardSwish => {
            let (three, third, half) = (of(3.0), of(1.0 / 3.0), of(0.5));
            for (g, &x) in gradient.iter_mut().zip(kept) {
                let inner = if x >= three { one } else { x * third + half };
                *g = *g * if x <= -three { zero } else { inner };
            }
        }
        Shape::Softsign => {
            for (g, &y) in gradient.iter_mut().zip(kept) {
                let rest = one - if y < zero { -y } else { y };
                *g = *g * rest * rest;
            }
        }
    }
}

/// Logistic function, by the hyperbolic tangent.
#[inline(always)]
unsafe fn sigmoid<V: Lanes>(x: V) -> V
where
    V::Element: Tanh,
{
    unsafe {
        let half = V::splat(V::Element::from_f64(0.5));
        V::Element::tanh(x.mul(half)).mul(half).add(half)
    }
}
