//! The shapes of the networks, as a model file holds them.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::container::json::one_line;
use crate::error::{Error, Result};

/// The architecture in model files.
pub const MEL_DIFFUSION: &str = "kick.mel_diffusion";

/// Most values of an image or of a signal inside a network: 256 MiB.
const MAX_VALUES: usize = 1 << 26;
/// Most pixels of a spectrogram.
const MAX_PIXELS: usize = 1 << 20;
/// Most pixels that attend to each other.
const MAX_TOKENS: usize = 4096;

/// All that makes a kick from keywords and noise.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MelDiffusionConfig {
    /// The spectrogram.
    pub mel: MelShape,
    /// Between spectrograms and latents.
    pub vae: VaeShape,
    /// From noisy latents to their noise.
    pub unet: UnetShape,
    /// The vocabulary.
    pub keywords: KeywordShape,
    /// From spectrograms to audio.
    pub vocoder: VocoderShape,
    /// The noise of latents.
    pub noise: NoiseShape,
}

/// A log-mel spectrogram.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MelShape {
    /// In Hz.
    pub sample_rate: u32,
    /// Samples of a kick.
    pub n_samples: usize,
    /// Samples of a frame.
    pub n_fft: usize,
    /// Samples from a frame to the next.
    pub hop_length: usize,
    /// Bands.
    pub n_mels: usize,
    /// Least power.
    pub floor: f64,
}

/// A VAE.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaeShape {
    /// Of each stage of the encoder.
    pub channels: Vec<usize>,
    /// Of a latent.
    pub latent_channels: usize,
    /// Groups of each norm.
    pub groups: usize,
}

/// A U-Net.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnetShape {
    /// Of each scale.
    pub channels: Vec<usize>,
    /// Sines and cosines of a step.
    pub time_dim: usize,
    /// Length of a condition.
    pub condition_dim: usize,
    /// Groups of each norm.
    pub groups: usize,
}

/// A vocabulary.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeywordShape {
    /// The words; the place of a word is its number.
    pub words: Vec<String>,
    /// Length of an embedding.
    pub embedding_dim: usize,
}

/// A HiFi-GAN generator.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VocoderShape {
    /// Channels before the first enlargement; each halves them.
    pub channels: usize,
    /// Factor of each enlargement.
    pub upsample_rates: Vec<usize>,
    /// Taps of each enlargement.
    pub upsample_kernels: Vec<usize>,
    /// Taps of the residual blocks.
    pub resblock_kernels: Vec<usize>,
    /// Dilations in each block.
    pub resblock_dilations: Vec<usize>,
}

/// Variances that rise linearly over the steps.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseShape {
    /// Steps from a latent to noise.
    pub n_steps: usize,
    /// Variance that the first step adds.
    pub beta_start: f64,
    /// Variance that the last step adds.
    pub beta_end: f64,
}

impl MelShape {
    /// Frames of a kick.
    #[must_use]
    pub fn n_frames(&self) -> usize {
        self.n_samples / self.hop_length + 1
    }
}

impl MelDiffusionConfig {
    /// Checks all bounds, so that nothing that follows from them overflows.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] with the name of the value.
    pub fn validate(&self) -> Result<()> {
        let MelDiffusionConfig { mel, vae, unet, keywords, vocoder, noise } = self;
        within("mel.sample_rate", mel.sample_rate as usize, 8_000, 192_000)?;
        within("mel.n_samples", mel.n_samples, 1_024, 1 << 20)?;
        within("mel.n_fft", mel.n_fft, 64, 1 << 14)?;
        within("mel.hop_length", mel.hop_length, 2, (mel.n_fft / 2).min(1 << 13))?;
        within("mel.n_mels", mel.n_mels, 8, 512)?;
        within("the pixels of a spectrogram", mel.n_mels * mel.n_frames(), 1, MAX_PIXELS)?;
        within("vae.latent_channels", vae.latent_channels, 1, 64)?;
        channels("vae.channels", &vae.channels, 1, vae.groups)?;
        channels("unet.channels", &unet.channels, 2, unet.groups)?;
        within("unet.time_dim", unet.time_dim, 2, 1024)?;
        if !unet.time_dim.is_multiple_of(2) {
            return Err(refuse("unet.time_dim", unet.time_dim, "even".to_owned()));
        }
        within("unet.condition_dim", unet.condition_dim, 1, 4096)?;
        within("keywords.embedding_dim", keywords.embedding_dim, 1, 1024)?;
        within("the number of keywords", keywords.words.len(), 1, 4096)?;
        let distinct = keywords.words.iter().collect::<BTreeSet<_>>().len();
        within("the number of different keywords", distinct, keywords.words.len(), keywords.words.len())?;
        self.check_vocoder(vocoder)?;
        within("noise.n_steps", noise.n_steps, 2, 10_000)?;
        for (name, beta) in [("noise.beta_start", noise.beta_start), ("noise.beta_end", noise.beta_end)] {
            if !(beta > 0.0 && beta < 1.0) {
                return Err(refuse(name, beta, "between 0 and 1".to_owned()));
            }
        }
        self.check_images()
    }

