//! From the values of the last layers to masks, and from a spectrum to those of the stems.

use std::ops::Range;

use neurdsp_nn::dense::{padded, softmax};
use neurdsp_simd::Isa;

use super::config::BandSplitConfig;

/// Factor on the logits of masks.
const MASK_GAIN: f32 = 4.0;
/// Factor on the complex part of masks.
const PHASE_GAIN: f32 = 0.2;
/// Values that are treated together, of which padded rows are a multiple.
const LANES: usize = padded(1);

/// Where the values of masks lie.
///
/// A row holds for each output the logits of all its masks, the complex ones first; behind them the real, then the imaginary
/// parts of the complex masks of each output. All are padded.
#[derive(Debug)]
pub(super) struct MaskPlan {
    bands: Vec<BandMasks>,
    n_outputs: usize,
    n_phase_bins: usize,
    mask_group: usize,
    /// Masks of an output, padded; and complex ones.
    masks: usize,
    phases: usize,
}

/// The masks of a band.
#[derive(Debug)]
struct BandMasks {
    bins: Range<usize>,
    first: usize,
    count: usize,
    has_phase: bool,
}

impl MaskPlan {
    pub(super) fn new(config: &BandSplitConfig) -> MaskPlan {
        let mut first = 0;
        let bands = config.band_ranges().map(|bins| {
            let masks =
                BandMasks { count: config.n_masks(&bins), has_phase: config.has_phase(&bins), first, bins };
            first += masks.count;
            masks
        });
        MaskPlan {
            bands: bands.collect(),
            n_outputs: config.n_outputs(),
            n_phase_bins: config.n_phase_bins,
            mask_group: config.mask_group,
            masks: padded(first),
            phases: padded(config.n_phase_bins),
        }
    }

    /// Values of a row.
    pub(super) fn row(&self) -> usize {
        self.n_outputs * (self.masks + 2 * self.phases)
    }

    /// Brings what the decoder of a band gave, `[3 or 1][outputs][masks]`, to its places in a row.
    pub(super) fn place(&self, band: usize, from: &[f32], row: &mut [f32]) {
        let BandMasks { first, count, has_phase, .. } = self.bands[band];
        let (logits, complex) = row.split_at_mut(self.n_outputs * self.masks);
        let mut parts = from.chunks_exact(count);
        for (to, part) in logits.chunks_exact_mut(self.masks).zip(&mut parts) {
            to[first..first + count].copy_from_slice(part);
        }
        if has_phase {
            // Complex masks come first, so they lie in the same place.
            for (to, part) in complex.chunks_exact_mut(self.phases).zip(&mut parts) {
                to[first..first + count].copy_from_slice(part);
            }
        }
    }

    /// Turns the values of a row into masks: a softmax over the outputs, and complex corrections that sum to nothing.
    pub(super) fn finish(&self, isa: Isa, row: &mut [f32]) {
        let (real, complex) = row.split_at_mut(self.n_outputs * self.masks);
        softmax(isa, real, self.n_outputs, MASK_GAIN);
        let share = (self.n_outputs as f32).recip();
        let (corrections, imaginary) = complex.split_at_mut(self.n_outputs * self.phases);
        for part in [&mut *corrections, imaginary] {
            for first in (0..self.phases).step_by(LANES) {
                let places = || (0..self.n_outputs).map(|output| output * self.phases + first);
                let mut mean = [0.0; LANES];
                for at in places() {
                    mean.iter_mut()
                        .zip(&part[at..at + LANES])
                        .for_each(|(mean, value)| *mean += share * value);
                }
                for at in places() {
                    let values = part[at..at + LANES].iter_mut().zip(&mean);
                    values.for_each(|(value, mean)| *value = PHASE_GAIN * (*value - mean));
                }
            }
        }
        for output in 0..self.n_outputs {
            let real = &mut real[output * self.masks..][..self.n_phase_bins];
            let corrections = &corrections[output * self.phases..];
            real.iter_mut().zip(corrections).for_each(|(real, correction)| *real += correction);
        }
    }

    /// The spectrum of an output: that of the recording times its mask.
    pub(super) fn apply(
        &self,
        output: usize,
        row: &[f32],
        (re, im): (&[f32], &[f32]),
        (to_re, to_im): (&mut [f32], &mut [f32]),
    ) {
        let (real, complex) = row.split_at(self.n_outputs * self.masks);
        let real = &real[output * self.masks..][..self.masks];
        let (n, first) = (self.n_phase_bins, (self.n_outputs + output) * self.phases);
        let imaginary = &complex[first..first + n];
        for bin in 0..n {
            let (a, b, x, y) = (real[bin], imaginary[bin], re[bin], im[bin]);
            (to_re[bin], to_im[bin]) = (a * x - b * y, a * y + b * x);
        }
        for band in self.bands.iter().filter(|band| !band.has_phase) {
            let masks = &real[band.first..band.first + band.count];
            // A mask for each group of bins; the last group may be shorter.
            let groups = band.bins.clone().step_by(self.mask_group);
            for (mask, begin) in masks.iter().zip(groups) {
                for bin in begin..(begin + self.mask_group).min(band.bins.end) {
                    (to_re[bin], to_im[bin]) = (mask * re[bin], mask * im[bin]);
                }
            }
        }
    }
}
