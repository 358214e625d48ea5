//! What becomes of the squared magnitudes of a spectrum.

use crate::error::{Error, Result};
use neurdsp_simd::Real;

/// The magnitude of a bin, from its square.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Magnitude {
    /// `|X|²`.
    Power,
    /// `sqrt(|X|² + eps)`; librosa's magnitude has `eps` zero.
    Root {
        /// Added under the root.
        eps: f64,
    },
    /// `|X|` to this power.
    Exponent(f64),
}

impl Magnitude {
    /// librosa's parameter `power`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless it is positive and finite.
    pub fn from_power(power: f64) -> Result<Self> {
        match power {
            2.0 => Ok(Self::Power),
            1.0 => Ok(Self::Root { eps: 0.0 }),
            _ if power > 0.0 && power.is_finite() => Ok(Self::Exponent(power)),
            _ => Err(Error::parameter("power", power, "it must be positive: 1 for magnitudes, 2 for power")),
        }
    }

    /// What is added to a square before its root is taken; `None` unless this is a root.
    pub(crate) fn root<T: Real>(self) -> Option<T> {
        match self {
            Self::Root { eps } => Some(T::from_f64(eps)),
            Self::Power | Self::Exponent(_) => None,
        }
    }

    /// The magnitude whose square is `power`.
    #[inline(always)]
    pub(crate) fn of<T: Real>(self, power: T) -> T {
        match self {
            Self::Power => power,
            Self::Root { eps } => (power + T::from_f64(eps)).sqrt(),
            Self::Exponent(exponent) => power.powf(T::from_f64(exponent / 2.0)),
        }
    }

    /// Replaces squared magnitudes by these magnitudes.
    pub(crate) fn of_squares<T: Real>(self, values: &mut [T]) {
        if self != Self::Power {
            values.iter_mut().for_each(|value| *value = self.of(*value));
        }
    }
}
