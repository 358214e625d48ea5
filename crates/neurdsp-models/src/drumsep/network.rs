//! The layers of a TFC-TDF network, run in the order of its forward pass.
//!
//! Weights stay as the file stores them. Each layer prepares its own when its turn comes, because the filters of
//! [`Conv3x3`] take four times their room and all of them together more than a gigabyte.

use neurdsp_nn::image::{Affine, Conv3x3, Downscale, Image, Moments, Upscale, WidthLinear};
use neurdsp_simd::Isa;
use std::borrow::Cow;

use super::config::TfcTdfConfig;
use crate::container::tensor::{Tensors, expect_tensor};
use crate::error::Result;

/// A network: its shape, and its weights by name.
pub(super) struct Network<'a> {
    pub(super) config: &'a TfcTdfConfig,
    pub(super) tensors: &'a Tensors,
    pub(super) isa: Isa,
    pub(super) n_threads: usize,
}

impl Network<'_> {
    /// Maps the spectrum of a recording to those of the stems.
    pub(super) fn run(&self, mix: &Image) -> Result<Image> {
        let config = self.config;
        let first = self.pointwise("first_conv", mix, None)?;
        let mut x = first.clone();
        let mut skips = Vec::with_capacity(config.n_scales);
        for scale in 0..config.n_scales {
            let name = format!("encoder_blocks.{scale}");
            let skip = self.tfc_tdf(&format!("{name}.tfc_tdf"), x, scale)?;
            x = self.downscale(&format!("{name}.downscale.conv"), &skip, scale)?;
            skips.push(skip);
        }
        x = self.tfc_tdf("bottleneck_block", x, config.n_scales)?;
        for (index, scale) in (0..config.n_scales).rev().enumerate() {
            let name = format!("decoder_blocks.{index}");
            x = self.upscale(&format!("{name}.upscale.conv"), &x, scale)?;
            if let Some(skip) = skips.pop() {
                x = x.concat(&skip);
            }
            x = self.tfc_tdf(&format!("{name}.tfc_tdf"), x, scale)?;
        }
        x.multiply(&first);
        drop(first);
        let x = self.pointwise("final_conv.0", &mix.concat(&x), None)?;
        self.pointwise("final_conv.2", &x, Some(&Affine::activation(config.channels, self.gelu())))
    }

    fn tfc_tdf(&self, name: &str, mut x: Image, scale: usize) -> Result<Image> {
        for index in 0..self.config.n_blocks {
            x = self.block(&format!("{name}.blocks.{index}"), &x, scale)?;
        }
        Ok(x)
    }

    /// A convolution, a bottleneck over frequency that is added to it, another convolution, and a shortcut.
    fn block(&self, name: &str, x: &Image, scale: usize) -> Result<Image> {
        let channels = self.config.scale_channels(scale);
        let (bins, inner) = (x.width(), x.width() / self.config.bottleneck_factor);
        let shortcut = self.pointwise(&format!("{name}.shortcut"), x, None)?;
        let y = self.conv3x3(&format!("{name}.tfc1"), x, channels, None)?;
        let linear = |name: &str,
                      norm: &str,
                      x: &Image,
                      outputs: usize,
                      base: Option<&Image>|
         -> Result<Image> {
            let weights = self.weights(name, &[outputs, x.width()])?;
            let before = self.norm(norm, x)?;
            Ok(WidthLinear::new(&weights, x.width(), outputs, self.isa).run(x, &before, base, self.n_threads))
        };
        let narrow = linear(&format!("{name}.tdf.2.weight"), &format!("{name}.tdf.0"), &y, inner, None)?;
        let y = linear(&format!("{name}.tdf.5.weight"), &format!("{name}.tdf.3"), &narrow, bins, Some(&y))?;
        self.conv3x3(&format!("{name}.tfc2"), &y, channels, Some(&shortcut))
    }

    fn conv3x3(&self, name: &str, x: &Image, outputs: usize, base: Option<&Image>) -> Result<Image> {
        let weights = self.weights(&format!("{name}.2.weight"), &[outputs, x.channels(), 3, 3])?;
        let layer = Conv3x3::new(&weights, x.channels(), outputs, self.isa);
        Ok(layer.run(x, &self.norm(&format!("{name}.0"), x)?, base, self.n_threads))
    }

    fn pointwise(&self, name: &str, x: &Image, before: Option<&Affine>) -> Result<Image> {
        let name = format!("{name}.weight");
        let outputs = self.tensors.get(&name).and_then(|tensor| tensor.shape.first().copied()).unwrap_or(0);
        let weights = self.weights(&name, &[outputs, x.channels(), 1, 1])?;
        let layer = Downscale::new(&weights, x.channels(), outputs, (1, 1), self.isa);
        Ok(layer.run(x, before, self.n_threads))
    }

    fn downscale(&self, name: &str, x: &Image, scale: usize) -> Result<Image> {
        let (outputs, factor) = (self.config.scale_channels(scale + 1), self.config.scale);
        let weights =
            self.weights(&format!("{name}.2.weight"), &[outputs, x.channels(), factor.0, factor.1])?;
        let before = self.norm(&format!("{name}.0"), x)?;
        Ok(Downscale::new(&weights, x.channels(), outputs, factor, self.isa).run(
            x,
            Some(&before),
            self.n_threads,
        ))
    }

    fn upscale(&self, name: &str, x: &Image, scale: usize) -> Result<Image> {
        let (outputs, factor) = (self.config.scale_channels(scale), self.config.scale);
        let weights =
            self.weights(&format!("{name}.2.weight"), &[x.channels(), outputs, factor.0, factor.1])?;
        let before = self.norm(&format!("{name}.0"), x)?;
        Ok(Upscale::new(&weights, x.channels(), outputs, factor, self.isa).run(x, &before, self.n_threads))
    }

    /// The instance norm of an image, and the activation after it.
    fn norm(&self, name: &str, x: &Image) -> Result<Affine> {
        let weight = self.weights(&format!("{name}.weight"), &[x.channels()])?;
        let bias = self.weights(&format!("{name}.bias"), &[x.channels()])?;
        Ok(Affine::instance_norm(&Moments::of(x), &weight, &bias, self.gelu()))
    }

    fn gelu(&self) -> bool {
        self.config.activation == "gelu"
    }

    /// Weights, widened if they are stored in fewer bits. They were checked when the file was loaded.
    fn weights(&self, name: &str, shape: &[usize]) -> Result<Cow<'_, [f32]>> {
        expect_tensor(self.tensors, name, shape)?.to_f32(name)
    }
}
