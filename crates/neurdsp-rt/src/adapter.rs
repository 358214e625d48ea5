//! A model at another sample rate than its own, or oversampled.

use crate::error::{Error, Result};
use crate::wide_adapter::WideAdapter;
use neurdsp_dsp::live::{Ratio, ResampleQuality, Resampler};
use neurdsp_models::{LoadedModel, StreamingModel};

/// Samples of the host that are processed at a time.
const CHUNK: usize = 256;

/// The rate at which a model runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Operation {
    /// The sample rate of input and output, in Hz.
    pub sample_rate: f64,
    /// 1, 2 or 4: the multiple of its own rate that the model runs at. More reduces aliasing, at a proportional cost.
    pub oversample: usize,
    /// The quality of the filters, if the rates differ.
    pub quality: ResampleQuality,
}

impl Operation {
    /// At `sample_rate`, not oversampled, with the best filters.
    #[must_use]
    pub fn at(sample_rate: f64) -> Operation {
        Operation { sample_rate, oversample: 1, quality: ResampleQuality::High }
    }
}

/// A stream of `model` for audio at another rate. If the rates are equal and nothing is oversampled, it is the model's own
/// stream, without latency.
///
/// # Errors
/// The rates are too far apart, `oversample` is not 1, 2 or 4, or the model cannot be built.
///
/// # Example
///
/// ```no_run
/// use neurdsp_rt::{Operation, build_stream};
///
/// let model = neurdsp_models::load("amp.safetensors")?; // at 48 kHz
/// let mut stream = build_stream(&model, Operation::at(44_100.0))?;
/// assert_eq!(stream.latency(), 163);
/// let mut output = [0.0; 64];
/// stream.process(&[0.0; 64], &mut output);
/// # Ok::<(), neurdsp_rt::Error>(())
/// ```
pub fn build_stream(model: &LoadedModel, operation: Operation) -> Result<Box<dyn StreamingModel>> {
    let mut build = || Ok(model.build_stream()?);
    adapt(&mut build, model.sample_rate(), operation)
}

/// As [`build_stream`], for any model whose streams `build` makes, at `model_rate`. The latency of a resampled model, if it has
/// one, is completed to a whole number of samples.
///
/// # Errors
/// As [`build_stream`]; a model of several channels, or with a latency of its own, cannot be oversampled.
pub fn adapt(
    build: &mut dyn FnMut() -> Result<Box<dyn StreamingModel>>,
    model_rate: f64,
    operation: Operation,
) -> Result<Box<dyn StreamingModel>> {
    let Operation { sample_rate, oversample, quality } = operation;
    if ![1, 2, 4].contains(&oversample) {
        return Err(Error::parameter("oversample", oversample, "it must be 1, 2 or 4"));
    }
    let ratio = Ratio::new(sample_rate, model_rate * oversample as f64)?;
    if ratio.up == ratio.down && oversample == 1 {
        return build();
    }
    let first = build()?;
    if first.in_channels() > 1 || first.out_channels() > 1 || first.latency() > 0 {
        if oversample != 1 {
            let allowed = "a model of several channels, or with a latency, is not oversampled: 1";
            return Err(Error::parameter("oversample", oversample, allowed));
        }
        return Ok(Box::new(WideAdapter::new(first, ratio, quality)?));
    }
    let more = (1..oversample).map(|_| build());
    let instances = std::iter::once(Ok(first)).chain(more).collect::<Result<Vec<_>>>()?;
    Ok(Box::new(RateAdapter::new(instances, ratio, quality)?))
}

/// Filter, model, filter: for a model of one channel without latency.
///
/// Oversampled `n` times, the model is played by `n` streams, each of which processes every `n`-th sample. That is what the
/// network would compute with all its delays `n` times as long: its filters act at the same times as before, while the
/// harmonics of its nonlinearities have room up to `n` times the old Nyquist frequency, where the filter on the way back
/// removes them before they alias. It works for any model, recurrent ones too.
struct RateAdapter {
    instances: Vec<Box<dyn StreamingModel>>,
    /// The index of the instance for the next sample.
    turn: usize,
    /// To the rate of the model and back, or `None` if the audio has that rate already.
    filters: Option<(Resampler, Resampler)>,
    /// A chunk at the rate of the model, and one instance's samples of it, before and after.
    fast: Vec<f32>,
    share: Vec<f32>,
    played: Vec<f32>,
    receptive_field: usize,
}

