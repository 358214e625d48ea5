//! The U-Net that tells the noise in a latent, and the encoder of keywords that steers it.

use neurdsp_nn::exact::functions::{cos_turns, exp, sin_turns};
use neurdsp_nn::image::{Conv2d, GroupNorm, Image, Window, Work};

use super::config::MelDiffusionConfig;
use super::layers::{Attention, Block, Linear, Source, silu};
use crate::error::Result;

/// The U-Net.
pub(super) struct Unet {
    time: [Linear; 2],
    time_dim: usize,
    /// The last has no block.
    down: Vec<(Conv2d, Option<Block>)>,
    middle: (Block, Attention, Block),
    up: Vec<(Conv2d, Block, Conv2d)>,
    norm: GroupNorm,
    output: Conv2d,
}

/// From keywords to a condition.
pub(super) struct Keywords {
    /// `[words][embedding]`.
    embedding: Vec<f32>,
    null: Vec<f32>,
    projection: Linear,
}

impl Keywords {
    pub(super) fn new(source: &mut Source<'_>, config: &MelDiffusionConfig) -> Result<Keywords> {
        let (words, dim) = (config.keywords.words.len(), config.keywords.embedding_dim);
        Ok(Keywords {
            embedding: source.values("keywords.embedding.weight", &[words, dim])?,
            null: source.values("keywords.null_embedding", &[dim])?,
            projection: source.linear("keywords.projection", dim, config.unet.condition_dim)?,
        })
    }

    /// The condition of the words of these numbers, or that of none.
    pub(super) fn encode(&self, numbers: &[usize]) -> Vec<f32> {
        if numbers.is_empty() {
            return self.projection.run(&self.null);
        }
        let dim = self.null.len();
        let mut mean = vec![0.0; dim];
        for number in numbers {
            let word = &self.embedding[number * dim..][..dim];
            mean.iter_mut().zip(word).for_each(|(mean, value)| *mean += value / numbers.len() as f32);
        }
        self.projection.run(&mean)
    }
}

impl Unet {
    pub(super) fn new(source: &mut Source<'_>, config: &MelDiffusionConfig) -> Result<Unet> {
        let shape = &config.unet;
        let (channels, groups, dim) = (&shape.channels, shape.groups, Some(shape.condition_dim));
        let latent = config.vae.latent_channels;
        let time = [
            source.linear("unet.time.0", shape.time_dim, shape.condition_dim)?,
            source.linear("unet.time.2", shape.condition_dim, shape.condition_dim)?,
        ];
        let (mut down, mut inputs) = (Vec::new(), latent);
        for (index, outputs) in channels.iter().enumerate() {
            let of = |part: &str| format!("unet.down.{index}.{part}");
            let stride = if index == 0 { 1 } else { 2 };
            let conv = source.conv(&of("conv"), inputs, *outputs, Window::square(3, stride, 1))?;
            let is_last = index + 1 == channels.len();
            let block = match is_last {
                true => None,
                false => Some(Block::new(source, &of("res"), *outputs, groups, dim)?),
            };
            down.push((conv, block));
            inputs = *outputs;
        }
        let middle = (
            Block::new(source, "unet.middle.0", inputs, groups, dim)?,
            Attention::new(source, "unet.middle.1", inputs, groups)?,
            Block::new(source, "unet.middle.2", inputs, groups, dim)?,
        );
        let mut up = Vec::new();
        for (index, outputs) in channels.iter().rev().skip(1).enumerate() {
            let of = |part: &str| format!("unet.up.{index}.{part}");
            let conv = source.doubling(&of("conv"), inputs, *outputs)?;
            let block = Block::new(source, &of("res"), 2 * outputs, groups, dim)?;
            let reduce = source.conv(&of("reduce"), 2 * outputs, *outputs, Window::square(1, 1, 0))?;
            up.push((conv, block, reduce));
            inputs = *outputs;
        }
        let norm = source.norm("unet.output.norm", inputs, groups)?;
        let output = source.conv("unet.output.conv", inputs, latent, Window::square(3, 1, 1))?;
        Ok(Unet { time, time_dim: shape.time_dim, down, middle, up, norm, output })
    }

    /// The noise in one latent, `[channels][height][width]`, under each of `conditions`: as many latents in turn.
    pub(super) fn noise(
        &self,
        latent: &[f32],
        [channels, height, width]: [usize; 3],
        step: usize,
        conditions: &[Vec<f32>],
        work: &Work,
    ) -> Vec<Vec<f32>> {
        let images = conditions.len();
        let embedded = self.time[1].run(&silu(&self.time[0].run(&embedding(step, self.time_dim))));
        let sums: Vec<f32> = conditions
            .iter()
            .flat_map(|condition| condition.iter().zip(&embedded).map(|(a, b)| a + b))
            .collect();
        let condition = silu(&sums);
        // The stack holds the latent once for each condition.
        let plane = height * width;
        let stacked: Vec<f32> = latent.chunks_exact(plane).flat_map(|values| values.repeat(images)).collect();
        let mut image = Image::from_planes(&stacked, channels, images * height, width);
        let mut skips = Vec::new();
        for (index, (conv, block)) in self.down.iter().enumerate() {
            let smaller = conv.run(&image, images, None, work);
            // What a scale has made is needed again on the way up.
            if index > 0 {
                skips.push(image);
            }
            image = match block {
                Some(block) => block.run(smaller, images, &condition, work),
                None => smaller,
            };
        }
        let (first, attention, last) = &self.middle;
        let image_in = first.run(image, images, &condition, work);
        let attended = attention.run(&image_in, images, work);
        work.keep(image_in);
        let mut image = last.run(attended, images, &condition, work);
        for (conv, block, reduce) in &self.up {
            let Some(skip) = skips.pop() else { break };
            let larger = conv.run(&image, images, None, work);
            let larger = larger.cropped(images, skip.height() / images, skip.width());
            let joined = block.run(larger.concat(&skip), images, &condition, work);
            work.keep(image);
            image = reduce.run(&joined, images, None, work);
            work.keep(joined);
        }
        let normed = self.norm.run(&image, images, true, work);
        let planes = self.output.run(&normed, images, None, work).to_planes();
        let of_image = |index: usize| {
            planes
                .chunks_exact(images * plane)
                .flat_map(|channel| &channel[index * plane..][..plane])
                .copied()
                .collect()
        };
        (0..images).map(of_image).collect()
    }
}

/// Sines and then cosines of a step, in the single precision of the training.
fn embedding(step: usize, dim: usize) -> Vec<f32> {
    let half = dim / 2;
    let angle = |i: usize| {
        let exponent = -(std::f64::consts::LN_10 * 4.0) as f32 * (i as f32 / half as f32);
        let angle = step as f32 * exp(f64::from(exponent)) as f32;
        f64::from(angle) / std::f64::consts::TAU
    };
    let sines = (0..half).map(|i| sin_turns(angle(i)) as f32);
    sines.chain((0..half).map(|i| cos_turns(angle(i)) as f32)).collect()
}
