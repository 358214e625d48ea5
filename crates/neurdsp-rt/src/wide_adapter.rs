//! A model of several channels, or with a latency of its own, at another sample rate than its own.

use crate::error::{Error, Result};
use neurdsp_dsp::live::{Ratio, ResampleQuality, Resampler};
use neurdsp_models::StreamingModel;

/// Samples of the host that are processed at a time.
const CHUNK: usize = 256;
/// The most channels on a side.
const MAX_CHANNELS: usize = 64;

/// A filter for each input, the model, and a filter for each output.
///
/// The filters on the way back complete the latency of the model to a whole number of samples of the host.
pub(crate) struct WideAdapter {
    model: Box<dyn StreamingModel>,
    there: Vec<Resampler>,
    back: Vec<Resampler>,
    /// A chunk of each channel at the rate of the model, before and after it.
    before: Vec<f32>,
    after: Vec<f32>,
    /// Samples that there is room for in a chunk.
    most: usize,
    latency: usize,
    receptive_field: usize,
}

impl WideAdapter {
    /// `ratio` is that of the rate of the model over that of the host.
    pub(crate) fn new(
        model: Box<dyn StreamingModel>,
        ratio: Ratio,
        quality: ResampleQuality,
    ) -> Result<WideAdapter> {
        let (n_inputs, n_outputs) = (model.in_channels(), model.out_channels());
        for (count, side) in [(n_inputs, "inputs"), (n_outputs, "outputs")] {
            if !(1..=MAX_CHANNELS).contains(&count) {
                let allowed = format!("it must be 1 to {MAX_CHANNELS}");
                return Err(Error::parameter(format!("the number of {side} of the model"), count, allowed));
            }
        }
        let most = (CHUNK as u64 * ratio.up).div_ceil(ratio.down) as usize + 1;
        let there = Resampler::new(ratio, quality, CHUNK)?;
        let back = Resampler::with_total_delay(ratio.inverse(), quality, most, model.latency())?;
        let field = model.receptive_field() as f64 * ratio.down as f64 / ratio.up as f64;
        let latency = there.delay() + back.delay();
        let mut adapter = WideAdapter {
            there: vec![there; n_inputs],
            back: vec![back; n_outputs],
            before: vec![0.0; n_inputs * most],
            after: vec![0.0; n_outputs * most],
            most,
            latency,
            receptive_field: (field.ceil() as usize).saturating_add(2 * latency),
            model,
        };
        adapter.settle();
        Ok(adapter)
    }

    fn settle(&mut self) {
        self.there.iter_mut().chain(&mut self.back).for_each(|filter| filter.reset(0.0));
    }

    /// Plays `count` samples of the chunk.
    fn play(&mut self, count: usize) {
        let mut inputs: [&[f32]; MAX_CHANNELS] = [&[]; MAX_CHANNELS];
        for (input, samples) in inputs.iter_mut().zip(self.before.chunks_exact(self.most)) {
            *input = &samples[..count];
        }
        let mut outputs: [&mut [f32]; MAX_CHANNELS] = std::array::from_fn(|_| &mut [][..]);
        for (output, samples) in outputs.iter_mut().zip(self.after.chunks_exact_mut(self.most)) {
            *output = &mut samples[..count];
        }
        self.model.process_channels(&inputs[..self.there.len()], &mut outputs[..self.back.len()]);
    }
}

impl StreamingModel for WideAdapter {
    fn reset(&mut self) {
        self.model.reset();
        self.settle();
    }

    fn prewarm(&mut self) {
        self.model.prewarm();
        self.settle();
    }

    fn receptive_field(&self) -> usize {
        self.receptive_field
    }

    fn latency(&self) -> usize {
        self.latency
    }

    fn in_channels(&self) -> usize {
        self.there.len()
    }

    fn out_channels(&self) -> usize {
        self.back.len()
    }

    fn process(&mut self, input: &[f32], output: &mut [f32]) {
        self.process_channels(&[input], &mut [output]);
    }

    fn process_channels(&mut self, input: &[&[f32]], output: &mut [&mut [f32]]) {
        if input.len() < self.there.len() || output.len() < self.back.len() {
            return;
        }
        let inputs = &input[..self.there.len()];
        let outputs = &mut output[..self.back.len()];
        let lengths = inputs.iter().map(|x| x.len()).chain(outputs.iter().map(|y| y.len()));
        let length = lengths.min().unwrap_or(0);
        let mut at = 0;
        while at < length {
            let end = length.min(at + CHUNK);
            let mut count = 0;
            let fast = self.before.chunks_exact_mut(self.most);
            for ((there, input), fast) in self.there.iter_mut().zip(inputs).zip(fast) {
                there.push(&input[at..end]);
                count = there.ready().min(fast.len());
                there.pull(&mut fast[..count]);
            }
            self.play(count);
            let fast = self.after.chunks_exact(self.most);
            for ((back, output), fast) in self.back.iter_mut().zip(outputs.iter_mut()).zip(fast) {
                back.push(&fast[..count]);
                back.pull(&mut output[at..end]);
            }
            at = end;
        }
    }
}
