//! Every linear layer on rows: a causal dilated convolution with a second input, a bias and a base to add to.

mod kernel;

use super::ring::PlanarRing;
use super::rows::{Rows, RowsMut};
use crate::bounds::MAX_FRAMES;
use crate::error::{Error, check_channels, check_kernel, check_len};
use kernel::{Job, Source, Tile};
use neurdsp_simd::{AlignedBuf, Isa};
use std::ops::Range;

/// The sizes of an [`Affine`] layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AffineShape {
    /// Channels in.
    pub inputs: usize,
    /// Channels out.
    pub outputs: usize,
    /// Taps of the convolution; 1 for a product with a matrix.
    pub taps: usize,
    /// Frames between two taps.
    pub dilation: usize,
    /// Parts into which inputs and outputs are cut, each output part seeing only its own inputs; 1 if all see all.
    pub groups: usize,
    /// Channels of the second input, of which only the present frame is used; 0 if there is none.
    pub mix: usize,
}

impl AffineShape {
    /// A product with a matrix.
    #[must_use]
    pub fn pointwise(inputs: usize, outputs: usize) -> AffineShape {
        AffineShape { inputs, outputs, taps: 1, dilation: 1, groups: 1, mix: 0 }
    }

    /// Frames before the present that the layer reads.
    #[must_use]
    pub fn history(&self) -> usize {
        (self.taps - 1) * self.dilation
    }

    fn check(&self) -> Result<(), Error> {
        check_channels(self.inputs)?;
        check_channels(self.outputs)?;
        if self.mix > 0 {
            check_channels(self.mix)?;
        }
        check_kernel(self.taps, self.dilation)?;
        let Self { inputs, outputs, groups, .. } = *self;
        if groups == 0 || !inputs.is_multiple_of(groups) || !outputs.is_multiple_of(groups) {
            return Err(Error::Groups { groups, inputs, outputs });
        }
        Ok(())
    }
}

/// What an [`Affine`] layer convolves.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A block with its past.
    Ring(&'a PlanarRing),
    /// A block without a past, for a layer with one tap.
    Rows(Rows<'a>),
}

/// What an [`Affine`] layer adds its result to.
#[derive(Clone, Copy, Debug)]
pub enum Base<'a> {
    /// Nothing.
    Zero,
    /// Rows of the number of outputs.
    Rows(Rows<'a>),
    /// The previous contents of the output.
    Output,
}

/// `out[o][t] = base[o][t] + bias[o] + Σ weight[o][i][k]·in[i][t − (K−1−k)·dilation] + Σ mix_weight[o][m]·mix[m][t]`.
///
/// The parameters alone, in the order in which the kernel of one instruction set reads them: it can be shared by any
/// number of streams.
///
/// # Examples
///
/// ```
/// use neurdsp_nn::planar::{Affine, AffineShape, Base, Input, PlanarRing, PlanarBlock};
/// use neurdsp_simd::Isa;
///
/// // Two taps, three frames apart: y[t] = 0.5 x[t - 3] + 2 x[t] + 1.
/// let shape = AffineShape { taps: 2, dilation: 3, ..AffineShape::pointwise(1, 1) };
/// let layer = Affine::new(&shape, &[0.5, 2.0], &[1.0], &[], Isa::detect())?;
/// let mut ring = PlanarRing::new(1, shape.history())?;
/// let mut out = PlanarBlock::new(1);
/// ring.incoming().row_mut(0)[..4].copy_from_slice(&[1.0, 0.0, 0.0, 0.0]);
/// ring.commit(4);
/// layer.run(Input::Ring(&ring), None, Base::Zero, &mut out.rows_mut(), 4);
/// assert_eq!(out.rows().row(0)[..4], [3.0, 1.0, 1.0, 1.5]);
/// # Ok::<(), neurdsp_nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Affine {
    shape: AffineShape,
    /// For each tile its biases, then a row of its outputs for each tap and input, then one for each channel of the mix.
    weights: AlignedBuf,
    tiles: Vec<Tile>,
    isa: Isa,
}

