//! Convolutions along the width of images of one row, dilated or enlarging: the layers of vocoders.
//!
//! A signal of many channels is an [`Image`] of height one. Its frames, with their activation applied, are copied between
//! zeros once, and each tap of a filter reads them from its own place.

use super::conv2d::{bands, padded, transposed_taps};
use super::gemm::{Panel, Place, Source, multiply_taps, pack};
use super::norm::{Affine, Function};
use super::pixels::{Image, LANES};
use super::toom::{Toom, ToomJob};
use super::work::{Scratch, Work};
use neurdsp_simd::{AlignedBuf, Isa};

/// Values of the frames that are multiplied together, about: they stay in the second cache.
const VALUES: usize = 1 << 15;
/// Fewest channels for which tiles of several frames repay their transforms.
const TILED: usize = 32;

/// A dilated convolution that keeps the length, or a transposed one that enlarges it, with a bias.
pub struct Conv1d {
    phases: Vec<Phase>,
    /// If the layer is computed by tiles.
    toom: Option<Toom>,
    /// `[outputs / 16][16]`.
    bias: AlignedBuf,
    before: Affine,
    inputs: usize,
    outputs: usize,
    /// Frames to the left and to the right that a filter sees.
    reach: (usize, usize),
    /// Frames of the output for each of the input.
    factor: usize,
    isa: Isa,
}

/// The filters for every `factor`th frame.
struct Phase {
    /// Values from the first frame with its past to each tap.
    taps: Vec<usize>,
    /// `[outputs / 16][taps][inputs][16]`.
    panel: AlignedBuf,
}

impl Conv1d {
    /// A convolution with `weights[outputs][inputs][taps]` of a leaky ReLU with this slope; a slope of 1 is none.
    ///
    /// # Panics
    /// If there are not so many weights, or the number of taps is even.
    #[must_use]
    pub fn new(weights: &[f32], bias: &[f32], inputs: usize, dilation: usize, slope: f32, isa: Isa) -> Self {
        let outputs = bias.len();
        let taps = weights.len() / (inputs * outputs).max(1);
        assert!(weights.len() == outputs * inputs * taps && taps % 2 == 1, "filters of an odd length");
        let weight =
            |output: usize, input: usize, tap: usize| weights[(output * inputs + input) * taps + tap];
        let reach = taps / 2 * dilation;
        let toom = (taps > 1 && inputs.min(outputs) >= TILED)
            .then(|| Toom::new(weights, inputs, outputs, taps, dilation, isa));
        let phases = match toom {
            Some(_) => Vec::new(),
            None => {
                let places: Vec<_> = (0..taps).map(|tap| (tap, tap * dilation)).collect();
                vec![Phase::new(&places, inputs, outputs, weight)]
            }
        };
        let reach = (reach, reach);
        let before = Affine::function(inputs, Function::Leaky(slope));
        Self { phases, toom, bias: padded(bias), before, inputs, outputs, reach, factor: 1, isa }
    }

    /// The same convolution without tiles.
    #[cfg(test)]
    pub(super) fn direct(weights: &[f32], bias: &[f32], inputs: usize, dilation: usize, isa: Isa) -> Self {
        let (mut layer, outputs) = (Self::new(weights, bias, inputs, dilation, 0.1, isa), bias.len());
        let taps = weights.len() / (inputs * outputs);
        let places: Vec<_> = (0..taps).map(|tap| (tap, tap * dilation)).collect();
        let weight =
            |output: usize, input: usize, tap: usize| weights[(output * inputs + input) * taps + tap];
        layer.phases = vec![Phase::new(&places, inputs, outputs, weight)];
        layer.toom = None;
        layer
    }

    /// A transposed convolution with `weights[inputs][outputs][taps]`, which makes a signal `factor` times longer.
    ///
    /// # Panics
    /// If there are not so many weights, or the taps exceed the factor by an odd number.
    #[must_use]
    pub fn transposed(
        weights: &[f32],
        bias: &[f32],
        inputs: usize,
        factor: usize,
        slope: f32,
        isa: Isa,
    ) -> Self {
        let outputs = bias.len();
        let taps = weights.len() / (inputs * outputs).max(1);
        let fits =
            weights.len() == outputs * inputs * taps && taps >= factor && (taps - factor).is_multiple_of(2);
        assert!(factor > 0 && fits, "filters that enlarge exactly");
        let weight =
            |output: usize, input: usize, tap: usize| weights[(input * outputs + output) * taps + tap];
        let padding = (taps - factor) / 2;
        let phases: Vec<_> = (0..factor).map(|first| transposed_taps(taps, factor, padding, first)).collect();
        let offsets = || phases.iter().flatten().map(|(_, offset)| *offset);
        let left = offsets().min().unwrap_or(0).min(0).unsigned_abs();
        let right = offsets().max().unwrap_or(0).max(0) as usize;
        let phases = phases.iter().map(|taps| {
            let places: Vec<_> =
                taps.iter().map(|(tap, offset)| (*tap, (offset + left as isize) as usize)).collect();
            Phase::new(&places, inputs, outputs, weight)
        });
        let (phases, reach) = (phases.collect(), (left, right));
        let before = Affine::function(inputs, Function::Leaky(slope));
        Self { phases, toom: None, bias: padded(bias), before, inputs, outputs, reach, factor, isa }
    }

