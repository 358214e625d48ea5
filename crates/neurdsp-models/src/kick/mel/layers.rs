//! Layers with their weights from a file, and the blocks that the VAE and the U-Net share.

use std::collections::BTreeSet;

use neurdsp_nn::dense::{Dense, padded};
use neurdsp_nn::image::{Conv1d, Conv2d, GroupNorm, Image, Window, Work, attention};
use neurdsp_simd::Isa;

use crate::container::tensor::{Tensors, expect_floats};
use crate::error::Result;

const NORM_EPS: f32 = 1e-5;
/// A 3x3 kernel that keeps the size.
const SAME: Window = Window::square(3, 1, 1);

/// Takes tensors and remembers their names.
pub(super) struct Source<'a> {
    pub(super) tensors: &'a Tensors,
    pub(super) taken: BTreeSet<String>,
    pub(super) isa: Isa,
}

impl Source<'_> {
    pub(super) fn values(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let values = expect_floats(self.tensors, name, shape)?.into_owned();
        self.taken.insert(name.to_owned());
        Ok(values)
    }

    fn bias(&mut self, name: &str, outputs: usize) -> Result<Vec<f32>> {
        self.values(&format!("{name}.bias"), &[outputs])
    }

    pub(super) fn conv(
        &mut self,
        name: &str,
        inputs: usize,
        outputs: usize,
        window: Window,
    ) -> Result<Conv2d> {
        let (rows, columns) = window.kernel;
        let weight = self.values(&format!("{name}.weight"), &[outputs, inputs, rows, columns])?;
        Ok(Conv2d::new(&weight, &self.bias(name, outputs)?, inputs, window, self.isa))
    }

    /// A transposed convolution that doubles rows and columns.
    pub(super) fn doubling(&mut self, name: &str, inputs: usize, outputs: usize) -> Result<Conv2d> {
        let weight = self.values(&format!("{name}.weight"), &[inputs, outputs, 4, 4])?;
        let bias = self.bias(name, outputs)?;
        Ok(Conv2d::transposed(&weight, &bias, inputs, Window::square(4, 2, 1), self.isa))
    }

    pub(super) fn norm(&mut self, name: &str, channels: usize, groups: usize) -> Result<GroupNorm> {
        let weight = self.values(&format!("{name}.weight"), &[channels])?;
        let bias = self.bias(name, channels)?;
        Ok(GroupNorm::new(groups, &weight, &bias, NORM_EPS, self.isa))
    }

    pub(super) fn linear(&mut self, name: &str, inputs: usize, outputs: usize) -> Result<Linear> {
        let weight = self.values(&format!("{name}.weight"), &[outputs, inputs])?;
        let layer = Dense::new(&weight, &self.bias(name, outputs)?, inputs, self.isa)?;
        Ok(Linear { layer, inputs, outputs })
    }

    /// A dilated convolution of a leaky ReLU of `gain` times its input.
    pub(super) fn signal(
        &mut self,
        name: &str,
        (inputs, outputs): (usize, usize),
        (taps, dilation): (usize, usize),
        (slope, gain): (f32, f32),
    ) -> Result<Conv1d> {
        let mut weight = self.values(&format!("{name}.weight"), &[outputs, inputs, taps])?;
        weight.iter_mut().for_each(|weight| *weight *= gain);
        Ok(Conv1d::new(&weight, &self.bias(name, outputs)?, inputs, dilation, slope, self.isa))
    }

    /// As [`signal`](Self::signal), for a transposed convolution.
    pub(super) fn enlarging(
        &mut self,
        name: &str,
        (inputs, outputs): (usize, usize),
        (taps, factor): (usize, usize),
        (slope, gain): (f32, f32),
    ) -> Result<Conv1d> {
        let mut weight = self.values(&format!("{name}.weight"), &[inputs, outputs, taps])?;
        weight.iter_mut().for_each(|weight| *weight *= gain);
        Ok(Conv1d::transposed(&weight, &self.bias(name, outputs)?, inputs, factor, slope, self.isa))
    }
}

