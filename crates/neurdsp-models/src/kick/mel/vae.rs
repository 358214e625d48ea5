//! Between log-mel spectrograms and latents of unit variance.

use neurdsp_nn::image::{Conv2d, Image, Window, Work};

use super::config::MelDiffusionConfig;
use super::layers::{Block, Source};
use crate::error::Result;

/// The VAE; its encoder gives means.
pub(super) struct Vae {
    down: Vec<(Conv2d, Block)>,
    mean: Conv2d,
    input: Conv2d,
    up: Vec<(Block, Conv2d)>,
    /// Mean and standard deviation of each channel of a latent.
    scale: Vec<(f32, f32)>,
    n_mels: usize,
    n_frames: usize,
}

impl Vae {
    pub(super) fn new(source: &mut Source<'_>, config: &MelDiffusionConfig) -> Result<Vae> {
        let shape = &config.vae;
        let point = Window::square(1, 1, 0);
        let (mut down, mut inputs) = (Vec::new(), 1);
        for (index, channels) in shape.channels.iter().enumerate() {
            let of = |part: &str| format!("vae.encoder.stages.{index}.{part}");
            let conv = source.conv(&of("down"), inputs, *channels, Window::square(3, 2, 1))?;
            down.push((conv, Block::new(source, &of("res"), *channels, shape.groups, None)?));
            inputs = *channels;
        }
        let latent = shape.latent_channels;
        let mean = source.conv("vae.encoder.mu", inputs, latent, point)?;
        // Only training draws latents; the file has the weights all the same.
        source.conv("vae.encoder.logvar", inputs, latent, point)?;
        let input = source.conv("vae.decoder.input", latent, inputs, point)?;
        let mut up = Vec::new();
        let outputs = shape.channels.iter().rev().skip(1).chain([&1]);
        for (index, outputs) in outputs.enumerate() {
            let of = |part: &str| format!("vae.decoder.stages.{index}.{part}");
            let block = Block::new(source, &of("res"), inputs, shape.groups, None)?;
            up.push((block, source.doubling(&of("up"), inputs, *outputs)?));
            inputs = *outputs;
        }
        let means = source.values("vae.latent_mean", &[latent])?;
        let deviations = source.values("vae.latent_std", &[latent])?;
        let scale = means.into_iter().zip(deviations).collect();
        let (n_mels, n_frames) = (config.mel.n_mels, config.mel.n_frames());
        Ok(Vae { down, mean, input, up, scale, n_mels, n_frames })
    }

    /// The latent of a spectrogram `[n_mels][n_frames]`, as the VAE gives it.
    pub(super) fn encode(&self, mel: &[f32], work: &Work) -> Vec<f32> {
        let mut image = Image::from_planes(mel, 1, self.n_mels, self.n_frames);
        for (conv, block) in &self.down {
            let smaller = conv.run(&image, 1, None, work);
            work.keep(image);
            image = block.run(smaller, 1, &[], work);
        }
        self.mean.run(&image, 1, None, work).to_planes()
    }

    /// The spectrogram `[n_mels][n_frames]` of a latent as the VAE gives it, `[channels][height][width]`.
    pub(super) fn decode(
        &self,
        latent: &[f32],
        [channels, height, width]: [usize; 3],
        work: &Work,
    ) -> Vec<f32> {
        let latent = Image::from_planes(latent, channels, height, width);
        let mut image = self.input.run(&latent, 1, None, work);
        for (block, conv) in &self.up {
            let same = block.run(image, 1, &[], work);
            image = conv.run(&same, 1, None, work);
            work.keep(same);
        }
        image.cropped(1, self.n_mels, self.n_frames).to_planes()
    }

    /// Takes a latent of unit variance back to the scale of the VAE.
    pub(super) fn unscale(&self, latent: &mut [f32]) {
        let plane = latent.len() / self.scale.len();
        for (values, (mean, deviation)) in latent.chunks_exact_mut(plane).zip(&self.scale) {
            values.iter_mut().for_each(|value| *value = *value * deviation + mean);
        }
    }
}
