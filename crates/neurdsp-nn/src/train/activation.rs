//! Activation functions that can be trained through.

use super::kernels::Element;
use super::kernels::activation::Shape;
use crate::activation::Activation;
use neurdsp_simd::Isa;

/// An [`Activation`] that has a derivative here.
///
/// # Examples
///
/// ```
/// use neurdsp_nn::Activation;
/// use neurdsp_nn::train::Differentiable;
/// use neurdsp_simd::Isa;
///
/// let (isa, relu) = (Isa::detect(), Differentiable::new(Activation::Relu).expect("it has a derivative"));
/// let (mut values, mut gradient) = ([-2.0, 3.0], [1.0, 1.0]);
/// relu.apply(0, &mut values, isa);
/// relu.differentiate(0, &values, &mut gradient, isa);
/// assert_eq!((values, gradient), ([-0.0, 3.0], [0.0, 1.0]));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Differentiable(Channels);

#[derive(Clone, Debug, PartialEq)]
enum Channels {
    /// One function for all channels.
    Same(Shape),
    /// A leaky ReLU with a slope for each channel.
    Slopes(Vec<f32>),
}

impl Differentiable {
    /// `None` for [`Activation::FastTanh`], which exists to play what was trained elsewhere.
    #[must_use]
    pub fn new(activation: Activation) -> Option<Self> {
        Some(Self(Channels::Same(match activation {
            Activation::FastTanh => return None,
            Activation::PRelu { slopes } => return Some(Self(Channels::Slopes(slopes))),
            Activation::Identity => Shape::Leaky(1.0),
            Activation::Tanh => Shape::Tanh,
            Activation::Sigmoid => Shape::Sigmoid,
            Activation::Relu => Shape::Leaky(0.0),
            Activation::LeakyRelu { slope } => Shape::Leaky(slope.into()),
            Activation::HardTanh => Shape::Bounded([-1.0, 1.0, 0.0, 0.0]),
            Activation::LeakyHardTanh { min, max, min_slope, max_slope } => {
                Shape::Bounded([min, max, min_slope, max_slope].map(f64::from))
            }
            Activation::Silu => Shape::Silu,
            Activation::HardSwish => Shape::HardSwish,
            Activation::Softsign => Shape::Softsign,
        })))
    }

    /// Whether the derivative needs the argument; otherwise it follows from the value alone.
    #[must_use]
    pub fn keeps_argument(&self) -> bool {
        match &self.0 {
            Channels::Same(Shape::Leaky(slope)) => *slope < 0.0,
            Channels::Same(shape) => matches!(shape, Shape::Bounded(_) | Shape::Silu | Shape::HardSwish),
            Channels::Slopes(slopes) => slopes.iter().any(|slope| *slope < 0.0),
        }
    }

    /// Applies it to samples of channel `row`. The slopes of a PReLU repeat if there are fewer than channels.
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

    /// The function of one channel.
    fn shape(&self, row: usize) -> Shape {
        match &self.0 {
            Channels::Same(shape) => *shape,
            Channels::Slopes(slopes) => {
                Shape::Leaky(slopes.get(row % slopes.len().max(1)).copied().unwrap_or(0.0).into())
            }
        }
    }
}
