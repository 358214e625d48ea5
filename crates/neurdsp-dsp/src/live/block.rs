//! What every processor of a chain offers, and which samples are valid.

/// The largest valid magnitude of a sample, 120 dB over full scale; anything beyond counts as zero.
pub const LIMIT: f32 = 1e6;

/// A processor in a chain; it works in place.
pub trait LiveBlock: Send {
    /// Processes the next samples of the signal, any number of them.
    fn process(&mut self, samples: &mut [f32]);

    /// Forgets the signal, and completes any parameter change in progress.
    fn reset(&mut self);
}

/// The sample, or zero in place of one that is NaN, infinite or beyond [`LIMIT`].
#[inline(always)]
#[must_use]
pub fn clean(sample: f32) -> f32 {
    // False for NaN as well.
    if sample.abs() <= LIMIT { sample } else { 0.0 }
}
