//! Playing the LSTM of the format.

use std::sync::Arc;

use neurdsp_nn::{Lstm, MAX_FRAMES, Reduce, frame_stride};
use neurdsp_simd::{AlignedBuf, FlushDenormals, Isa};

use super::frame_model::{FrameModel, FrameModelSource};
use super::networks::LstmNetwork;
use crate::amp::silence::is_silent;
use crate::error::Result;

/// The weights of an LSTM in the order in which the kernels read them, and the state that it has after silence.
#[derive(Debug)]
pub(super) struct PreparedLstm {
    layers: Vec<Lstm>,
    head: Vec<Reduce>,
    settled: State,
    in_channels: usize,
    /// The gain of the input in the output; 0 if it is not added.
    bypass: f32,
}

/// The state of a stream: for each layer one frame of hidden values and one of cells.
#[derive(Debug, Clone)]
struct State {
    hidden: Vec<AlignedBuf>,
    cell: Vec<AlignedBuf>,
}

/// One stream through an LSTM.
///
/// It begins in the state after half a second of silence, as in NAM Core. NaN and infinite samples count as zero. An LSTM
/// never forgets entirely, but its numbers are finite: on silence its state returns to an earlier one, most often to a
/// constant one within seconds. From then on the output of that cycle is repeated, and nothing is computed until the next
/// sound. A state whose last bits never repeat is computed for ever.
#[derive(Debug)]
pub(super) struct LstmStream {
    prepared: Arc<PreparedLstm>,
    cell: Vec<AlignedBuf>,
    /// For each layer the frame before and up to [`MAX_FRAMES`] new ones.
    hidden: Vec<AlignedBuf>,
    /// The input, with zeros for values that are not finite.
    input: AlignedBuf,
    /// One output channel.
    channel: AlignedBuf,
    /// The state whose return is looked for.
    before: State,
    cycle: Cycle,
}

/// Every sixteenth block of silence is searched for a repeated state, since that takes longer.
const SEARCH_EVERY: usize = 16;

/// The output of an LSTM whose state repeats on silence.
#[derive(Debug)]
struct Cycle {
    /// Up to [`MAX_FRAMES`] frames.
    output: AlignedBuf,
    /// The length of the cycle in frames; 0 if none is known.
    frames: usize,
    /// Frames of the cycle that were put out since the state that the stream holds.
    phase: usize,
    /// Consecutive blocks of silence.
    blocks: usize,
    /// Values of a frame.
    channels: usize,
}

impl Cycle {
    fn new(channels: usize) -> Cycle {
        let output = AlignedBuf::zeroed(MAX_FRAMES * channels);
        Cycle { output, frames: 0, phase: 0, blocks: 0, channels }
    }

    /// Continues the cycle.
    fn repeat(&mut self, output: &mut [f32]) {
        if self.frames == 1 {
            let frame = &self.output[..self.channels];
            return output.chunks_exact_mut(self.channels).for_each(|to| to.copy_from_slice(frame));
        }
        for to in output.chunks_exact_mut(self.channels) {
            to.copy_from_slice(&self.output[self.phase * self.channels..][..self.channels]);
            self.phase = (self.phase + 1) % self.frames;
        }
    }
}

impl State {
    /// Whether it equals, to the bit, the state of a stream, whose hidden frames begin longer slices.
    fn equals(&self, hidden: &[AlignedBuf], cell: &[AlignedBuf]) -> bool {
        let own = self.hidden.iter().chain(&self.cell);
        own.zip(hidden.iter().chain(cell))
            .all(|(own, other)| own.iter().zip(other.iter()).all(|(a, b)| a.to_bits() == b.to_bits()))
    }

    /// Copies the state of a stream.
    fn store(&mut self, hidden: &[AlignedBuf], cell: &[AlignedBuf]) {
        let own = self.hidden.iter_mut().chain(&mut self.cell);
        for (own, other) in own.zip(hidden.iter().chain(cell)) {
            let stride = own.len();
            own.copy_from_slice(&other[..stride]);
        }
    }

