//! The residual network with vectors along time: for numbers of channels that do not fill vectors.

use neurdsp_nn::planar::{Activation, Affine, AffineShape, Base, Input, PlanarBlock, PlanarRing};
use neurdsp_simd::Isa;

use super::pass::Pass;
use crate::amp::residual::{LayerWeights, ResidualConfig, ResidualWeights};
use crate::error::Result;

/// The weights.
#[derive(Debug)]
pub(super) struct Kernels {
    input: Affine,
    layers: Vec<Affine>,
    output: Affine,
    isa: Isa,
}

/// One stream.
#[derive(Debug)]
pub(super) struct State {
    /// One row each: the input block and the output.
    input: PlanarBlock,
    output: PlanarBlock,
    /// The past of each layer's input.
    rings: Vec<PlanarRing>,
    /// The output of the last layer.
    last: PlanarBlock,
    /// Scratch: the current layer before its residual.
    z: PlanarBlock,
}

impl Kernels {
    pub(super) fn new(config: &ResidualConfig, weights: &ResidualWeights, isa: Isa) -> Result<Kernels> {
        let c = config.channels;
        let layer = |(layer, dilation): (&LayerWeights, usize)| {
            let shape = AffineShape { taps: config.kernel_size, dilation, ..AffineShape::pointwise(c, c) };
            Affine::new(&shape, &layer.weight, &layer.bias, &[], isa)
        };
        let pointwise = |inputs, outputs, weight: &[f32], bias: &[f32]| {
            Affine::new(&AffineShape::pointwise(inputs, outputs), weight, bias, &[], isa)
        };
        Ok(Kernels {
            input: pointwise(1, c, &weights.input_weight, &weights.input_bias)?,
            layers: weights.layers.iter().zip(config.dilations()).map(layer).collect::<Result<_, _>>()?,
            output: pointwise(c, 1, &weights.output_weight, &[weights.output_bias])?,
            isa,
        })
    }

    pub(super) fn state(&self) -> Result<State> {
        let c = self.input.shape().outputs;
        let rings = self.layers.iter().map(|layer| PlanarRing::new(c, layer.shape().history()));
        Ok(State {
            input: PlanarBlock::new(1),
            output: PlanarBlock::new(1),
            rings: rings.collect::<Result<_, _>>()?,
            last: PlanarBlock::new(c),
            z: PlanarBlock::new(c),
        })
    }

    /// One block of at most [`MAX_FRAMES`](neurdsp_nn::MAX_FRAMES) samples.
    pub(super) fn run(&self, state: &mut State, input: &[f32], output: &mut [f32], pass: Pass) {
        let frames = input.len();
        state.input.rows_mut().row_mut(0)[..frames].copy_from_slice(input);
        if let Some(first) = state.rings.first_mut() {
            let input = Input::Rows(state.input.rows());
            self.input.run(input, None, Base::Zero, &mut first.incoming(), frames);
        }
        let mut rings = &mut state.rings[..];
        let mut z = state.z.rows_mut();
        for layer in &self.layers {
            let Some((ring, later)) = rings.split_first_mut() else { break };
            match pass {
                Pass::Play => ring.commit(frames),
                Pass::Settle => ring.settle(),
            }
            layer.run(Input::Ring(ring), None, Base::Zero, &mut z, frames);
            let mut next = match later.first_mut() {
                Some(next) => next.incoming(),
                None => state.last.rows_mut(),
            };
            let residual = Base::Rows(ring.present());
            Activation::Tanh.run(self.isa, &mut z, Some((residual, &mut next)), frames);
            ring.advance(frames);
            rings = later;
        }
        let last = Input::Rows(state.last.rows());
        self.output.run(last, None, Base::Zero, &mut state.output.rows_mut(), frames);
        output.copy_from_slice(&state.output.rows().row(0)[..frames]);
    }
}
