//! The residual network with vectors across channels: for numbers of channels that fill vectors.

use neurdsp_nn::{Expand, FrameRing, MAX_FRAMES, Reduce, ResidualConv1d, frame_stride};
use neurdsp_simd::{AlignedBuf, Isa};

use super::pass::Pass;
use crate::amp::residual::{LayerWeights, ResidualConfig, ResidualWeights};
use crate::error::Result;

/// The weights.
#[derive(Debug)]
pub(super) struct Kernels {
    input: Expand,
    layers: Vec<ResidualConv1d>,
    output: Reduce,
    stride: usize,
    kernel_size: usize,
}

/// One stream.
#[derive(Debug)]
pub(super) struct State {
    /// The past of each layer's input.
    rings: Vec<FrameRing>,
    /// The output of the last layer, up to [`MAX_FRAMES`] frames.
    last: AlignedBuf,
    /// Scratch: where each tap of the current layer begins.
    offsets: Vec<usize>,
}

impl Kernels {
    pub(super) fn new(config: &ResidualConfig, weights: &ResidualWeights, isa: Isa) -> Result<Kernels> {
        let (channels, taps) = (config.channels, config.kernel_size);
        let layer = |(layer, dilation): (&LayerWeights, usize)| {
            ResidualConv1d::new(channels, taps, dilation, &layer.weight, &layer.bias, isa)
        };
        Ok(Kernels {
            input: Expand::new(&weights.input_weight, &weights.input_bias, isa)?,
            layers: weights.layers.iter().zip(config.dilations()).map(layer).collect::<Result<_, _>>()?,
            output: Reduce::new(&weights.output_weight, weights.output_bias, isa)?,
            stride: frame_stride(channels, isa),
            kernel_size: taps,
        })
    }

    pub(super) fn state(&self) -> Result<State> {
        let rings = self.layers.iter().map(|layer| FrameRing::new(self.stride, layer.history()));
        Ok(State {
            rings: rings.collect::<Result<_, _>>()?,
            last: AlignedBuf::zeroed(MAX_FRAMES * self.stride),
            offsets: vec![0; self.kernel_size],
        })
    }

    /// One block of at most [`MAX_FRAMES`] samples.
    pub(super) fn run(&self, state: &mut State, input: &[f32], output: &mut [f32], pass: Pass) {
        let frames = input.len();
        let values = frames * self.stride;
        if let Some(first) = state.rings.first_mut() {
            self.input.run(input, first.incoming(frames));
        }
        let mut rings = &mut state.rings[..];
        for layer in &self.layers {
            let Some((ring, later)) = rings.split_first_mut() else { break };
            match pass {
                Pass::Play => ring.commit(frames),
                Pass::Settle => ring.settle(),
            }
            let target = match later.first_mut() {
                Some(next) => next.incoming(frames),
                None => &mut state.last[..values],
            };
            layer.run(ring, &mut state.offsets, target);
            ring.advance(frames);
            rings = later;
        }
        self.output.run(&state.last[..values], output);
    }
}