    /// Number of outputs.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Convolves a signal, and adds signals of the size of the output.
    ///
    /// # Panics
    /// If the images have other channels, or more than one row.
    #[must_use]
    pub fn run(&self, input: &Image, added: &[&Image], work: &Work) -> Image {
        assert_eq!((input.channels(), input.height()), (self.inputs, 1), "channels of the input, in one row");
        let length = input.width();
        let mut output = work.image(self.outputs, 1, length * self.factor);
        for added in added {
            let size = (added.channels(), added.height(), added.width());
            assert_eq!(size, (self.outputs, 1, length * self.factor), "the size of what is added");
        }
        if length == 0 {
            return output;
        }
        let blocks = input.blocks();
        // Whole tiles of whole dilated groups.
        let unit = self.toom.as_ref().map_or(1, Toom::unit);
        let band = (VALUES / (blocks * LANES)).saturating_sub(self.reach.0 + self.reach.1).max(96);
        let band = (band / unit).max(1) * unit;
        let mut flat = output.flat_mut();
        let bands = bands(&mut flat, band * self.factor);
        work.for_each(bands, |scratch, (number, mut to)| {
            self.begin(number * band * self.factor, &mut to, added);
            self.band(input, number * band, &mut to, scratch);
        });
        output
    }

    /// The bias, and what is added.
    fn begin(&self, first: usize, to: &mut [&mut [f32]], added: &[&Image]) {
        for (block, to) in to.iter_mut().enumerate() {
            let bias = &self.bias[block * LANES..][..LANES];
            to.chunks_exact_mut(LANES).for_each(|to| to.copy_from_slice(bias));
            for added in added {
                let from = &added.block(block)[first * LANES..][..to.len()];
                to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
            }
        }
    }

    /// Adds the products of the frames from `first` on.
    fn band(&self, input: &Image, first: usize, to: &mut [&mut [f32]], scratch: &mut Scratch) {
        let (length, frames) = (input.width(), to[0].len() / LANES / self.factor);
        let unit = self.toom.as_ref().map_or(1, Toom::unit);
        let tail = self.toom.as_ref().map_or(0, Toom::tail);
        let whole = self.reach.0 + frames.next_multiple_of(unit) + self.reach.1 + tail;
        let blocks = input.blocks();
        let tiled = self.toom.as_ref().map_or(0, |toom| toom.scratch_len(blocks, frames));
        let [taken, tiled] = scratch.take([whole * blocks * LANES, tiled]);
        for (block, taken) in taken.chunks_exact_mut(whole * LANES).enumerate() {
            // Frames that lie in the signal.
            let begin = first.saturating_sub(self.reach.0);
            let end = (first + whole - self.reach.0).min(length);
            let at = (begin + self.reach.0 - first) * LANES;
            let len = (end - begin) * LANES;
            taken[..at].fill(0.0);
            taken[at + len..].fill(0.0);
            let from = &input.block(block)[begin * LANES..][..len];
            self.before.apply(self.isa, block, from, &mut taken[at..][..len]);
        }
        if let Some(toom) = &self.toom {
            let job = ToomJob { frames: taken, block_stride: whole * LANES, blocks, scratch: tiled };
            return toom.run(job, to, frames);
        }
        for (phase, filters) in self.phases.iter().enumerate() {
            let block_stride = filters.taps.len() * self.inputs * LANES;
            let panel = Panel { weights: &filters.panel, block_stride, inputs: self.inputs };
            let from = Source { data: taken, block_stride: whole * LANES };
            let place = Place { first: phase * LANES, step: self.factor * LANES, adds: true };
            multiply_taps(self.isa, panel, from, &filters.taps, to, place, frames);
        }
    }
}

impl Phase {
    /// Packs the filters' places `(tap, frames from the first)`.
    fn new(
        places: &[(usize, usize)],
        inputs: usize,
        outputs: usize,
        weight: impl Fn(usize, usize, usize) -> f32,
    ) -> Self {
        let rows = places.len() * inputs;
        let mut panel = AlignedBuf::zeroed(outputs.div_ceil(LANES) * rows * LANES);
        pack(rows, outputs, &mut panel, |output, row| weight(output, row % inputs, places[row / inputs].0));
        Self { taps: places.iter().map(|(_, frames)| frames * LANES).collect(), panel }
    }
}