impl RateAdapter {
    fn new(
        instances: Vec<Box<dyn StreamingModel>>,
        ratio: Ratio,
        quality: ResampleQuality,
    ) -> Result<RateAdapter> {
        let most = (CHUNK as u64 * ratio.up).div_ceil(ratio.down) as usize + 1;
        let filters = if ratio.up == ratio.down {
            None
        } else {
            let there = Resampler::new(ratio, quality, CHUNK)?;
            Some((there, Resampler::with_output_delay(ratio.inverse(), quality, most)?))
        };
        let own_field = instances.iter().map(|model| model.receptive_field()).max().unwrap_or(1);
        let field = own_field as f64 * instances.len() as f64 * ratio.down as f64 / ratio.up as f64;
        let delay = filters.as_ref().map_or(0, |(there, back)| there.delay() + back.delay());
        let receptive_field = field.ceil() as usize + 2 * delay;
        let mut adapter = RateAdapter {
            instances,
            turn: 0,
            filters,
            fast: vec![0.0; most],
            share: vec![0.0; most],
            played: vec![0.0; most],
            receptive_field,
        };
        adapter.settle();
        Ok(adapter)
    }

    /// Brings the filters to the state after silence for ever; the models must be in theirs already.
    fn settle(&mut self) {
        self.turn = 0;
        let mut offset = 0.0;
        for model in self.instances.iter_mut().rev() {
            let mut output = [0.0];
            model.process(&[0.0], &mut output);
            offset = output[0];
        }
        if let Some((there, back)) = &mut self.filters {
            there.reset(0.0);
            back.reset(offset);
        }
    }

    /// Runs every instance on its samples of the chunk.
    fn play(&mut self, count: usize) {
        let n = self.instances.len();
        for (i, model) in self.instances.iter_mut().enumerate() {
            let first = (i + n - self.turn) % n;
            let mut mine = 0;
            for (to, sample) in self.share.iter_mut().zip(self.fast[..count].iter().skip(first).step_by(n)) {
                *to = *sample;
                mine += 1;
            }
            model.process(&self.share[..mine], &mut self.played[..mine]);
            let places = self.fast[..count].iter_mut().skip(first).step_by(n);
            places.zip(&self.played[..mine]).for_each(|(to, sample)| *to = *sample);
        }
        self.turn = (self.turn + count) % n;
    }
}

impl StreamingModel for RateAdapter {
    fn reset(&mut self) {
        self.instances.iter_mut().for_each(|model| model.reset());
        self.settle();
    }

    fn prewarm(&mut self) {
        self.instances.iter_mut().for_each(|model| model.prewarm());
        self.settle();
    }

    fn receptive_field(&self) -> usize {
        self.receptive_field
    }

    fn latency(&self) -> usize {
        self.filters.as_ref().map_or(0, |(there, back)| there.delay() + back.delay())
    }

    fn process(&mut self, input: &[f32], output: &mut [f32]) {
        let length = input.len().min(output.len());
        let chunks = input[..length].chunks(CHUNK).zip(output[..length].chunks_mut(CHUNK));
        for (input, output) in chunks {
            let count = match &mut self.filters {
                Some((there, _)) => {
                    there.push(input);
                    let count = there.ready().min(self.fast.len());
                    there.pull(&mut self.fast[..count]);
                    count
                }
                None => {
                    self.fast[..input.len()].copy_from_slice(input);
                    input.len()
                }
            };
            self.play(count);
            match &mut self.filters {
                Some((_, back)) => {
                    back.push(&self.fast[..count]);
                    back.pull(output);
                }
                None => output.copy_from_slice(&self.fast[..count]),
            }
        }
    }
}