    /// Copies it to a stream.
    fn restore(&self, hidden: &mut [AlignedBuf], cell: &mut [AlignedBuf]) {
        let own = self.hidden.iter().chain(&self.cell);
        own.zip(hidden.iter_mut().chain(cell))
            .for_each(|(own, other)| other[..own.len()].copy_from_slice(own));
    }
}

impl PreparedLstm {
    /// Prepares a network, and lets it settle on silence.
    ///
    /// # Errors
    /// A number of weights that does not fit the shape, which no network from a file has.
    pub(super) fn new(network: &LstmNetwork, isa: Isa) -> Result<PreparedLstm> {
        let split = network.without_bypass();
        let (network, bypass) = split.as_ref().map_or((network, 0.0), |(inner, gain)| (inner, *gain));
        let units = network.hidden_size;
        let stride = frame_stride(units, isa);
        let layer =
            |layer: &super::LstmLayer| Lstm::new(layer.inputs, units, &layer.weight, &layer.bias, isa);
        let layers = network.layers.iter().map(layer).collect::<Result<Vec<_>, _>>()?;
        let rows = network.head_weight.chunks(units).zip(&network.head_bias);
        let head = rows.map(|(row, &bias)| Reduce::new(row, bias, isa)).collect::<Result<_, _>>()?;
        let frame = |values: &[f32]| {
            let mut frame = AlignedBuf::zeroed(stride);
            frame[..units].copy_from_slice(values);
            frame
        };
        let settled = State {
            hidden: network.layers.iter().map(|layer| frame(&layer.initial_hidden)).collect(),
            cell: network.layers.iter().map(|layer| frame(&layer.initial_cell)).collect(),
        };
        let in_channels = network.in_channels;
        let mut prepared = PreparedLstm { layers, head, settled, in_channels, bypass };
        prepared.settle(network.settle_samples);
        Ok(prepared)
    }

    /// Runs silence through the initial state of streams until it no longer changes or the time is up.
    fn settle(&mut self, samples: usize) {
        let _guard = FlushDenormals::new();
        let silence = AlignedBuf::zeroed(MAX_FRAMES * self.in_channels);
        let mut hidden: Vec<_> = self.settled.hidden.iter().map(|frame| frames_after(frame)).collect();
        let mut cell = self.settled.cell.clone();
        let mut left = samples;
        while left > 0 {
            let frames = left.min(MAX_FRAMES);
            run(&self.layers, &silence[..frames * self.in_channels], &mut hidden, &mut cell);
            left -= frames;
            // The state no longer changes: every further step repeats the last one.
            if self.settled.equals(&hidden, &cell) {
                break;
            }
            self.settled.store(&hidden, &cell);
        }
    }
}

impl FrameModelSource for PreparedLstm {
    fn build(self: Arc<Self>) -> Result<Box<dyn FrameModel>> {
        Ok(Box::new(LstmStream {
            cell: self.settled.cell.clone(),
            hidden: self.settled.hidden.iter().map(|frame| frames_after(frame)).collect(),
            input: AlignedBuf::zeroed(MAX_FRAMES * self.in_channels),
            channel: AlignedBuf::zeroed(MAX_FRAMES),
            before: self.settled.clone(),
            cycle: Cycle::new(self.head.len()),
            prepared: self,
        }))
    }
}

/// Room for a frame and [`MAX_FRAMES`] after it, beginning with `frame`.
fn frames_after(frame: &[f32]) -> AlignedBuf {
    let mut frames = AlignedBuf::zeroed((MAX_FRAMES + 1) * frame.len());
    frames[..frame.len()].copy_from_slice(frame);
    frames
}

