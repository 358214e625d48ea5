//! A band-split network in real time: one stream.

use std::sync::Arc;

use neurdsp_dsp::live::{LowDelayStft, clean};
use neurdsp_simd::FlushDenormals;

use super::network::{CHANNELS, MAX_FRAMES, Network, State, Workspace};
use crate::error::{Error, Result};
use crate::kinds::StreamingModel;

/// One stream through a band-split network: the past of the recording, the recurrences, and shared weights.
///
/// It starts as the network was trained: with recurrences at zero and silence before the first sample. A frame is run
/// whenever a hop is complete, several together if a block brings several. The result is the same bit for bit however the
/// input is cut into blocks.
///
/// Nothing is computed twice: while both channels are equal to the bit, and were so for long enough, one row is run for both;
/// a silent channel is exactly silent in every stem; and once silence has brought the recurrences to rest, so that a further
/// frame would not change a bit, the network is not run until the next sound. Samples that are not finite count as zero.
#[derive(Debug)]
pub struct BandSplitStream {
    network: Arc<Network>,
    stft: LowDelayStft,
    work: Workspace,
    /// The recording: a frame without its last hop, then what came since.
    past: [Vec<f32>; CHANNELS],
    /// Samples that came since the last frame.
    filled: usize,
    states: [State; CHANNELS],
    /// Whether the second state is the first one; then it is not kept.
    is_twin: bool,
    /// Whether another silent frame would leave the states as they are.
    is_settled: bool,
    /// The second hop of the latest frame of each output.
    tails: Vec<f32>,
    /// Complete samples of each output that were not given out yet.
    ready: Vec<f32>,
    n_ready: usize,
    /// The spectrum of an output, and its two hops.
    re: Vec<f32>,
    im: Vec<f32>,
    hops: Vec<f32>,
}

impl BandSplitStream {
    /// A stream that shares the weights with others.
    pub(super) fn new(network: Arc<Network>) -> Result<BandSplitStream> {
        let config = &network.config;
        let (n_fft, hop) = (config.n_fft, config.hop_length);
        let stft = LowDelayStft::new(n_fft, hop).map_err(|error| Error::OutOfRange {
            name: "the transform".to_owned(),
            got: error.to_string(),
            expected: "one that can be planned".to_owned(),
        })?;
        let n_outputs = config.n_outputs() * CHANNELS;
        let bins = network.bins_step();
        let mut stream = BandSplitStream {
            work: network.workspace(),
            past: std::array::from_fn(|_| vec![0.0; n_fft - hop + MAX_FRAMES * hop]),
            filled: 0,
            states: std::array::from_fn(|_| network.state()),
            is_twin: true,
            is_settled: false,
            tails: vec![0.0; n_outputs * hop],
            ready: vec![0.0; n_outputs * (MAX_FRAMES + 1) * hop],
            n_ready: hop,
            re: vec![0.0; bins],
            im: vec![0.0; bins],
            hops: vec![0.0; 2 * hop],
            stft,
            network,
        };
        stream.reset();
        Ok(stream)
    }

    fn hop(&self) -> usize {
        self.network.config.hop_length
    }

    /// Samples of an output in `ready`.
    fn ready_step(&self) -> usize {
        (MAX_FRAMES + 1) * self.hop()
    }

    /// Takes as many samples as there is room for, gives out as many by `emit`, and returns their number. `emit` gets each
    /// output with its number.
    fn advance(&mut self, input: [&[f32]; CHANNELS], mut emit: impl FnMut(usize, &[f32])) -> usize {
        let (hop, step) = (self.hop(), self.ready_step());
        let count = input[0].len().min(input[1].len()).min(MAX_FRAMES * hop - self.filled);
        let first = self.network.config.n_fft - hop + self.filled;
        for (past, input) in self.past.iter_mut().zip(input) {
            // The sum makes positive zeros of negative ones, so that equal samples are equal bits.
            let samples = past[first..].iter_mut().zip(&input[..count]);
            samples.for_each(|(to, sample)| *to = clean(*sample) + 0.0);
        }
        self.filled += count;
        let n_frames = self.filled / hop;
        if n_frames > 0 {
            self.run(n_frames);
            self.filled -= n_frames * hop;
            self.past.iter_mut().for_each(|past| past.copy_within(n_frames * hop.., 0));
        }
        for (index, output) in self.ready.chunks_exact_mut(step).enumerate() {
            emit(index, &output[..count]);
            output.copy_within(count..self.n_ready, 0);
        }
        self.n_ready -= count;
        count
    }

    /// Runs the next frames and puts a hop of each to the samples that are ready.
    fn run(&mut self, n_frames: usize) {
        let (hop, n_fft) = (self.hop(), self.network.config.n_fft);
        let frame = |past: &Vec<f32>, index: usize| index * hop..(index * hop + n_fft).min(past.len());
        let mut silent = [[false; CHANNELS]; MAX_FRAMES];
        let (mut all_silent, mut all_equal) = (true, true);
        for (index, silent) in silent.iter_mut().take(n_frames).enumerate() {
            let windows = self.past.each_ref().map(|past| &past[frame(past, index)]);
            *silent = windows.map(is_silent);
            all_silent &= silent.iter().all(|is| *is);
            all_equal &= windows[0] == windows[1];
        }
        let rests = all_silent && self.is_settled;
        if !rests {
            self.choose_rows(all_equal);
            let channels = if self.is_twin { 1 } else { CHANNELS };
            let bins = self.network.bins_step();
            for index in 0..n_frames {
                for (channel, past) in self.past.iter().enumerate().take(channels) {
                    let at = (index * channels + channel) * bins;
                    let (re, im) = (&mut self.work.re[at..at + bins], &mut self.work.im[at..at + bins]);
                    self.stft.analyse(&past[frame(past, index)], re, im);
                }
            }
            let ends_silent = silent[n_frames - 1].iter().all(|is| *is);
            let states = &mut self.states[..channels];
            let changed = self.network.run(states, n_frames, &mut self.work, !all_silent, ends_silent);
            self.is_settled = ends_silent && !changed;
        }
        for (index, silent) in silent.iter().take(n_frames).enumerate() {
            self.synthesise(index, *silent);
        }
    }

