//! Playing the WaveNets of the format.
//!
//! Signals are rows of frames, so that vectors run along time (see [`neurdsp_nn::planar`]): a layer is one call for the
//! convolution with the mixin, one for the activation, which adds to the head's sum as it goes, and one for the 1×1
//! convolution with the residual. Other features of the format take further calls.

mod array;
mod film;
mod layer;
mod mixin;
mod pass;

use std::sync::Arc;

use neurdsp_nn::MAX_FRAMES;
use neurdsp_nn::planar::{Activation, Affine, Base, Input, PlanarBlock, PlanarRing};
use neurdsp_simd::Isa;

use self::array::{ArrayState, PreparedArray};
use self::film::affine;
use self::layer::{Scratch, ScratchSize};
use self::pass::Pass;
use super::conventions::Conventions;
use super::frame_model::{FrameModel, FrameModelSource};
use super::wavenet::WavenetNetwork;
use crate::amp::silence::{Silence, is_silent};
use crate::error::Result;

/// A WaveNet of the format with its weights arranged for the engine. Any number of streams share it.
#[derive(Debug)]
pub(super) struct PreparedWavenet {
    in_channels: usize,
    out_channels: usize,
    condition: Option<Arc<dyn FrameModelSource>>,
    condition_channels: usize,
    arrays: Vec<PreparedArray>,
    post_head: Vec<(Activation, Affine)>,
    scratch: ScratchSize,
    receptive_field: usize,
    isa: Isa,
}

impl PreparedWavenet {
    /// Arranges the weights for `isa`. `condition` is what makes the condition, if the network has a model for it.
    ///
    /// # Errors
    ///
    /// A layer that the kernels refuse: more channels or a longer history than their bounds.
    pub(super) fn new(
        network: &WavenetNetwork,
        condition: Option<Arc<dyn FrameModelSource>>,
        conventions: Conventions,
        isa: Isa,
    ) -> Result<PreparedWavenet> {
        let last = network.arrays.len().saturating_sub(1);
        let mut arrays = Vec::with_capacity(network.arrays.len());
        let mut scratch = ScratchSize::default();
        for (i, array) in network.arrays.iter().enumerate() {
            // The output scale is folded into the weights of the last head.
            let scale = if i == last { network.head_scale } else { 1.0 };
            let array = PreparedArray::new(array, scale, i < last, conventions, isa)?;
            array.enlarge(&mut scratch);
            arrays.push(array);
        }
        let post = network.post_head.iter().flat_map(|head| &head.layers);
        let post =
            post.map(|layer| Ok((layer.activation.planar(layer.conv.inputs), affine(&layer.conv, isa)?)));
        Ok(PreparedWavenet {
            in_channels: network.in_channels,
            out_channels: network.out_channels(),
            condition,
            condition_channels: network.condition_channels(),
            arrays,
            post_head: post.collect::<Result<_>>()?,
            scratch,
            receptive_field: network.receptive_field(),
            isa,
        })
    }
}

impl FrameModelSource for PreparedWavenet {
    fn build(self: Arc<Self>) -> Result<Box<dyn FrameModel>> {
        Ok(Box::new(WavenetStream::new(self)?))
    }
}

/// One stream through a WaveNet of the format: the past of every layer, and shared weights.
///
/// After construction and after [`settle`](FrameModel::settle) it is in the state after silence for ever. That state is
/// found in closed form: on silence each layer settles on one constant frame, so one frame is computed for each layer and
/// its whole past is filled with it.
///
/// The output is the same bit for bit however the input is cut into blocks. NaN or infinity in the input reaches the
/// output for one receptive field at most. Denormal numbers count as zero while a block is processed. After a receptive
/// field of silence nothing is computed until the next sound; the output is the same to the bit as if everything had been
/// computed.
#[derive(Debug)]
pub(super) struct WavenetStream {
    prepared: Arc<PreparedWavenet>,
    input: PlanarBlock,
    condition_model: Option<Box<dyn FrameModel>>,
    condition: PlanarBlock,
    /// Input and output frames of the condition model.
    frames_in: Vec<f32>,
    frames_out: Vec<f32>,
    arrays: Vec<ArrayState>,
    post_head: Vec<PlanarRing>,
    output: PlanarBlock,
    scratch: Scratch,
    /// Frames after which the input is forgotten, or `None` if the condition never forgets.
    memory: Option<usize>,
    silence: Silence,
    /// The output on silence.
    rest: Vec<f32>,
}

impl WavenetStream {
    fn new(prepared: Arc<PreparedWavenet>) -> Result<WavenetStream> {
        let condition_model = prepared.condition.clone().map(FrameModelSource::build).transpose()?;
        let memory = match &condition_model {
            None => Some(prepared.receptive_field),
            Some(model) => model.memory().map(|memory| memory + prepared.receptive_field),
        };
        let in_channels = prepared.in_channels;
        let condition_values = condition_model.as_ref().map_or(0, |_| prepared.condition_channels);
        let post = prepared.post_head.iter().map(|(_, conv)| conv.shape());
        let post = post.map(|shape| Ok(PlanarRing::new(shape.inputs, shape.history())?));
        let mut stream = WavenetStream {
            input: PlanarBlock::new(in_channels),
            condition: PlanarBlock::new(condition_values),
            frames_in: vec![0.0; if condition_values > 0 { in_channels * MAX_FRAMES } else { 0 }],
            frames_out: vec![0.0; condition_values * MAX_FRAMES],
            condition_model,
            arrays: prepared.arrays.iter().map(PreparedArray::state).collect::<Result<_>>()?,
            post_head: post.collect::<Result<_>>()?,
            output: PlanarBlock::new(prepared.out_channels),
            scratch: Scratch::new(prepared.scratch),
            memory,
            silence: Silence::new(memory),
            rest: vec![0.0; prepared.out_channels],
            prepared,
        };
        stream.settle_all();
        Ok(stream)
    }

