//! Mel filterbanks, built in double precision.

use super::bands::Bands;
use super::scale::MelScale;
use crate::error::{Error, Result};
use crate::limits::check_size;
use neurdsp_simd::Real;

/// How each filter is normalised.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum MelNorm {
    /// Multiplied by two over its width in hertz, so that white noise gives a flat spectrum: librosa's default.
    #[default]
    Slaney,
    /// Not normalised: every triangle peaks at one.
    None,
    /// Divided by the norm of this order of its weights; the order is positive and may be infinite.
    Order(f64),
}

/// The parameters of a mel filterbank.
#[derive(Clone, Debug, PartialEq)]
pub struct MelConfig {
    /// Samples per second.
    pub sample_rate: f64,
    /// Length of the transform; there are `n_fft / 2 + 1` bins.
    pub n_fft: usize,
    /// Number of filters.
    pub n_mels: usize,
    /// Lower edge of the lowest filter, in hertz.
    pub fmin: f64,
    /// Upper edge of the highest filter, in hertz.
    pub fmax: f64,
    /// The mel scale.
    pub scale: MelScale,
    /// The normalisation of the filters.
    pub norm: MelNorm,
    /// Whether the sides of the triangles are straight over mel, as in Kaldi, instead of over hertz, as elsewhere.
    pub triangles_over_mel: bool,
}

impl MelConfig {
    /// librosa's defaults: 128 Slaney filters from 0 to half the sample rate.
    #[must_use]
    pub fn new(sample_rate: f64, n_fft: usize) -> Self {
        Self {
            sample_rate,
            n_fft,
            n_mels: 128,
            fmin: 0.0,
            fmax: sample_rate / 2.0,
            scale: MelScale::Slaney,
            norm: MelNorm::Slaney,
            triangles_over_mel: false,
        }
    }

    fn validate(&self) -> Result<()> {
        if !(self.sample_rate > 0.0 && self.sample_rate.is_finite()) {
            return Err(Error::parameter("sr", self.sample_rate, "it must be a positive number of hertz"));
        }
        check_size("n_fft", self.n_fft)?;
        if self.n_mels == 0 || self.n_mels > MAX_N_MELS {
            return Err(Error::parameter(
                "n_mels",
                self.n_mels,
                format!("it must be from 1 to {MAX_N_MELS}"),
            ));
        }
        let nyquist = self.sample_rate / 2.0;
        // NaN fails both comparisons.
        if !(self.fmin >= 0.0 && self.fmin < nyquist) {
            return Err(Error::parameter(
                "fmin",
                self.fmin,
                format!("it must be from 0 to below sr / 2 = {nyquist} Hz"),
            ));
        }
        if !(self.fmax > self.fmin && self.fmax <= nyquist) {
            let allowed =
                format!("it must be above fmin = {} Hz and at most sr / 2 = {nyquist} Hz", self.fmin);
            return Err(Error::parameter("fmax", self.fmax, allowed));
        }
        match self.norm {
            MelNorm::Order(order) if order <= 0.0 || order.is_nan() => Err(Error::parameter(
                "norm",
                order,
                "it must be 'slaney', None or a positive order (numpy.inf is one)",
            )),
            _ => Ok(()),
        }
    }
}

/// The most filters that a bank may have.
pub const MAX_N_MELS: usize = 1 << 14;

/// Triangular filters over the bins of a spectrum; only their nonzero weights are kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Filterbank {
    n_bins: usize,
    bands: Bands<f64>,
    empty: usize,
}

impl Filterbank {
    /// Builds the filters.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if a parameter of `config` is outside its domain.
    ///
    /// ```
    /// use neurdsp_dsp::{Filterbank, MelConfig};
    ///
    /// let bank = Filterbank::mel(&MelConfig::new(44_100.0, 2048))?;
    /// assert_eq!((bank.n_bands(), bank.n_bins(), bank.n_empty()), (128, 1025, 0));
    /// # Ok::<(), neurdsp_dsp::Error>(())
    /// ```
    pub fn mel(config: &MelConfig) -> Result<Self> {
        config.validate()?;
        let n_bins = config.n_fft / 2 + 1;
        let edges = config.scale.frequencies(config.n_mels + 2, config.fmin, config.fmax);
        let bin_hz = |bin: usize| bin as f64 * config.sample_rate / config.n_fft as f64;
        let on_axis = |hz: f64| if config.triangles_over_mel { config.scale.from_hz(hz) } else { hz };
        let mut bands = Bands::default();
        let mut empty = 0;
        for edge in edges.windows(3) {
            let (low, peak, high) = (on_axis(edge[0]), on_axis(edge[1]), on_axis(edge[2]));
            // One bin of slack at each end: the weights themselves decide which bins are nonzero.
            let from = ((edge[0] / bin_hz(1)).floor().max(1.0) as usize - 1).min(n_bins);
            let to = ((edge[2] / bin_hz(1)).ceil() as usize + 2).min(n_bins);
            let weight = |bin: usize| {
                let axis = on_axis(bin_hz(bin));
                ((axis - low) / (peak - low)).min((high - axis) / (high - peak)).max(0.0)
            };
            let weights: Vec<f64> = (from..to).map(weight).collect();
            if weights.iter().all(|w| *w == 0.0) {
                empty += 1;
            }
            let scale = match config.norm {
                MelNorm::Slaney => 2.0 / (edge[2] - edge[0]),
                MelNorm::None => 1.0,
                MelNorm::Order(order) => unit_norm(&weights, order),
            };
            bands.push_row(from, &weights, |w| w * scale);
        }
        Ok(Self { n_bins, bands, empty })
    }

