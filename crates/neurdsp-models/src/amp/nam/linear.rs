//! Playing the impulse response of the format: short ones directly, long ones by partitioned FFT convolution.

use std::sync::Arc;

use neurdsp_dsp::live::{Convolver, LiveBlock};
use neurdsp_nn::planar::{Affine, AffineShape, Base, Input, PlanarBlock, PlanarRing};
use neurdsp_simd::Isa;

use super::frame_model::{FrameModel, FrameModelSource};
use super::networks::LinearNetwork;
use crate::error::{Error, Result};

/// The longest response that is summed directly.
const MAX_DIRECT_TAPS: usize = 256;

/// An impulse response, ready for streams. NaN or infinity in the input reaches no output after its length.
#[derive(Debug)]
pub(super) struct PreparedLinear {
    taps: Vec<f32>,
    bias: f32,
    isa: Isa,
}

/// One stream through a short response, summed directly.
#[derive(Debug)]
struct Direct {
    filter: Affine,
    ring: PlanarRing,
    output: PlanarBlock,
    bias: f32,
}

/// One stream through a long response, by FFT in partitions.
#[derive(Debug)]
struct Partitioned {
    convolver: Convolver,
    bias: f32,
}

impl PreparedLinear {
    /// Keeps the response for streams on `isa`.
    pub(super) fn new(network: &LinearNetwork, isa: Isa) -> PreparedLinear {
        PreparedLinear { taps: network.taps.clone(), bias: network.bias.unwrap_or(0.0), isa }
    }
}

impl FrameModelSource for PreparedLinear {
    fn build(self: Arc<Self>) -> Result<Box<dyn FrameModel>> {
        let bias = self.bias;
        if self.taps.len() > MAX_DIRECT_TAPS {
            let convolver = Convolver::new(&self.taps)
                .map_err(|error| Error::malformed("the impulse response", error.to_string()))?;
            return Ok(Box::new(Partitioned { convolver, bias }));
        }
        // In a convolution the last tap is the current sample, in the format the first.
        let weight: Vec<f32> = self.taps.iter().rev().copied().collect();
        let shape = AffineShape { taps: weight.len(), ..AffineShape::pointwise(1, 1) };
        let filter = Affine::new(&shape, &weight, &[], &[], self.isa)?;
        let ring = PlanarRing::new(1, shape.history())?;
        Ok(Box::new(Direct { filter, ring, output: PlanarBlock::new(1), bias }))
    }
}

impl FrameModel for Direct {
    fn in_channels(&self) -> usize {
        1
    }

    fn out_channels(&self) -> usize {
        1
    }

    fn memory(&self) -> Option<usize> {
        Some(self.filter.shape().taps)
    }

    fn settle(&mut self, frame: &mut [f32]) {
        self.ring.incoming().row_mut(0)[0] = 0.0;
        self.ring.settle();
        frame.fill(self.bias);
    }

    fn process_block(&mut self, input: &[f32], output: &mut [f32]) {
        let frames = input.len();
        self.ring.incoming().row_mut(0)[..frames].copy_from_slice(input);
        self.ring.commit(frames);
        let rows = &mut self.output.rows_mut();
        self.filter.run(Input::Ring(&self.ring), None, Base::Zero, rows, frames);
        self.ring.advance(frames);
        let row = self.output.rows().row(0);
        output.iter_mut().zip(&row[..frames]).for_each(|(to, from)| *to = from + self.bias);
    }
}

impl FrameModel for Partitioned {
    fn in_channels(&self) -> usize {
        1
    }

    fn out_channels(&self) -> usize {
        1
    }

    fn memory(&self) -> Option<usize> {
        // The order of its sums depends on how many frames it has played, so none may be left out.
        None
    }

    fn settle(&mut self, frame: &mut [f32]) {
        self.convolver.reset();
        frame.fill(self.bias);
    }

    fn process_block(&mut self, input: &[f32], output: &mut [f32]) {
        output.copy_from_slice(input);
        self.convolver.process(output);
        output.iter_mut().for_each(|sample| *sample += self.bias);
    }
}
