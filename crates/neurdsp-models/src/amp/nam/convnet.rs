//! Playing the ConvNet of the format.

use std::sync::Arc;

use neurdsp_nn::planar::{Activation, Affine, AffineShape, Base, Input, PlanarBlock, PlanarRing};
use neurdsp_simd::Isa;

use super::frame_model::{FrameModel, FrameModelSource};
use super::networks::{BatchNorm, ConvNetBlock, ConvNetNetwork};
use crate::amp::silence::{Silence, is_silent};
use crate::error::Result;

/// A ConvNet with its weights arranged for the engine, the normalisations folded into them.
#[derive(Debug)]
pub(super) struct PreparedConvNet {
    in_channels: usize,
    blocks: Vec<Affine>,
    activation: Activation,
    head: Affine,
    receptive_field: usize,
    isa: Isa,
}

/// One stream through a ConvNet.
///
/// After a receptive field of silence nothing is computed until the next sound; the output is the same to the bit as if
/// everything had been computed.
#[derive(Debug)]
pub(super) struct ConvNetStream {
    prepared: Arc<PreparedConvNet>,
    /// The past of each block's input.
    rings: Vec<PlanarRing>,
    /// The output of the last block.
    last: PlanarBlock,
    output: PlanarBlock,
    silence: Silence,
    /// The output on silence.
    rest: Vec<f32>,
}

impl PreparedConvNet {
    /// Arranges the weights for `isa`.
    ///
    /// # Errors
    /// A layer that the kernels refuse, which no network from a file has.
    pub(super) fn new(network: &ConvNetNetwork, isa: Isa) -> Result<PreparedConvNet> {
        let head = &network.head;
        let shape = AffineShape::pointwise(head.inputs, head.outputs);
        Ok(PreparedConvNet {
            in_channels: network.in_channels,
            blocks: network.blocks.iter().map(|block| fold(block, isa)).collect::<Result<_>>()?,
            activation: network.activation.planar(network.channels),
            head: Affine::new(&shape, &head.weight, &head.dense_bias(), &[], isa)?,
            receptive_field: network.receptive_field(),
            isa,
        })
    }
}

/// A block as one convolution: `γ/σ · (conv(x) − mean) + β`, with the factors in its weights.
fn fold(block: &ConvNetBlock, isa: Isa) -> Result<Affine> {
    let conv = &block.conv;
    let shape = AffineShape {
        inputs: conv.inputs,
        outputs: conv.outputs,
        taps: conv.kernel_size,
        dilation: conv.dilation,
        groups: conv.groups,
        mix: 0,
    };
    let Some(norm) = &block.norm else {
        return Ok(Affine::new(&shape, &conv.weight, &conv.dense_bias(), &[], isa)?);
    };
    let scales = scales(norm);
    let rows = conv.weight.chunks_exact(conv.weight.len() / conv.outputs).zip(&scales);
    let weight: Vec<f32> =
        rows.flat_map(|(row, scale)| row.iter().map(move |&w| (f64::from(w) * scale) as f32)).collect();
    let offsets = norm.mean.iter().zip(&norm.offset).zip(&scales);
    let bias: Vec<f32> = offsets
        .map(|((&mean, &offset), scale)| (f64::from(offset) - scale * f64::from(mean)) as f32)
        .collect();
    Ok(Affine::new(&shape, &weight, &bias, &[], isa)?)
}

/// γ / √(variance + eps) of each channel.
fn scales(norm: &BatchNorm) -> Vec<f64> {
    let pairs = norm.gain.iter().zip(&norm.variance);
    pairs
        .map(|(&gain, &variance)| f64::from(gain) / (f64::from(variance) + f64::from(norm.eps)).sqrt())
        .collect()
}

impl FrameModelSource for PreparedConvNet {
    fn build(self: Arc<Self>) -> Result<Box<dyn FrameModel>> {
        let ring = |conv: &Affine| PlanarRing::new(conv.shape().inputs, conv.shape().history());
        let rings = self.blocks.iter().map(ring).collect::<Result<_, _>>()?;
        let last = PlanarBlock::new(self.head.shape().inputs);
        let output = PlanarBlock::new(self.head.shape().outputs);
        let silence = Silence::new(Some(self.receptive_field));
        let rest = vec![0.0; self.head.shape().outputs];
        let mut stream = ConvNetStream { prepared: self, rings, last, output, silence, rest };
        stream.settle_all();
        Ok(Box::new(stream))
    }
}

impl ConvNetStream {
    /// Finds the state after silence for ever.
    fn settle_all(&mut self) {
        if let Some(first) = self.rings.first_mut() {
            for channel in 0..self.prepared.in_channels {
                first.incoming().row_mut(channel)[0] = 0.0;
            }
        }
        self.run(1, true);
        for (channel, value) in self.rest.iter_mut().enumerate() {
            *value = self.output.rows().row(channel)[0];
        }
        self.silence.settled();
    }

    /// Plays the frames in the first ring. To settle, the past of every block is filled with its current input frame.
    fn run(&mut self, frames: usize, settle: bool) {
        let prepared = &self.prepared;
        let mut rings = &mut self.rings[..];
        for block in &prepared.blocks {
            let Some((ring, later)) = rings.split_first_mut() else { break };
            if settle {
                ring.settle();
            } else {
                ring.commit(frames);
            }
            let mut output = match later.first_mut() {
                Some(next) => next.incoming(),
                None => self.last.rows_mut(),
            };
            block.run(Input::Ring(ring), None, Base::Zero, &mut output, frames);
            prepared.activation.run(prepared.isa, &mut output, None, frames);
            ring.advance(frames);
            rings = later;
        }
        prepared.head.run(
            Input::Rows(self.last.rows()),
            None,
            Base::Zero,
            &mut self.output.rows_mut(),
            frames,
        );
    }
}

impl FrameModel for ConvNetStream {
    fn in_channels(&self) -> usize {
        self.prepared.in_channels
    }

    fn out_channels(&self) -> usize {
        self.prepared.head.shape().outputs
    }

    fn memory(&self) -> Option<usize> {
        Some(self.prepared.receptive_field)
    }

    fn settle(&mut self, frame: &mut [f32]) {
        self.settle_all();
        frame.copy_from_slice(&self.rest);
    }

    fn process_block(&mut self, input: &[f32], output: &mut [f32]) {
        let (inputs, outputs) = (self.in_channels(), self.out_channels());
        let frames = input.len() / inputs;
        if self.silence.skips(is_silent(input), frames) {
            output.chunks_exact_mut(outputs).for_each(|frame| frame.copy_from_slice(&self.rest));
            return;
        }
        if let Some(first) = self.rings.first_mut() {
            for channel in 0..inputs {
                let samples = input.iter().skip(channel).step_by(inputs);
                let mut rows = first.incoming();
                rows.row_mut(channel).iter_mut().zip(samples).for_each(|(to, from)| *to = *from);
            }
        }
        self.run(frames, false);
        let rows = self.output.rows();
        for channel in 0..outputs {
            let samples = output.iter_mut().skip(channel).step_by(outputs);
            samples.zip(&rows.row(channel)[..frames]).for_each(|(to, from)| *to = *from);
        }
    }
}