    /// Decides whether one row is run for both channels.
    fn choose_rows(&mut self, all_equal: bool) {
        let [first, second] = &mut self.states;
        if !all_equal && self.is_twin {
            second.copy_from_slice(first);
            self.is_twin = false;
        } else if all_equal && !self.is_twin {
            let mut pairs = first.iter().zip(second.iter());
            self.is_twin = pairs.all(|(a, b)| a.to_bits() == b.to_bits());
        }
    }

    /// The next hop of every output, from frame `index` of those that were run.
    fn synthesise(&mut self, index: usize, silent: [bool; CHANNELS]) {
        let network = Arc::clone(&self.network);
        let (hop, step, n_stems) = (self.hop(), self.ready_step(), network.config.stems.len());
        let (bins, mask_row) = (network.bins_step(), network.masks.row());
        let rows = if self.is_twin { 1 } else { CHANNELS };
        // The hop that this frame completes.
        let delayed = index * hop + network.config.n_fft - 2 * hop;
        for channel in 0..CHANNELS {
            let residual = (n_stems * CHANNELS + channel) * step + self.n_ready;
            self.ready[residual..residual + hop].copy_from_slice(&self.past[channel][delayed..delayed + hop]);
        }
        for (row, &is_silent) in silent.iter().enumerate().take(rows) {
            // The channels that this row stands for.
            let channels = if rows == 1 { 0..CHANNELS } else { row..row + 1 };
            let at = index * rows + row;
            let masks = at * mask_row..(at + 1) * mask_row;
            if !is_silent {
                network.masks.finish(network.isa(), &mut self.work.masks[masks.clone()]);
            }
            for stem in 0..n_stems {
                if is_silent {
                    self.hops.fill(0.0);
                } else {
                    let spectrum = (&self.work.re[at * bins..][..bins], &self.work.im[at * bins..][..bins]);
                    let masks = &self.work.masks[masks.clone()];
                    network.masks.apply(stem, masks, spectrum, (&mut self.re, &mut self.im));
                    self.stft.synthesise(&self.re, &self.im, &mut self.hops);
                }
                for channel in channels.clone() {
                    let output = stem * CHANNELS + channel;
                    let tail = &mut self.tails[output * hop..][..hop];
                    let (ready, residual) = self.ready.split_at_mut(n_stems * CHANNELS * step);
                    let ready = &mut ready[output * step + self.n_ready..][..hop];
                    let residual = &mut residual[channel * step + self.n_ready..][..hop];
                    for i in 0..hop {
                        ready[i] = tail[i] + self.hops[i];
                        residual[i] -= ready[i];
                        tail[i] = self.hops[hop + i];
                    }
                }
            }
        }
        self.n_ready += hop;
    }
}

/// Whether all samples are positive zeros, the only ones that a stream keeps.
fn is_silent(samples: &[f32]) -> bool {
    samples.iter().all(|sample| sample.to_bits() == 0)
}

impl StreamingModel for BandSplitStream {
    fn reset(&mut self) {
        let hop = self.hop();
        self.past.iter_mut().for_each(|past| past.fill(0.0));
        self.states.iter_mut().for_each(|state| state.fill(0.0));
        self.tails.fill(0.0);
        self.ready.fill(0.0);
        (self.filled, self.n_ready, self.is_twin, self.is_settled) = (0, hop, true, false);
    }

    /// As [`reset`](StreamingModel::reset): the network was trained from that state on.
    fn prewarm(&mut self) {
        self.reset();
    }

    fn receptive_field(&self) -> usize {
        self.network.receptive_field()
    }

    fn latency(&self) -> usize {
        self.network.config.latency()
    }

    /// Plays a mono signal on both channels, and gives the first channel of the first stem.
    fn process(&mut self, input: &[f32], output: &mut [f32]) {
        let _guard = FlushDenormals::new();
        let (count, mut at) = (input.len().min(output.len()), 0);
        while at < count {
            let input = &input[at..count];
            at += self.advance([input, input], |index, samples| {
                if index == 0 {
                    output[at..at + samples.len()].copy_from_slice(samples);
                }
            });
        }
    }

    fn in_channels(&self) -> usize {
        CHANNELS
    }

    fn out_channels(&self) -> usize {
        self.network.config.n_outputs() * CHANNELS
    }

    fn process_channels(&mut self, input: &[&[f32]], output: &mut [&mut [f32]]) {
        let _guard = FlushDenormals::new();
        let [left, right, ..] = input else { return };
        let n_outputs = self.out_channels();
        if output.len() < n_outputs {
            return;
        }
        let shortest = output[..n_outputs].iter().map(|output| output.len()).min().unwrap_or(0);
        let (count, mut at) = (left.len().min(right.len()).min(shortest), 0);
        while at < count {
            at += self.advance([&left[at..count], &right[at..count]], |index, samples| {
                output[index][at..at + samples.len()].copy_from_slice(samples);
            });
        }
    }
}