/// A matrix and a bias.
pub(super) struct Linear {
    layer: Dense,
    inputs: usize,
    outputs: usize,
}

impl Linear {
    /// Rows to rows, without anything between them.
    pub(super) fn run(&self, from: &[f32]) -> Vec<f32> {
        let (rows, stride) = (from.len() / self.inputs, padded(self.outputs));
        let mut to = vec![0.0; rows * stride];
        self.layer.run(from, self.inputs, &mut to, stride, rows, false);
        to.chunks_exact(stride).flat_map(|row| &row[..self.outputs]).copied().collect()
    }
}

/// `x / (1 + exp(−x))` of every value.
pub(super) fn silu(values: &[f32]) -> Vec<f32> {
    let mut to = values.to_vec();
    to.resize(values.len().next_multiple_of(16), 0.0);
    neurdsp_nn::dense::silu(Isa::detect(), &mut to);
    to.truncate(values.len());
    to
}

/// Two convolutions, each after a norm and SiLU, added to the input; with a condition added between them, if there is one.
pub(super) struct Block {
    norms: [GroupNorm; 2],
    convs: [Conv2d; 2],
    condition: Option<Linear>,
}

impl Block {
    pub(super) fn new(
        source: &mut Source<'_>,
        name: &str,
        channels: usize,
        groups: usize,
        condition_dim: Option<usize>,
    ) -> Result<Block> {
        let of = |part: &str| format!("{name}.{part}");
        let norms =
            [source.norm(&of("norm1"), channels, groups)?, source.norm(&of("norm2"), channels, groups)?];
        let convs = [
            source.conv(&of("conv1"), channels, channels, SAME)?,
            source.conv(&of("conv2"), channels, channels, SAME)?,
        ];
        let condition =
            condition_dim.map(|dim| source.linear(&of("condition"), dim, channels)).transpose()?;
        Ok(Block { norms, convs, condition })
    }

    /// `condition` holds that of each image of the stack, after its SiLU.
    pub(super) fn run(&self, x: Image, images: usize, condition: &[f32], work: &Work) -> Image {
        let normed = self.norms[0].run(&x, images, true, work);
        let mut hidden = self.convs[0].run(&normed, images, None, work);
        work.keep(normed);
        if let Some(layer) = &self.condition {
            hidden.add_channels(images, &layer.run(condition));
        }
        let normed = self.norms[1].run(&hidden, images, true, work);
        work.keep(hidden);
        let sum = self.convs[1].run(&normed, images, Some(&x), work);
        work.keep(normed);
        work.keep(x);
        sum
    }
}

/// Attention of one head among all pixels, added to the input.
pub(super) struct Attention {
    norm: GroupNorm,
    qkv: [Conv2d; 3],
    output: Conv2d,
    isa: Isa,
}

impl Attention {
    pub(super) fn new(
        source: &mut Source<'_>,
        name: &str,
        channels: usize,
        groups: usize,
    ) -> Result<Attention> {
        let of = |part: &str| format!("{name}.{part}");
        let norm = source.norm(&of("norm"), channels, groups)?;
        let point = Window::square(1, 1, 0);
        let weight = source.values(&of("qkv.weight"), &[3 * channels, channels, 1, 1])?;
        let bias = source.values(&of("qkv.bias"), &[3 * channels])?;
        let isa = source.isa;
        let qkv = std::array::from_fn(|part| {
            let weight = &weight[part * channels * channels..][..channels * channels];
            Conv2d::new(weight, &bias[part * channels..][..channels], channels, point, isa)
        });
        Ok(Attention { norm, qkv, output: source.conv(&of("output"), channels, channels, point)?, isa })
    }

    pub(super) fn run(&self, x: &Image, images: usize, work: &Work) -> Image {
        let normed = self.norm.run(x, images, false, work);
        let [q, k, v] = self.qkv.each_ref().map(|layer| layer.run(&normed, images, None, work));
        let mixed = attention(self.isa, images, [&q, &k, &v], work);
        let sum = self.output.run(&mixed, images, Some(x), work);
        [normed, q, k, v, mixed].into_iter().for_each(|image| work.keep(image));
        sum
    }
}
