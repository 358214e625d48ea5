//! The low-pass filters of the resampler: windowed sincs, sampled at every phase that occurs at the ratio of the rates.

use super::ratio::Ratio;
use crate::window::bessel_i0;
use std::f64::consts::PI;

/// Design attenuation of the windows, in dB; the measured one stays above 110.
const ATTENUATION_DB: f64 = 116.0;

/// Phases in a table that covers more phases by interpolation.
pub(super) const TABLE_PHASES: u64 = 1024;

/// Rows are padded with zeros to a multiple of this, for the vector kernels.
const LANES: usize = 16;

/// The trade-off between delay and a clean change of rate. The delay is that of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ResampleQuality {
    /// Passes frequencies below 0.4535 of the lower rate (20 kHz at 44.1) and attenuates those above half of it by 110
    /// dB, so that nothing aliases. Delay: 81 samples of the lower rate.
    #[default]
    High,
    /// Passes frequencies below 0.4167 of the lower rate (20 kHz at 48) and attenuates by 110 dB those that would alias
    /// below that; those between alias onto themselves, inaudibly. Delay: 23 samples of the lower rate. At a ratio of
    /// two it is a half-band filter.
    LowLatency,
}

impl ResampleQuality {
    /// Ends of the pass band and beginning of the stop band, in cycles per sample of the lower rate.
    fn bands(self) -> (f64, f64) {
        match self {
            ResampleQuality::High => (20_000.0 / 44_100.0, 0.5),
            ResampleQuality::LowLatency => (5.0 / 12.0, 7.0 / 12.0),
        }
    }
}

/// The filter of a ratio as a function of time in input samples, symmetric around 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prototype {
    /// It is zero beyond this many input samples to each side.
    pub(super) half_width: usize,
    beta: f64,
    cutoff: f64,
    norm: f64,
}

impl Prototype {
    pub(super) fn new(ratio: Ratio, quality: ResampleQuality) -> Prototype {
        let (pass, stop) = quality.bands();
        // The lower rate, in input samples.
        let scale = (ratio.up as f64 / ratio.down as f64).min(1.0);
        let length = (ATTENUATION_DB - 7.95) / (2.285 * 2.0 * PI * (stop - pass) * scale);
        let beta = 0.1102 * (ATTENUATION_DB - 8.7);
        Prototype {
            half_width: (length / 2.0).ceil() as usize,
            beta,
            cutoff: (pass + stop) / 2.0 * scale,
            norm: bessel_i0(beta),
        }
    }

    pub(super) fn at(&self, distance: f64) -> f64 {
        let edge = distance / self.half_width as f64;
        let window = bessel_i0(self.beta * (1.0 - edge * edge).max(0.0).sqrt()) / self.norm;
        sinc(2.0 * self.cutoff * distance) * window
    }
}

/// Filters for all phases of a ratio: rows of `taps` values, the oldest sample's first.
#[derive(Clone, Debug)]
pub(super) struct Sincs {
    pub(super) rows: Vec<f32>,
    pub(super) taps: usize,
    /// A filter reaches this many input samples to each side.
    pub(super) half_width: usize,
    /// Whether a phase lies between two rows.
    pub(super) is_interpolated: bool,
}

impl Sincs {
    /// Designs the filters, each with a gain of one for a constant.
    ///
    /// Source: J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", ISCAS 1974.
    pub(super) fn new(ratio: Ratio, quality: ResampleQuality) -> Sincs {
        let prototype = Prototype::new(ratio, quality);
        let half_width = prototype.half_width;
        let is_interpolated = ratio.up > TABLE_PHASES;
        let phases = ratio.up.min(TABLE_PHASES);
        let n_rows = phases as usize + usize::from(is_interpolated);
        let taps = (2 * half_width).next_multiple_of(LANES);
        let mut rows = vec![0.0f32; n_rows * taps];
        let mut row_values = vec![0.0f64; 2 * half_width];
        for (row, to) in rows.chunks_exact_mut(taps).enumerate() {
            let phase = row as f64 / phases as f64;
            for (tap, value) in row_values.iter_mut().enumerate() {
                *value = prototype.at(phase + half_width as f64 - 1.0 - tap as f64);
            }
            let sum: f64 = row_values.iter().sum();
            to.iter_mut().zip(&row_values).for_each(|(to, value)| *to = (value / sum) as f32);
        }
        Sincs { rows, taps, half_width, is_interpolated }
    }

    pub(super) fn row(&self, index: usize) -> &[f32] {
        &self.rows[index * self.taps..(index + 1) * self.taps]
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}
