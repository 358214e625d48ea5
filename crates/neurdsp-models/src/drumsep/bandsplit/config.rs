//! The shape of a band-split network, as a model file holds it.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::Deserialize;

use crate::error::{Error, Result};

/// The architecture of band-split networks in model files.
pub const BAND_SPLIT: &str = "drumsep.band_split";

/// The name of what is in no stem.
const RESIDUAL: &str = "residual";
/// The most trained values: 64 MiB.
const MAX_PARAMETERS: usize = 1 << 24;

/// The shape of a band-split network: its transform, its bands, its layers and its stems.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandSplitConfig {
    /// In Hz.
    pub sample_rate: u32,
    /// Samples of a frame of analysis.
    pub n_fft: usize,
    /// Distance of frames in samples.
    pub hop_length: usize,
    /// Names of the stems, in the order of the outputs; what is in none of them comes behind.
    pub stems: Vec<String>,
    /// Bins of each band, from zero hertz on.
    pub bands: Vec<usize>,
    /// Bins, from zero hertz on, whose phase the network sees and whose masks are complex; it ends with a band.
    pub n_phase_bins: usize,
    /// Bins that share a mask in the bands above.
    pub mask_group: usize,
    /// Features of a band.
    pub width: usize,
    /// Units of the recurrence over time, for each band.
    pub hidden: usize,
    /// Units of the layer that mixes the bands.
    pub mixer: usize,
    /// Blocks of a recurrence and a mixer.
    pub n_blocks: usize,
    /// Units of a band in front of its masks.
    pub head: usize,
}

impl BandSplitConfig {
    /// Checks all bounds, so that nothing that follows from them overflows.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] with the name of the value.
    pub fn validate(&self) -> Result<()> {
        let within = |name: &str, got: usize, least: usize, most: usize| {
            if (least..=most).contains(&got) {
                return Ok(());
            }
            Err(refuse(name, got, format!("from {least} to {most}")))
        };
        within("sample_rate", self.sample_rate as usize, 8_000, 192_000)?;
        within("n_fft", self.n_fft, 64, 1 << 14)?;
        within("hop_length", self.hop_length, 16, 1 << 13)?;
        within("the number of stems", self.stems.len(), 1, 16)?;
        within("the number of bands", self.bands.len(), 1, 256)?;
        within("mask_group", self.mask_group, 1, 64)?;
        within("width", self.width, 1, 512)?;
        within("hidden", self.hidden, 1, 512)?;
        within("mixer", self.mixer, 1, 512)?;
        within("n_blocks", self.n_blocks, 1, 32)?;
        within("head", self.head, 1, 512)?;
        let names: BTreeSet<&str> = self.stems.iter().map(String::as_str).chain([RESIDUAL]).collect();
        if names.len() <= self.stems.len() {
            let allowed = format!("names that differ, and not {RESIDUAL}");
            return Err(refuse("stems", crate::container::json::one_line(&self.stems.join(", ")), allowed));
        }
        if !self.n_fft.is_multiple_of(2) || self.n_fft < 2 * self.hop_length {
            let allowed = format!("even and at least two hops, {}", 2 * self.hop_length);
            return Err(refuse("n_fft", self.n_fft, allowed));
        }
        for bins in &self.bands {
            within("the bins of a band", *bins, 1, self.n_bins())?;
        }
        within("the bins of all bands", self.bands.iter().sum(), self.n_bins(), self.n_bins())?;
        if self.n_phase_bins != self.n_bins()
            && !self.band_ranges().any(|bins| bins.start == self.n_phase_bins)
        {
            return Err(refuse("n_phase_bins", self.n_phase_bins, "where a band ends".to_owned()));
        }
        within("the number of parameters", self.n_parameters(), 1, MAX_PARAMETERS)
    }

    /// Bins of a frame.
    #[must_use]
    pub fn n_bins(&self) -> usize {
        self.n_fft / 2 + 1
    }

    /// By how many samples the stems lag behind the recording.
    #[must_use]
    pub fn latency(&self) -> usize {
        2 * self.hop_length
    }

    /// Stems and the residual.
    #[must_use]
    pub fn n_outputs(&self) -> usize {
        self.stems.len() + 1
    }

    /// The number of trained values.
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        self.parameter_shapes().iter().map(|(_, shape)| shape.iter().product::<usize>()).sum()
    }

    /// The bins of each band.
    pub(super) fn band_ranges(&self) -> impl Iterator<Item = Range<usize>> {
        self.bands.iter().scan(0, |first, bins| {
            let range = *first..*first + bins;
            *first = range.end;
            Some(range)
        })
    }

    /// Whether the masks of a band are complex.
    pub(super) fn has_phase(&self, bins: &Range<usize>) -> bool {
        bins.start < self.n_phase_bins
    }

    /// The features of the spectrum that a band sees.
    pub(super) fn n_inputs(&self, bins: &Range<usize>) -> usize {
        bins.len() * if self.has_phase(bins) { 4 } else { 2 }
    }

    /// The masks of one output in a band, each for one bin or group of bins.
    pub(super) fn n_masks(&self, bins: &Range<usize>) -> usize {
        bins.len().div_ceil(if self.has_phase(bins) { 1 } else { self.mask_group })
    }

    /// Rows of the last layer of a band: for each output its masks, and their complex parts behind.
    pub(super) fn n_rows(&self, bins: &Range<usize>) -> usize {
        self.n_outputs() * self.n_masks(bins) * if self.has_phase(bins) { 3 } else { 1 }
    }

    /// Name and shape of each tensor.
    pub(super) fn parameter_shapes(&self) -> Vec<(String, Vec<usize>)> {
        let (n_bands, width, hidden) = (self.bands.len(), self.width, self.hidden);
        let mut shapes = Vec::new();
        for (band, bins) in self.band_ranges().enumerate() {
            shapes.push((format!("encoders.{band}.weight"), vec![width, self.n_inputs(&bins)]));
            shapes.push((format!("encoders.{band}.bias"), vec![width]));
            shapes.push((format!("decoders.{band}.weight"), vec![self.n_rows(&bins), self.head]));
            shapes.push((format!("decoders.{band}.bias"), vec![self.n_rows(&bins)]));
        }
        for index in 0..self.n_blocks {
            let mut put =
                |name: &str, shape: &[usize]| shapes.push((format!("blocks.{index}.{name}"), shape.to_vec()));
            put("time_norm.weight", &[width]);
            put("time_in.weight", &[3 * hidden, width]);
            put("time_in.bias", &[3 * hidden]);
            put("time_out.weight", &[width, hidden]);
            put("time_out.bias", &[width]);
            put("band_norm.weight", &[width]);
            put("band_in.weight", &[self.mixer, n_bands]);
            put("band_in.bias", &[self.mixer]);
            put("band_out.weight", &[n_bands, self.mixer]);
        }
        shapes.push(("head_norm.weight".to_owned(), vec![width]));
        shapes.push(("head.weight".to_owned(), vec![n_bands, self.head, width]));
        shapes.push(("head.bias".to_owned(), vec![n_bands, self.head]));
        shapes
    }
}

fn refuse(name: &str, got: impl ToString, expected: String) -> Error {
    Error::OutOfRange { name: name.to_owned(), got: got.to_string(), expected }
}