    fn check_vocoder(&self, vocoder: &VocoderShape) -> Result<()> {
        within("vocoder.channels", vocoder.channels, 2, 1024)?;
        let stages = vocoder.upsample_rates.len();
        within("the number of vocoder.upsample_rates", stages, 1, 8)?;
        within("the number of vocoder.upsample_kernels", vocoder.upsample_kernels.len(), stages, stages)?;
        within("the number of vocoder.resblock_kernels", vocoder.resblock_kernels.len(), 1, 4)?;
        within("the number of vocoder.resblock_dilations", vocoder.resblock_dilations.len(), 1, 4)?;
        if !vocoder.channels.is_multiple_of(1 << stages) {
            return Err(refuse(
                "vocoder.channels",
                vocoder.channels,
                format!("a multiple of {}", 1 << stages),
            ));
        }
        let mut frames = self.mel.n_frames();
        for (index, (rate, kernel)) in
            vocoder.upsample_rates.iter().zip(&vocoder.upsample_kernels).enumerate()
        {
            within("one of vocoder.upsample_rates", *rate, 2, 32)?;
            within("one of vocoder.upsample_kernels", *kernel, *rate, 64)?;
            if (kernel - rate) % 2 != 0 {
                let expected = format!("longer than its rate, {rate}, by an even number");
                return Err(refuse("one of vocoder.upsample_kernels", kernel, expected));
            }
            frames *= rate;
            let values = frames * (vocoder.channels >> (index + 1)).next_multiple_of(16);
            within("the values of a signal in the vocoder", values, 1, MAX_VALUES)?;
        }
        let hop: usize = vocoder.upsample_rates.iter().product();
        within("the product of vocoder.upsample_rates", hop, self.mel.hop_length, self.mel.hop_length)?;
        for kernel in &vocoder.resblock_kernels {
            within("one of vocoder.resblock_kernels", *kernel, 1, 31)?;
            if kernel % 2 == 0 {
                return Err(refuse("one of vocoder.resblock_kernels", kernel, "odd".to_owned()));
            }
        }
        vocoder
            .resblock_dilations
            .iter()
            .try_for_each(|dilation| within("one of vocoder.resblock_dilations", *dilation, 1, 64))
    }

    /// The sizes of images inside the VAE and the U-Net.
    fn check_images(&self) -> Result<()> {
        let mut size = (self.mel.n_mels, self.mel.n_frames());
        let halve = |(height, width): (usize, usize)| (height.div_ceil(2), width.div_ceil(2));
        for channels in &self.vae.channels {
            // The decoder works at up to twice the size.
            let values = 4 * size.0 * size.1 * channels;
            within("the values of an image in the VAE", values, 1, MAX_VALUES)?;
            size = halve(size);
        }
        for (index, channels) in self.unet.channels.iter().enumerate() {
            if index > 0 {
                size = halve(size);
            }
            let values = 8 * size.0 * size.1 * channels;
            within("the values of an image in the U-Net", values, 1, MAX_VALUES)?;
        }
        within("the pixels that attend to each other", size.0 * size.1, 1, MAX_TOKENS)
    }

    /// Channels, bands and frames of a latent.
    #[must_use]
    pub fn latent_shape(&self) -> [usize; 3] {
        let halved = |length: usize| self.vae.channels.iter().fold(length, |length, _| length.div_ceil(2));
        [self.vae.latent_channels, halved(self.mel.n_mels), halved(self.mel.n_frames())]
    }
}

fn channels(name: &str, channels: &[usize], least: usize, groups: usize) -> Result<()> {
    within(&format!("the number of {name}"), channels.len(), least, 6)?;
    within("the groups of a norm", groups, 1, 64)?;
    for count in channels {
        within(&format!("one of {name}"), *count, 1, 2048)?;
        if !count.is_multiple_of(groups) {
            return Err(refuse(
                &format!("one of {name}"),
                count,
                format!("a multiple of the groups, {groups}"),
            ));
        }
    }
    Ok(())
}

fn within(name: &str, got: usize, least: usize, most: usize) -> Result<()> {
    if (least..=most).contains(&got) {
        return Ok(());
    }
    let expected = if least == most { least.to_string() } else { format!("from {least} to {most}") };
    Err(refuse(name, got, expected))
}

pub(super) fn refuse(name: &str, got: impl ToString, expected: String) -> Error {
    Error::OutOfRange { name: name.to_owned(), got: one_line(&got.to_string()), expected }
}
