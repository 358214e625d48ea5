//! Activations, and their derivatives from what the forward pass kept.
// Loops over slices; the caller vouches for the instruction set, as `Vector` asks.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::element::{Element, Kernels};
use neurdsp_simd::{Isa, Lanes, Real};

/// An activation, with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum Activation {
    /// The identity.
    Identity,
    /// Hyperbolic tangent.
    Tanh,
    /// Logistic function.
    Sigmoid,
    /// `x` above zero and `slope * x` below: ReLU has slope 0.
    LeakyRelu {
        /// Below zero.
        slope: f64,
    },
    /// A leaky ReLU with a slope for each channel.
    PRelu {
        /// One for each channel; they repeat where there are fewer.
        slopes: Vec<f64>,
    },
    /// `x` within two bounds, and with a slope beyond each: Hardtanh has slopes 0.
    LeakyHardtanh {
        /// The lower bound.
        min: f64,
        /// The upper bound.
        max: f64,
        /// Below the lower bound.
        min_slope: f64,
        /// Above the upper bound.
        max_slope: f64,
    },
    /// `x * sigmoid(x)`.
    Silu,
    /// `x * clamp(x + 3, 0, 6) / 6`.
    Hardswish,
    /// `x / (1 + |x|)`.
    Softsign,
}

impl Activation {
    /// Whether the derivative needs the argument; from the value alone it can be told otherwise.
    #[must_use]
    pub fn keeps_argument(&self) -> bool {
        match self {
            Self::Identity | Self::Tanh | Self::Sigmoid | Self::Softsign => false,
            Self::LeakyRelu { slope } => *slope < 0.0,
            Self::PRelu { slopes } => slopes.iter().any(|slope| *slope < 0.0),
            Self::LeakyHardtanh { .. } | Self::Silu | Self::Hardswish => true,
        }
    }

    /// Applies it to samples of channel `row`.
    pub fn apply<T: Element>(&self, row: usize, samples: &mut [T], isa: Isa) {
        T::apply(isa, self.shape(row), samples);
    }

    /// Multiplies `gradient` by the derivative at samples of channel `row`.
    ///
    /// `kept` holds arguments if [`keeps_argument`](Self::keeps_argument), values otherwise. A kink has the derivative of
    /// its left side, as in PyTorch.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    pub fn differentiate<T: Element>(&self, row: usize, kept: &[T], gradient: &mut [T], isa: Isa) {
        assert_eq!(kept.len(), gradient.len());
        T::differentiate(isa, self.shape(row), kept, gradient);
    }

    /// What it is for one channel.
    fn shape(&self, row: usize) -> Shape {
        match *self {
            Self::Identity => Shape::Leaky(1.0),
            Self::Tanh => Shape::Tanh,
            Self::Sigmoid => Shape::Sigmoid,
            Self::LeakyRelu { slope } => Shape::Leaky(slope),
            Self::PRelu { ref slopes } => {
                Shape::Leaky(slopes.get(row % slopes.len().max(1)).copied().unwrap_or(0.0))
            }
            Self::LeakyHardtanh { min, max, min_slope, max_slope } => {
                Shape::Bounded([min, max, min_slope, max_slope])
            }
            Self::Silu => Shape::Silu,
            Self::Hardswish => Shape::Hardswish,
            Self::Softsign => Shape::Softsign,
        }
    }
}

/// An activation of one channel.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// See [`Activation`].
    Tanh,
    /// See [`Activation`].
    Sigmoid,
    /// The slope below zero.
    Leaky(f64),
    /// Bounds and slopes beyond them.
    Bounded([f64; 4]),
    /// See [`Activation`].
    Silu,
    /// See [`Activation`].
    Hardswish,
    /// See [`Activation`].
    Softsign,
}

// Loops, not closures: a closure that the compiler chose not to inline would lack the instruction set.

/// Applies a function of a vector to all values; what does not fill a vector is padded with zeros.
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
pub(super) unsafe fn apply<V: Lanes>(shape: Shape, values: &mut [V::Element])
where
    V::Element: Element,
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
        Shape::Hardswish => {
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
pub(super) unsafe fn differentiate<V: Lanes>(shape: Shape, kept: &[V::Element], gradient: &mut [V::Element])
where
    V::Element: Element,
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
        Shape::Hardswish => {
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

/// `to = a * b`.
#[inline(always)]
pub(super) unsafe fn multiply<V: Lanes>(a: &[V::Element], b: &[V::Element], to: &mut [V::Element])
where
    V::Element: Element,
{
    for ((to, &a), &b) in to.iter_mut().zip(a).zip(b) {
        *to = a * b;
    }
}

/// `to += a`.
#[inline(always)]
pub(super) unsafe fn accumulate<V: Lanes>(a: &[V::Element], to: &mut [V::Element])
where
    V::Element: Element,
{
    for (to, &a) in to.iter_mut().zip(a) {
        *to += a;
    }
}

/// Logistic function, by the hyperbolic tangent.
#[inline(always)]
unsafe fn sigmoid<V: Lanes>(x: V) -> V
where
    V::Element: Element,
{
    unsafe {
        let half = V::splat(V::Element::from_f64(0.5));
        V::Element::tanh(x.mul(half)).mul(half).add(half)
    }
}