    /// A filterbank from a matrix of `n_bands` rows of `n_bins` weights, row by row.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if the matrix is empty or not a whole number of rows.
    pub fn from_matrix(matrix: &[f64], n_bins: usize) -> Result<Self> {
        if n_bins == 0 || matrix.is_empty() || !matrix.len().is_multiple_of(n_bins) {
            return Err(Error::Length { what: "the filterbank", got: matrix.len(), expected: n_bins });
        }
        let mut bands = Bands::default();
        let mut empty = 0;
        for row in matrix.chunks_exact(n_bins) {
            empty += usize::from(row.iter().all(|w| *w == 0.0));
            bands.push_row(0, row, |w| w);
        }
        Ok(Self { n_bins, bands, empty })
    }

    /// Number of filters.
    #[must_use]
    pub fn n_bands(&self) -> usize {
        self.bands.iter().len()
    }

    /// Number of bins that the filters cover.
    #[must_use]
    pub fn n_bins(&self) -> usize {
        self.n_bins
    }

    /// Number of filters without a weight: a sign of too many filters for the length of the transform.
    #[must_use]
    pub fn n_empty(&self) -> usize {
        self.empty
    }

    /// The whole matrix, `n_bands` rows of `n_bins` weights.
    #[must_use]
    pub fn to_matrix(&self) -> Vec<f64> {
        let mut matrix = vec![0.0; self.n_bands() * self.n_bins];
        for (band, row) in self.bands.iter().zip(matrix.chunks_exact_mut(self.n_bins)) {
            row[band.first..band.first + band.weights.len()].copy_from_slice(band.weights);
        }
        matrix
    }

    /// The largest sum of the magnitudes of one filter's weights.
    pub(crate) fn largest_sum(&self) -> f64 {
        self.bands.iter().map(|band| band.weights.iter().map(|w| w.abs()).sum()).fold(0.0, f64::max)
    }

    /// The filters in the precision of a computation.
    pub(crate) fn bands<T: Real>(&self) -> Bands<T> {
        self.bands.rounded()
    }
}

fn unit_norm(weights: &[f64], order: f64) -> f64 {
    let norm = if order.is_infinite() {
        weights.iter().fold(0.0, |a: f64, w| a.max(*w))
    } else {
        weights.iter().map(|w| w.powf(order)).sum::<f64>().powf(1.0 / order)
    };
    if norm > f64::from(f32::MIN_POSITIVE) { 1.0 / norm } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unnormalised_htk_filters_cover_every_bin_between_the_outer_peaks_once() {
        let config = MelConfig { norm: MelNorm::None, n_mels: 40, ..MelConfig::new(16_000.0, 512) };
        let bank = Filterbank::mel(&config).unwrap();
        let edges = config.scale.frequencies(42, 0.0, 8000.0);
        let matrix = bank.to_matrix();
        for bin in 0..257 {
            let hz = bin as f64 * 16_000.0 / 512.0;
            if hz >= edges[1] && hz <= edges[40] {
                let sum: f64 = (0..40).map(|band| matrix[band * 257 + bin]).sum();
                assert!((sum - 1.0).abs() < 1e-12, "bin {bin}: {sum}");
            }
        }
        assert_eq!(Filterbank::from_matrix(&matrix, 257).unwrap().to_matrix(), matrix);
    }

    #[test]
    fn too_many_filters_are_counted_as_empty() {
        let bank = Filterbank::mel(&MelConfig { n_mels: 256, ..MelConfig::new(44_100.0, 512) }).unwrap();
        assert!(bank.n_empty() > 0);
    }

    #[test]
    fn bad_parameters_are_refused() {
        let good = MelConfig::new(16_000.0, 512);
        for bad in [
            MelConfig { fmax: 8001.0, ..good.clone() },
            MelConfig { fmin: -1.0, ..good.clone() },
            MelConfig { fmin: f64::NAN, ..good.clone() },
            MelConfig { n_mels: 0, ..good.clone() },
            MelConfig { sample_rate: 0.0, ..good.clone() },
            MelConfig { norm: MelNorm::Order(-1.0), ..good.clone() },
        ] {
            assert!(Filterbank::mel(&bad).is_err(), "{bad:?}");
        }
    }
}
