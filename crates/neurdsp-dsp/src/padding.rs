//! How a signal continues beyond its ends.

use crate::error::{Error, Result};

/// The values before the first and after the last sample, with the names of numpy's `pad`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PadMode {
    /// Zeros.
    #[default]
    Constant,
    /// The outermost sample, repeated.
    Edge,
    /// The signal mirrored at its outermost sample, as often as needed; a single sample is repeated.
    Reflect,
    /// The signal mirrored with its outermost sample doubled, as often as needed.
    Symmetric,
    /// The signal continued from its other end.
    Wrap,
}

impl PadMode {
    /// The mode that numpy, librosa or torch call `name`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for any other name.
    pub fn by_name(name: &str) -> Result<Self> {
        Ok(match name {
            "constant" | "zeros" => Self::Constant,
            "edge" | "replicate" => Self::Edge,
            "reflect" => Self::Reflect,
            "symmetric" => Self::Symmetric,
            "wrap" | "circular" => Self::Wrap,
            _ => {
                let allowed = "it must be constant, edge (replicate), reflect, symmetric or wrap (circular)";
                return Err(Error::parameter("pad_mode", format!("'{name}'"), allowed));
            }
        })
    }

    /// Whether the padding is the signal reversed.
    pub(crate) fn mirrors(self) -> bool {
        matches!(self, Self::Reflect | Self::Symmetric)
    }

    /// The index of the sample, of `length`, at `position`; `None` is a zero. `length` is at least one.
    #[must_use]
    pub fn index(self, position: isize, length: usize) -> Option<usize> {
        if (0..length as isize).contains(&position) {
            return Some(position as usize);
        }
        let mirrored = |period: usize, last: usize| {
            let phase = position.rem_euclid(period as isize) as usize;
            if phase < length { phase } else { last - phase }
        };
        match self {
            Self::Constant => None,
            Self::Edge => Some(if position < 0 { 0 } else { length - 1 }),
            Self::Reflect if length == 1 => Some(0),
            Self::Reflect => Some(mirrored(2 * (length - 1), 2 * (length - 1))),
            Self::Symmetric => Some(mirrored(2 * length, 2 * length - 1)),
            Self::Wrap => Some(position.rem_euclid(length as isize) as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn padded(mode: PadMode, length: usize) -> Vec<Option<usize>> {
        (-5..length as isize + 5).map(|i| mode.index(i, length)).collect()
    }

    #[test]
    fn modes_repeat_as_numpy_does() {
        let some = |indices: &[usize]| indices.iter().map(|i| Some(*i)).collect::<Vec<_>>();
        assert_eq!(padded(PadMode::Reflect, 3), some(&[1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1]));
        assert_eq!(padded(PadMode::Symmetric, 3), some(&[1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]));
        assert_eq!(padded(PadMode::Wrap, 3), some(&[1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1]));
        assert_eq!(padded(PadMode::Edge, 2), some(&[0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]));
        assert_eq!(padded(PadMode::Reflect, 1), some(&[0; 11]));
        assert_eq!(padded(PadMode::Constant, 1)[..6], [None, None, None, None, None, Some(0)]);
    }
}
