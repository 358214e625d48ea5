//! Group norm and the activation after it, and sums that a channel shares, for stacks of images.

use super::norm::{Affine, Function, GroupMoments};
use super::pixels::{Image, LANES};
use super::work::Work;
use neurdsp_simd::Isa;

/// `(x − mean) / sqrt(variance + eps) · weight + bias`, with the statistics of a group of channels of one image.
///
/// Source: Y. Wu, K. He, "Group normalization", arXiv 1803.08494.
pub struct GroupNorm {
    groups: usize,
    weight: Vec<f32>,
    bias: Vec<f32>,
    eps: f32,
    isa: Isa,
}

impl GroupNorm {
    /// A norm of as many channels as `weight` has.
    ///
    /// # Panics
    /// If the groups do not divide the channels, or there are other numbers of weights and biases.
    #[must_use]
    pub fn new(groups: usize, weight: &[f32], bias: &[f32], eps: f32, isa: Isa) -> Self {
        assert_eq!(weight.len(), bias.len(), "a weight and a bias for each channel");
        assert!(groups > 0 && weight.len().is_multiple_of(groups), "groups of one size");
        Self { groups, weight: weight.to_vec(), bias: bias.to_vec(), eps, isa }
    }

    /// Norms each of `images` images of a stack, and applies SiLU if `silu`.
    ///
    /// # Panics
    /// If the images have other channels.
    #[must_use]
    pub fn run(&self, input: &Image, images: usize, silu: bool, work: &Work) -> Image {
        assert_eq!(input.channels(), self.weight.len(), "channels of the input");
        assert!(images > 0 && input.height().is_multiple_of(images), "a stack of images");
        let mut output = work.image(input.channels(), input.height(), input.width());
        let len = input.height() / images * input.width() * LANES;
        if len == 0 {
            return output;
        }
        let function = if silu { Function::Silu } else { Function::None };
        let row = input.width() * LANES;
        for image in 0..images {
            let blocks = (0..input.blocks()).map(|block| &input.block(block)[image * len..][..len]);
            let moments = GroupMoments::new(self.isa, blocks, row, self.groups, input.channels());
            let affine = Affine::group_norm(&moments, &self.weight, &self.bias, self.eps, function);
            for block in 0..input.blocks() {
                let from = &input.block(block)[image * len..][..len];
                affine.apply(self.isa, block, from, &mut output.block_mut(block)[image * len..][..len]);
            }
        }
        output
    }
}

impl Image {
    /// Adds a value for each channel to an image of a stack; `values` has the channels of each image in turn.
    ///
    /// # Panics
    /// If there are not so many values.
    pub fn add_channels(&mut self, images: usize, values: &[f32]) {
        let channels = self.channels();
        assert_eq!(values.len(), images * channels, "a value for each channel of each image");
        let len = self.height() / images * self.width() * LANES;
        for (image, values) in values.chunks_exact(channels).enumerate() {
            for (block, values) in values.chunks(LANES).enumerate() {
                let pixels = &mut self.block_mut(block)[image * len..][..len];
                for pixel in pixels.chunks_exact_mut(LANES) {
                    pixel.iter_mut().zip(values).for_each(|(value, added)| *value += added);
                }
            }
        }
    }

    /// The first rows and columns of each image of a stack.
    ///
    /// # Panics
    /// If the images are smaller.
    #[must_use]
    pub fn cropped(&self, images: usize, height: usize, width: usize) -> Image {
        let rows = self.height() / images;
        assert!(height <= rows && width <= self.width(), "images that are large enough");
        let mut cropped = Image::new(self.channels(), images * height, width);
        for block in 0..self.blocks() {
            let from = self.block(block);
            let to = cropped.block_mut(block).chunks_exact_mut((width * LANES).max(1));
            for (row, to) in to.enumerate() {
                let row = row / height * rows + row % height;
                to.copy_from_slice(&from[row * self.width() * LANES..][..width * LANES]);
            }
        }
        cropped
    }
}
