//! The shape of a TFC-TDF network, as a model file holds it.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::error::{Error, Result};

/// The architecture of TFC-TDF v3 networks in model files.
pub const TFC_TDF: &str = "drumsep.tfc_tdf";

/// The most trained values, and samples of a chunk.
const MAX_PARAMETERS: usize = 1 << 30;
const MAX_CHUNK_SAMPLES: usize = 1 << 24;

/// The shape of a TFC-TDF network: its transform, its layers and its stems.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TfcTdfConfig {
    /// In Hz.
    pub sample_rate: u32,
    /// Channels of the recording and of each stem, 1 or 2.
    pub audio_channels: usize,
    /// Length of the transform in samples.
    pub n_fft: usize,
    /// Distance of its frames in samples.
    pub hop_length: usize,
    /// Bins that the network sees, from zero hertz on.
    pub n_bins: usize,
    /// Samples that the network sees at a time.
    pub chunk_samples: usize,
    /// Frames of a chunk as another program takes it, or 0.
    pub inference_frames: usize,
    /// Names of the stems, in the order of the outputs.
    pub stems: Vec<String>,
    /// Bands that the bins are split into.
    pub n_subbands: usize,
    /// Channels of the first scale.
    pub channels: usize,
    /// Channels that each further scale adds.
    pub growth: usize,
    /// Number of scales above the bottleneck.
    pub n_scales: usize,
    /// TFC-TDF blocks of each scale.
    pub n_blocks: usize,
    /// Factor in time and in frequency from one scale to the next.
    pub scale: (usize, usize),
    /// How many times narrower the inner layer of a TDF is.
    pub bottleneck_factor: usize,
    /// `gelu` or `relu`.
    pub activation: String,
    /// Chunks that overlap at each sample.
    pub n_overlaps: usize,
    /// Chunks that the network's own program gives it at a time.
    #[serde(default = "one")]
    pub batch_size: usize,
    /// Chunks below this mean absolute value are skipped by the network's own program.
    pub min_mean_abs: f64,
    /// Whether a recording is normalised before it is separated.
    pub normalize: bool,
}

/// The batch of files that name none.
fn one() -> usize {
    1
}

