//! The network and the memory of the piece, mixed: the longer the memory agrees, the more it counts.

use super::grid::N_TOKENS;
use super::memory::MAX_ORDER;
use crate::error::{Error, Result};

/// Lengths of agreement that have a weight of their own: 0–1, 2–3 and so on to 32 tokens.
pub const N_WEIGHTS: usize = MAX_ORDER / 2 + 1;

/// How much the memory counts at each length of agreement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mixture {
    weights: [f32; N_WEIGHTS],
}

impl Default for Mixture {
    /// The weights that predict held-out melodies best, found by expectation maximisation.
    fn default() -> Self {
        Mixture { weights: LEARNT }
    }
}

/// Learnt on the validation melodies beside the network that ships.
const LEARNT: [f32; N_WEIGHTS] =
    [0.02, 0.05, 0.1, 0.15, 0.25, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.6, 0.65, 0.65, 0.7, 0.7, 0.85];

impl Mixture {
    /// A mixture with these weights, each 0 to 1.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for another number of weights, or one that is out of range.
    pub fn new(weights: &[f32]) -> Result<Mixture> {
        match <[f32; N_WEIGHTS]>::try_from(weights) {
            Ok(weights) if weights.iter().all(|weight| (0.0..=1.0).contains(weight)) => {
                Ok(Mixture { weights })
            }
            _ => Err(Error::OutOfRange {
                name: "the weights of the memory".into(),
                got: format!("{weights:?}"),
                expected: format!("{N_WEIGHTS} numbers of 0 to 1"),
            }),
        }
    }

    /// Part of the memory in the mixture.
    ///
    /// # Arguments
    /// * `agreement`: tokens over which the memory agrees.
    /// * `strength`: 0 leaves the memory out, 1 is as learnt, more counts it for more.
    #[must_use]
    pub fn weight(&self, agreement: usize, strength: f32) -> f32 {
        1.0 - (1.0 - self.weights[(agreement / 2).min(N_WEIGHTS - 1)]).powf(strength)
    }

    /// Mixes what the memory says into what the network says.
    pub fn mix(
        &self,
        network: &mut [f32; N_TOKENS],
        memory: &[f32; N_TOKENS],
        agreement: usize,
        strength: f32,
    ) {
        let weight = self.weight(agreement, strength);
        for (probability, remembered) in network.iter_mut().zip(memory) {
            *probability += weight * (remembered - *probability);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strength_runs_from_none_over_learnt_to_more() {
        let mixture = Mixture::new(&[0.5; N_WEIGHTS]).unwrap();
        let weights = [0.0, 1.0, 2.0].map(|strength| mixture.weight(9, strength));
        assert_eq!(weights, [0.0, 0.5, 0.75]);
        let (mut network, memory) = ([0.0; N_TOKENS], [1.0 / 128.0; N_TOKENS]);
        network[60] = 1.0;
        mixture.mix(&mut network, &memory, 3, 1.0);
        assert_eq!((network[60], network[0]), (0.5 + 0.5 / 128.0, 0.5 / 128.0));
    }

    #[test]
    fn weights_are_checked() {
        assert!(Mixture::new(&[0.5; 3]).is_err());
        assert!(Mixture::new(&[1.5; N_WEIGHTS]).is_err());
        assert!(Mixture::new(&[f32::NAN; N_WEIGHTS]).is_err());
    }
}
