//! The activation functions, for playing ([`planar`](crate::planar)) and for training ([`train`](crate::train)).

use crate::Error;
use crate::error::check_len;

/// An activation function.
///
/// # Examples
///
/// ```
/// use neurdsp_nn::Activation;
/// use neurdsp_nn::planar::PlanarBlock;
/// use neurdsp_simd::Isa;
///
/// let mut block = PlanarBlock::new(1);
/// block.rows_mut().row_mut(0)[..2].copy_from_slice(&[-1.0, 1.0]);
/// Activation::LeakyRelu { slope: 0.25 }.run(Isa::detect(), &mut block.rows_mut(), None, 2);
/// assert_eq!(block.rows().row(0)[..2], [-0.25, 1.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Activation {
    /// `x`
    Identity,
    /// `tanh(x)`, to within 4e-7.
    Tanh,
    /// The rational function without exponentials that NAM calls fast tanh, up to 4.4e-4 off `tanh`.
    FastTanh,
    /// `x` clamped to ±1.
    HardTanh,
    /// `max(x, 0)`
    Relu,
    /// `x`, or `slope · x` where it is negative.
    LeakyRelu {
        /// The slope for negative values.
        slope: f32,
    },
    /// Leaky ReLU with a slope for each channel.
    PRelu {
        /// The slopes for negative values.
        slopes: Vec<f32>,
    },
    /// `1 / (1 + exp(−x))`, to within 2.5e-7.
    Sigmoid,
    /// `x · sigmoid(x)`
    Silu,
    /// `x · clamp(x + 3, 0, 6) / 6`
    HardSwish,
    /// `x` between two bounds, and straight lines with other slopes outside them.
    LeakyHardTanh {
        /// The lower bound.
        min: f32,
        /// The upper bound.
        max: f32,
        /// The slope below the lower bound.
        min_slope: f32,
        /// The slope above the upper bound.
        max_slope: f32,
    },
    /// `x / (1 + |x|)`
    Softsign,
}

impl Activation {
    /// Refuses slopes that are not one for each of `channels` channels.
    ///
    /// # Errors
    ///
    /// [`Error::Length`].
    pub fn check(&self, channels: usize) -> Result<(), Error> {
        match self {
            Activation::PRelu { slopes } => check_len("slopes", slopes.len(), channels),
            _ => Ok(()),
        }
    }
}
