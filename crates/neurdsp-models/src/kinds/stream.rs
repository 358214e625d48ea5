//! Models that play in real time.

use super::model::Model;
use crate::container::parity::{OUTPUT, Parity, Verification};
use crate::container::tensor::{Tensor, Tensors};
use crate::container::values::Values;
use crate::error::{Error, Result};

/// A model that turns a signal into another, block by block. Most are mono: one channel in, one out.
///
/// Building one may fail and may allocate. After that nothing here does: [`process`](StreamingModel::process) does not
/// allocate, lock, log, do I/O or panic, whatever the samples are, so it may run on an audio thread.
///
/// The output does not depend on how the input is cut into blocks: it is the same bit for bit for blocks of 1, of 64 or
/// of any other length.
pub trait StreamingModel: Send {
    /// Forgets the past: the state becomes that of a newly built model, as if the input had been zero for ever.
    fn reset(&mut self);

    /// Plays silence until the state has settled, and discards the output.
    ///
    /// For a model with a finite receptive field this is what [`reset`](StreamingModel::reset) does; a recurrent
    /// model may need longer.
    fn prewarm(&mut self);

    /// How many input samples, the current one included, an output sample depends on.
    fn receptive_field(&self) -> usize;

    /// By how many samples the output lags behind the input; 0 for a causal model without look-ahead.
    fn latency(&self) -> usize;

    /// Processes one block of mono samples, of any length, at the sample rate of the model.
    ///
    /// `input` and `output` should have the same length. If they differ, the shorter length is processed and the rest of
    /// `output` is left as it is.
    fn process(&mut self, input: &[f32], output: &mut [f32]);

    /// Channels of the input.
    fn in_channels(&self) -> usize {
        1
    }

    /// Channels of the output.
    fn out_channels(&self) -> usize {
        1
    }

    /// Processes one block of all channels: `[in_channels][samples]` in, `[out_channels][samples]` out.
    ///
    /// The shortest of all slices is the length that is processed. Channels beyond those of the model are left as they
    /// are, and without a channel that it needs it does nothing. A mono model is [`process`](Self::process).
    fn process_channels(&mut self, input: &[&[f32]], output: &mut [&mut [f32]]) {
        if let ([input, ..], [output, ..]) = (input, output) {
            self.process(input, output);
        }
    }
}

/// The weights of a model that plays in real time; any number of streams share them.
pub trait StreamSource: Model {
    /// How many input samples, the current one included, an output sample depends on.
    fn receptive_field(&self) -> usize;

    /// By how many samples the output of every stream lags behind its input.
    fn latency(&self) -> usize;

    /// A new stream, in the state after silence for ever.
    ///
    /// # Errors
    /// A state that cannot be allocated.
    fn build_stream(&self) -> Result<Box<dyn StreamingModel>>;

    /// Plays `parity.input` through a new stream and compares the output with `parity.output`. Both are `[samples]`, or
    /// `[channels, samples]` for a model of several channels.
    ///
    /// # Errors
    /// Vectors that do not fit the model.
    fn prove(&self, parity: &Parity) -> Result<Verification> {
        let mut stream = self.build_stream()?;
        let (input, expected) = (parity.input()?, parity.output()?);
        let samples = input.shape.last().copied().unwrap_or(0);
        let shape = |channels: usize| if channels == 1 { vec![samples] } else { vec![channels, samples] };
        let input_values = input.to_f32("parity.input")?;
        check_shape(input, "parity.input", &shape(stream.in_channels()))?;
        let inputs: Vec<&[f32]> = input_values.chunks_exact(samples.max(1)).collect();
        let mut output = vec![0.0; expected.data.len()];
        check_shape(expected, "parity.output", &shape(stream.out_channels()))?;
        let mut outputs: Vec<&mut [f32]> = output.chunks_exact_mut(samples.max(1)).collect();
        stream.process_channels(&inputs, &mut outputs);
        let output = Tensor { shape: expected.shape.clone(), data: Values::F32(output) };
        parity.measure(&Tensors::from([(OUTPUT.to_owned(), output)]))
    }
}

/// Checks the shape of a signal; a mono one may also be `[1, samples]`.
fn check_shape(signal: &Tensor, name: &str, shape: &[usize]) -> Result<()> {
    if signal.shape == shape || matches!((signal.shape.as_slice(), shape), ([1, n], [m]) if n == m) {
        return Ok(());
    }
    Err(Error::TensorShape { name: name.to_owned(), got: signal.shape.clone(), expected: shape.to_vec() })
}