impl TfcTdfConfig {
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
        within("audio_channels", self.audio_channels, 1, 2)?;
        within("n_fft", self.n_fft, 64, 1 << 16)?;
        within("hop_length", self.hop_length, 1, self.n_fft / 2)?;
        within("n_bins", self.n_bins, 1, self.n_fft / 2 + 1)?;
        within("chunk_samples", self.chunk_samples, self.n_fft, MAX_CHUNK_SAMPLES)?;
        within("the number of stems", self.stems.len(), 1, 64)?;
        within("n_subbands", self.n_subbands, 1, 64)?;
        within("channels", self.channels, 1, 2048)?;
        within("growth", self.growth, 0, 2048)?;
        within("n_scales", self.n_scales, 0, 10)?;
        within("n_blocks", self.n_blocks, 1, 16)?;
        within("the factor of scale in time", self.scale.0, 1, 8)?;
        within("the factor of scale in frequency", self.scale.1, 1, 8)?;
        within("bottleneck_factor", self.bottleneck_factor, 1, 64)?;
        within("n_overlaps", self.n_overlaps, 1, 64)?;
        within("batch_size", self.batch_size, 1, 1024)?;
        if self.stems.iter().collect::<BTreeSet<_>>().len() < self.stems.len() {
            return Err(refuse("stems", self.stems.join(", "), "names that differ".to_owned()));
        }
        if !["gelu", "relu"].contains(&self.activation.as_str()) {
            let name = crate::container::json::one_line(&self.activation);
            return Err(refuse("activation", name, "gelu or relu".to_owned()));
        }
        let step = self.n_subbands * self.scale.1.pow(self.n_scales as u32);
        if !self.n_bins.is_multiple_of(step) {
            return Err(refuse("n_bins", self.n_bins, format!("a multiple of {step}")));
        }
        if !self.n_frames().is_multiple_of(self.frame_multiple()) {
            let expected = format!("frames in a multiple of {}", self.frame_multiple());
            return Err(refuse("chunk_samples", self.chunk_samples, expected));
        }
        within("bottleneck_factor", self.bottleneck_factor, 1, self.band_bins(self.n_scales))?;
        let n_parameters: usize =
            self.parameter_shapes().iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();
        within("the number of parameters", n_parameters, 1, MAX_PARAMETERS)
    }

    /// Frames of a chunk.
    #[must_use]
    pub fn n_frames(&self) -> usize {
        self.chunk_samples / self.hop_length + 1
    }

    /// Frames of a chunk are a multiple of this.
    #[must_use]
    pub fn frame_multiple(&self) -> usize {
        self.scale.0.pow(self.n_scales as u32)
    }

    /// Bins of a sub-band at a scale.
    pub(super) fn band_bins(&self, scale: usize) -> usize {
        self.n_bins / self.n_subbands / self.scale.1.pow(scale as u32)
    }

    /// Channels at a scale.
    pub(super) fn scale_channels(&self, scale: usize) -> usize {
        self.channels + self.growth * scale
    }

    /// Channels of a spectrum split into sub-bands.
    pub(super) fn complex_channels(&self) -> usize {
        2 * self.audio_channels * self.n_subbands
    }

    /// Name and shape of each tensor.
    pub(super) fn parameter_shapes(&self) -> Vec<(String, Vec<usize>)> {
        let complex = self.complex_channels();
        let mut shapes = vec![("first_conv.weight".to_owned(), vec![self.channels, complex, 1, 1])];
        let norm = |shapes: &mut Vec<(String, Vec<usize>)>, name: String, c: usize| {
            shapes.push((format!("{name}.weight"), vec![c]));
            shapes.push((format!("{name}.bias"), vec![c]));
        };
        let tfc_tdf =
            |shapes: &mut Vec<(String, Vec<usize>)>, name: &str, c_in: usize, c: usize, bins: usize| {
                let inner = bins / self.bottleneck_factor;
                for index in 0..self.n_blocks {
                    let (block, width) =
                        (format!("{name}.blocks.{index}"), if index == 0 { c_in } else { c });
                    norm(shapes, format!("{block}.tfc1.0"), width);
                    shapes.push((format!("{block}.tfc1.2.weight"), vec![c, width, 3, 3]));
                    norm(shapes, format!("{block}.tdf.0"), c);
                    shapes.push((format!("{block}.tdf.2.weight"), vec![inner, bins]));
                    norm(shapes, format!("{block}.tdf.3"), c);
                    shapes.push((format!("{block}.tdf.5.weight"), vec![bins, inner]));
                    norm(shapes, format!("{block}.tfc2.0"), c);
                    shapes.push((format!("{block}.tfc2.2.weight"), vec![c, c, 3, 3]));
                    shapes.push((format!("{block}.shortcut.weight"), vec![c, width, 1, 1]));
                }
            };
        for scale in 0..self.n_scales {
            let (c, wider) = (self.scale_channels(scale), self.scale_channels(scale + 1));
            let (encoder, decoder) =
                (format!("encoder_blocks.{scale}"), format!("decoder_blocks.{}", self.n_scales - 1 - scale));
            let bins = self.band_bins(scale);
            tfc_tdf(&mut shapes, &format!("{encoder}.tfc_tdf"), c, c, bins);
            norm(&mut shapes, format!("{encoder}.downscale.conv.0"), c);
            shapes.push((
                format!("{encoder}.downscale.conv.2.weight"),
                vec![wider, c, self.scale.0, self.scale.1],
            ));
            norm(&mut shapes, format!("{decoder}.upscale.conv.0"), wider);
            shapes.push((
                format!("{decoder}.upscale.conv.2.weight"),
                vec![wider, c, self.scale.0, self.scale.1],
            ));
            tfc_tdf(&mut shapes, &format!("{decoder}.tfc_tdf"), 2 * c, c, bins);
        }
        let widest = self.scale_channels(self.n_scales);
        tfc_tdf(&mut shapes, "bottleneck_block", widest, widest, self.band_bins(self.n_scales));
        shapes.push(("final_conv.0.weight".to_owned(), vec![self.channels, self.channels + complex, 1, 1]));
        shapes
            .push(("final_conv.2.weight".to_owned(), vec![self.stems.len() * complex, self.channels, 1, 1]));
        shapes
    }
}

fn refuse(name: &str, got: impl ToString, expected: String) -> Error {
    Error::OutOfRange { name: name.to_owned(), got: got.to_string(), expected }
}