/// Runs all layers over the frames of `input`, and moves each layer's last hidden frame to the front.
fn run(layers: &[Lstm], input: &[f32], hidden: &mut [AlignedBuf], cell: &mut [AlignedBuf]) {
    let Some(first) = layers.first() else { return };
    let stride = first.stride();
    let frames = input.len() / first.inputs();
    Lstm::run_stack(layers, input, frames, hidden, cell);
    for hidden in hidden {
        hidden.copy_within(frames * stride..(frames + 1) * stride, 0);
    }
}

impl FrameModel for LstmStream {
    fn in_channels(&self) -> usize {
        self.prepared.in_channels
    }

    fn out_channels(&self) -> usize {
        self.prepared.head.len()
    }

    fn memory(&self) -> Option<usize> {
        None
    }

    fn settle(&mut self, frame: &mut [f32]) {
        let prepared = &self.prepared;
        prepared.settled.restore(&mut self.hidden, &mut self.cell);
        (self.cycle.frames, self.cycle.phase, self.cycle.blocks) = (0, 0, 0);
        if let Some(last) = prepared.settled.hidden.last() {
            for (row, value) in prepared.head.iter().zip(frame) {
                row.run(last, std::slice::from_mut(value));
            }
        }
    }

    fn process_block(&mut self, input: &[f32], output: &mut [f32]) {
        if is_silent(input) {
            return self.play_silence(input, output);
        }
        self.wake();
        self.play(input, output);
    }
}

impl LstmStream {
    fn play(&mut self, input: &[f32], output: &mut [f32]) {
        let prepared = &self.prepared;
        let clean = &mut self.input[..input.len()];
        for (clean, &sample) in clean.iter_mut().zip(input) {
            *clean = if sample.is_finite() { sample } else { 0.0 };
        }
        run(&prepared.layers, clean, &mut self.hidden, &mut self.cell);
        let frames = input.len() / prepared.in_channels;
        let (Some(last), Some(layer)) = (self.hidden.last(), prepared.layers.last()) else { return };
        let last = &last[layer.stride()..][..frames * layer.stride()];
        if let [row] = prepared.head.as_slice() {
            row.run(last, output);
            if prepared.bypass != 0.0 {
                output.iter_mut().zip(clean.iter()).for_each(|(to, input)| *to += prepared.bypass * input);
            }
            return;
        }
        for (i, row) in prepared.head.iter().enumerate() {
            let channel = &mut self.channel[..frames];
            row.run(last, channel);
            for (frame, &value) in output.chunks_exact_mut(prepared.head.len()).zip(channel.iter()) {
                frame[i] = value;
            }
        }
    }

    /// Plays silence, from the known cycle if the state repeats.
    fn play_silence(&mut self, input: &[f32], output: &mut [f32]) {
        if self.cycle.frames > 0 {
            return self.cycle.repeat(output);
        }
        let searches = self.cycle.blocks.is_multiple_of(SEARCH_EVERY);
        self.cycle.blocks = self.cycle.blocks.wrapping_add(1);
        if !searches {
            return self.play(input, output);
        }
        // Frame by frame, since the first state may return within the block.
        let (inputs, outputs) = (self.prepared.in_channels, self.prepared.head.len());
        self.before.store(&self.hidden, &self.cell);
        for start in (0..output.len()).step_by(outputs) {
            let end = start + outputs;
            self.play(&input[..inputs], &mut output[start..end]);
            if self.before.equals(&self.hidden, &self.cell) {
                self.cycle.output[..end].copy_from_slice(&output[..end]);
                self.cycle.frames = end / outputs;
                return self.cycle.repeat(&mut output[end..]);
            }
        }
    }

    /// Brings the state to where the output is, before a sound.
    fn wake(&mut self) {
        let phase = std::mem::take(&mut self.cycle.phase);
        if phase > 0 {
            let silence = &mut self.input[..phase * self.prepared.in_channels];
            silence.fill(0.0);
            run(&self.prepared.layers, silence, &mut self.hidden, &mut self.cell);
        }
        (self.cycle.frames, self.cycle.blocks) = (0, 0);
    }
}
