//! The layers of a TFC-TDF network, run in the order of its forward pass.
//!
//! Norms and activations are taken along by the layer that reads what they normalise, from sums that the layer before has
//! gathered. A shortcut is computed by the convolution that it is added to. So each image is written once and read once or
//! twice, and five of the largest are held at a time.

use neurdsp_nn::image::{
    Affine, Channels, Conv3x3, Downscale, Image, LANES, Moments, Pointwise, Precision, Upscale, WidthLinear,
    Work,
};
use neurdsp_simd::Isa;
use std::borrow::Cow;

use super::config::TfcTdfConfig;
use crate::container::tensor::{Tensors, expect_floats};
use crate::error::Result;

/// A network: its layers, with their weights as they use them.
pub(super) struct Network {
    first: Pointwise,
    encoders: Vec<(Vec<Block>, Norm, Downscale)>,
    bottleneck: Vec<Block>,
    decoders: Vec<(Norm, Upscale, Vec<Block>)>,
    last: [Pointwise; 2],
    gelu: bool,
}

/// Weight and bias of an instance norm.
struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    gelu: bool,
}

/// A convolution, a bottleneck over frequency that is added to it, another convolution, and a shortcut.
struct Block {
    first: (Norm, Conv3x3),
    narrow: (Norm, WidthLinear),
    wide: (Norm, WidthLinear),
    second: (Norm, Conv3x3),
    shortcut: Pointwise,
}

/// An image, and what the norm after it needs.
type Measured = (Image, Moments);

impl Norm {
    fn of(&self, moments: &Moments) -> Affine {
        Affine::instance_norm(moments, &self.weight, &self.bias, self.gelu)
    }
}

impl Block {
    fn run(&self, x: Channels<'_>, moments: &Moments, work: &Work) -> Measured {
        let (norm, layer) = &self.first;
        let (mut y, moments) = layer.run(x, &norm.of(moments), None, work);
        let (norm, layer) = &self.narrow;
        let (narrow, inner) = layer.run(&y, &norm.of(&moments), work);
        let (norm, layer) = &self.wide;
        let moments = layer.add(&narrow, &norm.of(&inner), &mut y, work);
        work.keep(narrow);
        let (norm, layer) = &self.second;
        let z = layer.run(&y, &norm.of(&moments), Some((&self.shortcut, x)), work);
        work.keep(y);
        z
    }
}

/// Blocks one after another, on an image of their own.
fn run_blocks(blocks: &[Block], mut x: Measured, work: &Work) -> Measured {
    for block in blocks {
        let next = block.run((&x.0).into(), &x.1, work);
        work.keep(std::mem::replace(&mut x, next).0);
    }
    x
}

impl Network {
    /// Takes the layers out of the tensors of a file.
    pub(super) fn new(
        config: &TfcTdfConfig,
        tensors: &Tensors,
        isa: Isa,
        precision: Precision,
    ) -> Result<Self> {
        let build = Build { config, tensors, isa, precision };
        let (scales, c) = (config.n_scales, |scale| config.scale_channels(scale));
        let complex = config.complex_channels();
        let encoder = |scale: usize| {
            let name = format!("encoder_blocks.{scale}");
            let blocks = build.blocks(&format!("{name}.tfc_tdf"), c(scale), scale)?;
            let shape = [c(scale + 1), c(scale), config.scale.0, config.scale.1];
            let weights = build.weights(&format!("{name}.downscale.conv.2.weight"), &shape)?;
            let layer = Downscale::new(&weights, shape[1], shape[0], config.scale, isa);
            Ok((blocks, build.norm(&format!("{name}.downscale.conv.0"), c(scale))?, layer))
        };
        let decoder = |scale: usize| {
            let name = format!("decoder_blocks.{}", scales - 1 - scale);
            let shape = [c(scale + 1), c(scale), config.scale.0, config.scale.1];
            let weights = build.weights(&format!("{name}.upscale.conv.2.weight"), &shape)?;
            let layer = Upscale::new(&weights, shape[0], shape[1], config.scale, isa);
            let norm = build.norm(&format!("{name}.upscale.conv.0"), c(scale + 1))?;
            Ok((norm, layer, build.blocks(&format!("{name}.tfc_tdf"), 2 * c(scale), scale)?))
        };
        Ok(Self {
            first: build.pointwise("first_conv", complex, c(0))?,
            encoders: (0..scales).map(encoder).collect::<Result<_>>()?,
            bottleneck: build.blocks("bottleneck_block", c(scales), scales)?,
            decoders: (0..scales).rev().map(decoder).collect::<Result<_>>()?,
            last: [
                build.pointwise("final_conv.0", c(0) + complex, c(0))?,
                build.pointwise("final_conv.2", c(0), config.stems.len() * complex)?,
            ],
            gelu: build.gelu(),
        })
    }