impl Affine {
    /// A layer of this shape.
    ///
    /// # Parameters
    ///
    /// - `weight`: `[outputs][inputs / groups][taps]`, row-major, the last tap being the present frame (as in PyTorch)
    /// - `bias`: `[outputs]`, or empty for zeros
    /// - `mix_weight`: `[outputs][mix]`
    ///
    /// # Errors
    ///
    /// [`Error::Channels`], [`Error::Kernel`], [`Error::Groups`] or [`Error::Length`] where a size is out of bounds or
    /// they do not agree.
    pub fn new(
        shape: &AffineShape,
        weight: &[f32],
        bias: &[f32],
        mix_weight: &[f32],
        isa: Isa,
    ) -> Result<Affine, Error> {
        shape.check()?;
        let AffineShape { inputs, outputs, taps, groups, mix, .. } = *shape;
        let (group_inputs, group_outputs) = (inputs / groups, outputs / groups);
        check_len("weight", weight.len(), outputs * group_inputs * taps)?;
        if !bias.is_empty() {
            check_len("bias", bias.len(), outputs)?;
        }
        check_len("mix weight", mix_weight.len(), outputs * mix)?;

        let mut packed = AlignedBuf::zeroed(outputs * (1 + group_inputs * taps + mix));
        let mut slots = packed.iter_mut();
        let mut put = |value: f32| {
            if let Some(slot) = slots.next() {
                *slot = value;
            }
        };
        let mut tiles = Vec::new();
        let mut at = 0;
        for group in 0..groups {
            let first_input = group * group_inputs;
            for tile in cut(group * group_outputs..(group + 1) * group_outputs, max_tile(isa)) {
                tile.clone().for_each(|output| put(bias.get(output).copied().unwrap_or(0.0)));
                for tap in 0..taps {
                    for input in 0..group_inputs {
                        tile.clone()
                            .for_each(|output| put(weight[(output * group_inputs + input) * taps + tap]));
                    }
                }
                for channel in 0..mix {
                    tile.clone().for_each(|output| put(mix_weight[output * mix + channel]));
                }
                let (first_output, outputs) = (tile.start, tile.len());
                tiles.push(Tile { first_output, outputs, first_input, weights: at });
                at += outputs * (1 + group_inputs * taps + mix);
            }
        }
        Ok(Affine { shape: *shape, weights: packed, tiles, isa })
    }

    /// The sizes.
    #[must_use]
    pub fn shape(&self) -> &AffineShape {
        &self.shape
    }

    /// Computes `frames` frames of `output` from as many present (committed) frames.
    ///
    /// # Panics
    ///
    /// If the numbers of channels are not those of the shape, a ring has too little history, `mix` is given but not part
    /// of the shape or the reverse, or `frames` exceeds [`MAX_FRAMES`].
    #[inline]
    pub fn run(
        &self,
        input: Input<'_>,
        mix: Option<Rows<'_>>,
        base: Base<'_>,
        output: &mut RowsMut<'_>,
        frames: usize,
    ) {
        let shape = &self.shape;
        assert!(frames <= MAX_FRAMES);
        assert_eq!(output.channels(), shape.outputs);
        assert_eq!(mix.map_or(0, |mix| mix.channels()), shape.mix);
        let source = match input {
            Input::Ring(ring) => {
                assert_eq!(ring.channels(), shape.inputs);
                assert!(ring.history() >= shape.history());
                Source {
                    data: ring.data().as_ptr(),
                    position: ring.position(),
                    mask: ring.mask(),
                    stride: ring.stride(),
                }
            }
            Input::Rows(rows) => {
                assert_eq!((rows.channels(), shape.taps), (shape.inputs, 1));
                Source { data: rows.as_ptr(), position: 0, mask: 0, stride: rows.stride() }
            }
        };
        let (base, base_stride) = match base {
            Base::Zero => (std::ptr::null(), 0),
            Base::Rows(rows) => {
                assert_eq!(rows.channels(), shape.outputs);
                (rows.as_ptr(), rows.stride())
            }
            Base::Output => (output.as_mut_ptr().cast_const(), output.stride()),
        };
        let job = Job {
            tiles: &self.tiles,
            weights: self.weights.as_ptr(),
            source,
            inputs: shape.inputs / shape.groups,
            taps: shape.taps,
            dilation: shape.dilation,
            mix: mix.map_or(std::ptr::null(), |mix| mix.as_ptr()),
            mix_stride: mix.map_or(0, |mix| mix.stride()),
            mix_inputs: shape.mix,
            base,
            base_stride,
            output: output.as_mut_ptr(),
            output_stride: output.stride(),
            frames,
        };
        kernel::run(self.isa, &job);
    }
}

/// The most outputs of a tile: as many as fill the registers together with a few vectors of frames.
fn max_tile(isa: Isa) -> usize {
    if isa.lanes::<f32>() == 1 { 4 } else { 6 }
}

/// Cuts `outputs` into the fewest parts of at most `most`, of lengths that differ by one at most.
fn cut(outputs: Range<usize>, most: usize) -> impl Iterator<Item = Range<usize>> {
    let (start, len) = (outputs.start, outputs.len());
    let parts = len.div_ceil(most);
    (0..parts).map(move |i| start + i * len / parts..start + (i + 1) * len / parts)
}
