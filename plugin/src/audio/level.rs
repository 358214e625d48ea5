//! Peak levels, from the audio thread to a meter.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// A peak level that one thread raises and another reads and resets.
#[derive(Debug, Default)]
pub(crate) struct Level {
    peak: AtomicU32,
    clipped: AtomicBool,
}

impl Level {
    /// Raises the level to the peak of a block.
    pub(crate) fn update(&self, block: &[f32]) {
        let peak = block.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        if peak >= 1.0 {
            self.clipped.store(true, Ordering::Relaxed);
        }
        // The bits of floats that are not negative are in the order of the floats.
        self.peak.fetch_max(peak.to_bits(), Ordering::Relaxed);
    }

    /// The highest level since the last call.
    pub(crate) fn take(&self) -> f32 {
        f32::from_bits(self.peak.swap(0, Ordering::Relaxed))
    }

    /// Whether any sample has reached full scale since [`clear_clipped`](Self::clear_clipped).
    pub(crate) fn clipped(&self) -> bool {
        self.clipped.load(Ordering::Relaxed)
    }

    /// Turns the clipping light off.
    pub(crate) fn clear_clipped(&self) {
        self.clipped.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn the_peak_is_read_once_and_clipping_stays_until_it_is_cleared() {
        let level = Level::default();
        level.update(&[0.25, -0.5]);
        level.update(&[0.125]);
        assert_eq!((level.take(), level.take(), level.clipped()), (0.5, 0.0, false));
        level.update(&[-1.0]);
        assert!(level.clipped() && level.take() == 1.0 && level.clipped());
        level.clear_clipped();
        assert!(!level.clipped());
    }
}