    /// Maps the spectrum of a recording to those of the stems.
    pub(super) fn run(&self, mix: &Image, work: &Work) -> Image {
        let first = self.first.run(mix, None, work);
        let mut skips: Vec<Measured> = Vec::with_capacity(self.encoders.len());
        let mut down: Option<Measured> = None;
        for (blocks, norm, layer) in &self.encoders {
            let skip = Self::scale(blocks, down, &first, work);
            down = Some(layer.run(&skip.0, &norm.of(&skip.1), work));
            skips.push(skip);
        }
        let mut last = Self::scale(&self.bottleneck, down, &first, work);
        for (norm, layer, blocks) in &self.decoders {
            let (Some((block, others)), Some(skip)) = (blocks.split_first(), skips.pop()) else { continue };
            let up = layer.run(&last.0, &norm.of(&last.1), work);
            work.keep(last.0);
            last = if up.0.channels().is_multiple_of(LANES) {
                block.run(Channels::both(&up.0, &skip.0), &up.1.both(&skip.1), work)
            } else {
                let both = up.0.concat(&skip.0);
                block.run((&both).into(), &Moments::of(&both), work)
            };
            work.keep(up.0);
            work.keep(skip.0);
            last = run_blocks(others, last, work);
        }
        let (mut x, _) = last;
        work.multiply(&mut x, &first.0);
        work.keep(first.0);
        let hidden = if mix.channels().is_multiple_of(LANES) {
            self.last[0].run(Channels::both(mix, &x), None, work).0
        } else {
            self.last[0].run(&mix.concat(&x), None, work).0
        };
        work.keep(x);
        let stems =
            self.last[1].run(&hidden, Some(&Affine::activation(hidden.channels(), self.gelu)), work).0;
        work.keep(hidden);
        stems
    }

    /// The blocks of a scale on what comes down to it, or on the first image, which is read again later.
    fn scale(blocks: &[Block], down: Option<Measured>, first: &Measured, work: &Work) -> Measured {
        match (down, blocks.split_first()) {
            (Some(down), _) => run_blocks(blocks, down, work),
            (None, Some((block, others))) => {
                run_blocks(others, block.run((&first.0).into(), &first.1, work), work)
            }
            (None, None) => first.clone(),
        }
    }
}

/// Builds layers from tensors.
struct Build<'a> {
    config: &'a TfcTdfConfig,
    tensors: &'a Tensors,
    isa: Isa,
    precision: Precision,
}

impl Build<'_> {
    fn blocks(&self, name: &str, inputs: usize, scale: usize) -> Result<Vec<Block>> {
        let widths = std::iter::once(inputs).chain(std::iter::repeat(self.config.scale_channels(scale)));
        let blocks = widths.take(self.config.n_blocks).enumerate();
        blocks.map(|(index, inputs)| self.block(&format!("{name}.blocks.{index}"), inputs, scale)).collect()
    }

    fn block(&self, name: &str, inputs: usize, scale: usize) -> Result<Block> {
        let (channels, bins) = (self.config.scale_channels(scale), self.config.band_bins(scale));
        let inner = bins / self.config.bottleneck_factor;
        let linear = |norm: &str, weight: &str, from: usize, to: usize| -> Result<(Norm, WidthLinear)> {
            let weights = self.weights(&format!("{name}.tdf.{weight}.weight"), &[to, from])?;
            let norm = self.norm(&format!("{name}.tdf.{norm}"), channels)?;
            Ok((norm, WidthLinear::new(&weights, from, to, self.isa)))
        };
        Ok(Block {
            first: self.conv3x3(&format!("{name}.tfc1"), inputs, channels)?,
            narrow: linear("0", "2", bins, inner)?,
            wide: linear("3", "5", inner, bins)?,
            second: self.conv3x3(&format!("{name}.tfc2"), channels, channels)?,
            shortcut: self.pointwise(&format!("{name}.shortcut"), inputs, channels)?,
        })
    }

    fn conv3x3(&self, name: &str, inputs: usize, outputs: usize) -> Result<(Norm, Conv3x3)> {
        let weights = self.weights(&format!("{name}.2.weight"), &[outputs, inputs, 3, 3])?;
        let layer = Conv3x3::new(&weights, inputs, outputs, self.isa).with_precision(self.precision);
        Ok((self.norm(&format!("{name}.0"), inputs)?, layer))
    }

    fn pointwise(&self, name: &str, inputs: usize, outputs: usize) -> Result<Pointwise> {
        let weights = self.weights(&format!("{name}.weight"), &[outputs, inputs, 1, 1])?;
        Ok(Pointwise::new(&weights, inputs, outputs, self.isa))
    }

    fn norm(&self, name: &str, channels: usize) -> Result<Norm> {
        let values = |part: &str| self.weights(&format!("{name}.{part}"), &[channels]).map(Cow::into_owned);
        Ok(Norm { weight: values("weight")?, bias: values("bias")?, gelu: self.gelu() })
    }

    fn gelu(&self) -> bool {
        self.config.activation == "gelu"
    }

    /// Finite weights, widened if they are stored in fewer bits.
    fn weights(&self, name: &str, shape: &[usize]) -> Result<Cow<'_, [f32]>> {
        expect_floats(self.tensors, name, shape)
    }
}
