//! The residual network in real time: one stream, and the prepared weights that streams share.

use super::pass::Pass;
use super::{frames, rows};
use crate::amp::residual::{ResidualConfig, ResidualWeights};
use crate::amp::silence::{Silence, is_silent};
use crate::error::Result;
use crate::kinds::StreamingModel;
use neurdsp_nn::MAX_FRAMES;
use neurdsp_simd::{FlushDenormals, Isa};
use std::sync::Arc;

/// The weights of a residual network, in the order in which the kernels of one instruction set read them.
///
/// Immutable: any number of [`ResidualStream`]s, on any threads, share one copy.
#[derive(Debug)]
pub struct PreparedResidual {
    config: ResidualConfig,
    kernels: Kernels,
    isa: Isa,
}

/// The shape of the kernels.
#[derive(Debug)]
enum Kernels {
    /// Vectors across channels.
    Frames(frames::Kernels),
    /// Vectors along time.
    Rows(rows::Kernels),
}

/// The state for kernels of either shape.
#[derive(Debug)]
enum State {
    Frames(frames::State),
    Rows(rows::State),
}

/// Whether vectors across channels are faster, as measured on the sizes of the presets.
fn fills_vectors(channels: usize, isa: Isa) -> bool {
    if isa.has_avx512() {
        channels.is_multiple_of(16)
    } else if isa.has_avx2() {
        channels.is_multiple_of(8) && (16..=48).contains(&channels)
    } else {
        channels.is_multiple_of(4)
    }
}

impl PreparedResidual {
    /// Prepares `weights` for the best instruction set of this machine.
    ///
    /// # Errors
    ///
    /// As [`ResidualWeights::check`]: a config out of bounds, or weights that do not fit it or are not finite.
    pub fn new(config: &ResidualConfig, weights: &ResidualWeights) -> Result<PreparedResidual> {
        PreparedResidual::for_isa(config, weights, Isa::detect())
    }

    /// As [`new`](Self::new), for a given instruction set.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn for_isa(config: &ResidualConfig, weights: &ResidualWeights, isa: Isa) -> Result<PreparedResidual> {
        weights.check(config)?;
        let kernels = if fills_vectors(config.channels, isa) {
            Kernels::Frames(frames::Kernels::new(config, weights, isa)?)
        } else {
            Kernels::Rows(rows::Kernels::new(config, weights, isa)?)
        };
        Ok(PreparedResidual { config: *config, kernels, isa })
    }

    /// The shape of the model.
    #[must_use]
    pub fn config(&self) -> &ResidualConfig {
        &self.config
    }

    /// The instruction set that the weights are arranged for.
    #[must_use]
    pub fn isa(&self) -> Isa {
        self.isa
    }
}

/// One stream through a residual network: the past of every layer, and shared weights.
///
/// After construction and after [`reset`](StreamingModel::reset) it is in the state after silence for ever, so that it
/// starts without a click. That state is found in closed form: on silence each layer settles on one constant frame, so one
/// frame is computed for each layer and its whole past is filled with it.
///
/// The output is the same bit for bit however the input is cut into blocks. NaN or infinity in the input reaches the
/// output for one receptive field at most. Denormal numbers count as zero while a block is processed. After a receptive
/// field of silence nothing is computed until the next sound; the output is the same to the bit as if everything had been
/// computed.
///
/// # Examples
///
/// ```
/// use neurdsp_models::StreamingModel;
/// use neurdsp_models::amp::residual::{LayerWeights, ResidualStream, ResidualConfig, ResidualWeights};
///
/// let config = ResidualConfig { channels: 1, num_layers: 1, kernel_size: 2, dilation_base: 2 };
/// let weights = ResidualWeights {
///     input_weight: vec![1.0],
///     input_bias: vec![0.0],
///     layers: vec![LayerWeights { weight: vec![0.5, 0.0], bias: vec![0.0] }],
///     output_weight: vec![1.0],
///     output_bias: 0.0,
/// };
/// let mut amp = ResidualStream::new(&config, &weights)?;
/// let mut output = [0.0; 2];
/// amp.process(&[1.0, 0.0], &mut output); // y[t] = x[t] + tanh(0.5 x[t - 1])
/// assert!((output[0] - 1.0).abs() < 1e-6);
/// assert!((output[1] - 0.5f32.tanh()).abs() < 1e-6);
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
#[derive(Debug)]
pub struct ResidualStream {
    prepared: Arc<PreparedResidual>,
    state: State,
    silence: Silence,
    /// The output on silence.
    rest: f32,
}

impl ResidualStream {
    /// A stream with weights of its own.
    ///
    /// # Errors
    ///
    /// As [`PreparedResidual::new`].
    pub fn new(config: &ResidualConfig, weights: &ResidualWeights) -> Result<ResidualStream> {
        ResidualStream::from_prepared(Arc::new(PreparedResidual::new(config, weights)?))
    }

    /// A stream that shares `prepared` with others.
    ///
    /// # Errors
    ///
    /// A history that cannot be addressed; the bounds of [`ResidualConfig::validate`] exclude it.
    pub fn from_prepared(prepared: Arc<PreparedResidual>) -> Result<ResidualStream> {
        let state = match &prepared.kernels {
            Kernels::Frames(kernels) => State::Frames(kernels.state()?),
            Kernels::Rows(kernels) => State::Rows(kernels.state()?),
        };
        let silence = Silence::new(Some(prepared.config.receptive_field()));
        let mut stream = ResidualStream { prepared, state, silence, rest: 0.0 };
        stream.prewarm();
        Ok(stream)
    }

    /// The weights, to be shared with another stream.
    #[must_use]
    pub fn prepared(&self) -> &Arc<PreparedResidual> {
        &self.prepared
    }

    /// One block of at most [`MAX_FRAMES`] samples.
    fn run(&mut self, input: &[f32], output: &mut [f32], pass: Pass) {
        match (&self.prepared.kernels, &mut self.state) {
            (Kernels::Frames(kernels), State::Frames(state)) => kernels.run(state, input, output, pass),
            (Kernels::Rows(kernels), State::Rows(state)) => kernels.run(state, input, output, pass),
            // The state is always built for the kernels.
            _ => output.fill(0.0),
        }
    }
}

impl StreamingModel for ResidualStream {
    fn reset(&mut self) {
        self.prewarm();
    }

    fn prewarm(&mut self) {
        let _guard = FlushDenormals::new();
        let mut rest = [0.0];
        self.run(&[0.0], &mut rest, Pass::Settle);
        self.rest = rest[0];
        self.silence.settled();
    }

    fn receptive_field(&self) -> usize {
        self.prepared.config.receptive_field()
    }

    fn latency(&self) -> usize {
        0
    }

    fn process(&mut self, input: &[f32], output: &mut [f32]) {
        let _guard = FlushDenormals::new();
        for (input, output) in zip_blocks(input, output) {
            if self.silence.skips(is_silent(input), input.len()) {
                output.fill(self.rest);
            } else {
                self.run(input, output, Pass::Play);
            }
        }
    }
}

/// Cuts both to the shorter length and into blocks of [`MAX_FRAMES`].
fn zip_blocks<'a>(
    input: &'a [f32],
    output: &'a mut [f32],
) -> impl Iterator<Item = (&'a [f32], &'a mut [f32])> {
    let len = input.len().min(output.len());
    input[..len].chunks(MAX_FRAMES).zip(output[..len].chunks_mut(MAX_FRAMES))
}