    /// Finds the state after silence for ever.
    fn settle_all(&mut self) {
        for channel in 0..self.prepared.in_channels {
            self.input.rows_mut().row_mut(channel)[0] = 0.0;
        }
        self.run(Pass::Settle);
        for (channel, rest) in self.rest.iter_mut().enumerate() {
            *rest = self.output.rows().row(channel)[0];
        }
        self.silence.settled();
    }

    /// Plays the first `frames` frames of `input`; if they do not end a silence, nothing is computed.
    fn play(&mut self, frames: usize) {
        let input = self.input.rows();
        let is_silent = (0..input.channels()).all(|channel| is_silent(&input.row(channel)[..frames]));
        if self.silence.skips(is_silent, frames) {
            let mut output = self.output.rows_mut();
            for (channel, &rest) in self.rest.iter().enumerate() {
                output.row_mut(channel)[..frames].fill(rest);
            }
            return;
        }
        self.run(Pass::Play(frames));
    }

    /// Runs the whole network on the rows in `input`.
    fn run(&mut self, pass: Pass) {
        self.run_condition(pass);
        let frames = pass.frames();
        let condition =
            if self.condition_model.is_some() { self.condition.rows() } else { self.input.rows() };
        let mut before: Option<&ArrayState> = None;
        let mut states = &mut self.arrays[..];
        for array in &self.prepared.arrays {
            let Some((now, later)) = states.split_first_mut() else { break };
            let input = before.map_or(self.input.rows(), ArrayState::residual);
            let mut output = match (later.first_mut(), self.post_head.first_mut()) {
                (Some(next), _) => next.head_incoming(),
                (None, Some(ring)) => ring.incoming(),
                (None, None) => self.output.rows_mut(),
            };
            array.run(now, input, condition, before.is_none(), &mut output, &mut self.scratch, pass);
            before = Some(&*now);
            states = later;
        }
        let mut rings = &mut self.post_head[..];
        for (activation, conv) in &self.prepared.post_head {
            let Some((ring, later)) = rings.split_first_mut() else { break };
            activation.run(self.prepared.isa, &mut ring.incoming(), None, frames);
            pass.commit(ring);
            let mut output = match later.first_mut() {
                Some(next) => next.incoming(),
                None => self.output.rows_mut(),
            };
            conv.run(Input::Ring(ring), None, Base::Zero, &mut output, frames);
            ring.advance(frames);
            rings = later;
        }
    }

    /// Computes the condition from the current input, if a model makes it.
    fn run_condition(&mut self, pass: Pass) {
        let Some(model) = &mut self.condition_model else { return };
        let (inputs, outputs) = (self.prepared.in_channels, self.prepared.condition_channels);
        let frames = pass.frames();
        let frames_out = &mut self.frames_out[..frames * outputs];
        match pass {
            Pass::Settle => model.settle(frames_out),
            Pass::Play(_) => {
                let frames_in = &mut self.frames_in[..frames * inputs];
                let input = self.input.rows();
                for channel in 0..inputs {
                    let frames = frames_in.iter_mut().skip(channel).step_by(inputs);
                    frames.zip(input.row(channel)).for_each(|(to, from)| *to = *from);
                }
                model.process_block(frames_in, frames_out);
            }
        }
        let mut rows = self.condition.rows_mut();
        for channel in 0..outputs {
            let frames = frames_out.iter().skip(channel).step_by(outputs);
            rows.row_mut(channel).iter_mut().zip(frames).for_each(|(to, from)| *to = *from);
        }
    }
}

impl FrameModel for WavenetStream {
    fn in_channels(&self) -> usize {
        self.prepared.in_channels
    }

    fn out_channels(&self) -> usize {
        self.prepared.out_channels
    }

    fn memory(&self) -> Option<usize> {
        self.memory
    }

    fn settle(&mut self, frame: &mut [f32]) {
        self.settle_all();
        frame.copy_from_slice(&self.rest);
    }

    fn process_block(&mut self, input: &[f32], output: &mut [f32]) {
        let (inputs, outputs) = (self.in_channels(), self.out_channels());
        let frames = input.len() / inputs;
        let mut rows = self.input.rows_mut();
        for channel in 0..inputs {
            let samples = input.iter().skip(channel).step_by(inputs);
            // Adding zero turns −0 into +0, so that both count as silence.
            rows.row_mut(channel)[..frames].iter_mut().zip(samples).for_each(|(to, x)| *to = x + 0.0);
        }
        self.play(frames);
        let rows = self.output.rows();
        for channel in 0..outputs {
            let samples = output.iter_mut().skip(channel).step_by(outputs);
            samples.zip(&rows.row(channel)[..frames]).for_each(|(to, from)| *to = *from);
        }
    }
}
