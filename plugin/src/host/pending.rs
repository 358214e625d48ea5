//! Values that a VST3 host has set and no block has brought yet.
//!
//! While sound plays, a value reaches the sound with a block, and the framework ignores what the host sets beside that. Until the
//! block comes, what the host set is what it shows its user, so it is what the instance answers and saves.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// No value: a NaN.
const NONE: u64 = u64::MAX;

/// The values of one instance.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// The numbers of the parameters, sorted, each with its index.
    numbers: Vec<(u32, usize)>,
    /// Normalised values by index, as bits.
    values: Vec<AtomicU64>,
    /// Whether there may be any.
    any: AtomicBool,
}

impl Pending {
    /// None yet, of the parameters with these numbers.
    pub(super) fn new(numbers: impl Iterator<Item = u32>) -> Pending {
        let mut numbers: Vec<(u32, usize)> = numbers.zip(0..).collect();
        let values = numbers.iter().map(|_| AtomicU64::new(NONE)).collect();
        numbers.sort_unstable();
        Pending { numbers, values, any: AtomicBool::new(false) }
    }

    fn index(&self, number: u32) -> Option<usize> {
        let at = self.numbers.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        Some(self.numbers[at].1)
    }

    /// Keeps a value; false if there is no such parameter or the value is no number.
    pub(super) fn set(&self, number: u32, value: f64) -> bool {
        let Some(index) = self.index(number).filter(|_| value.is_finite()) else { return false };
        self.values[index].store(value.clamp(0.0, 1.0).to_bits(), Ordering::Release);
        self.any.store(true, Ordering::Release);
        true
    }

    /// The value of a parameter, if one is kept.
    pub(super) fn get(&self, number: u32) -> Option<f64> {
        self.at(self.index(number).filter(|_| self.is_any())?)
    }

    fn at(&self, index: usize) -> Option<f64> {
        let bits = self.values[index].load(Ordering::Acquire);
        (bits != NONE).then(|| f64::from_bits(bits))
    }

    /// Whether any value may be kept.
    pub(super) fn is_any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Forgets the value of a parameter, which a block has brought.
    pub(super) fn forget(&self, number: u32) {
        if let Some(index) = self.index(number) {
            self.values[index].store(NONE, Ordering::Release);
        }
    }

    /// All values, by index.
    pub(super) fn all(&self) -> Vec<(usize, f64)> {
        if !self.is_any() {
            return Vec::new();
        }
        (0..self.values.len()).filter_map(|index| Some((index, self.at(index)?))).collect()
    }

    /// Forgets and returns all values, by number.
    pub(super) fn take(&self) -> Vec<(u32, f64)> {
        if !self.any.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        let take = |(number, index): &(u32, usize)| {
            let bits = self.values[*index].swap(NONE, Ordering::AcqRel);
            (bits != NONE).then(|| (*number, f64::from_bits(bits)))
        };
        self.numbers.iter().filter_map(take).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Pending;

    #[test]
    fn a_value_is_kept_until_a_block_brings_one() {
        let pending = Pending::new([700, 5, 90].into_iter());
        assert!(pending.set(5, 0.25) && pending.set(90, 7.0));
        assert!(!pending.set(6, 0.5) && !pending.set(5, f64::NAN));
        assert_eq!((pending.get(5), pending.get(700)), (Some(0.25), None));
        assert_eq!(pending.all(), [(1, 0.25), (2, 1.0)]);
        pending.forget(5);
        assert_eq!((pending.get(5), pending.take()), (None, vec![(90, 1.0)]));
        assert!(!pending.is_any() && pending.all().is_empty());
    }
}
