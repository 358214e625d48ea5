//! The amp model in real time: one stream of it, and the prepared weights that streams share.

use crate::StreamingModel;
use crate::error::Result;
use crate::silence::{Silence, is_silent};
use crate::wavenet::{LayerWeights, WavenetConfig, WavenetWeights};
use neurdsp_nn::MAX_FRAMES;
use neurdsp_nn::planar::{Activation, Affine, AffineShape, Base, Input, PlanarBlock, PlanarRing};
use neurdsp_simd::{FlushDenormals, Isa};
use std::sync::Arc;

/// The weights of an amp model, in the order in which the kernels of one instruction set read them.
///
/// Immutable: any number of [`Wavenet`] streams, on any threads, play one copy.
#[derive(Debug)]
pub struct PreparedWavenet {
    config: WavenetConfig,
    input: Affine,
    layers: Vec<Affine>,
    output: Affine,
    isa: Isa,
}

impl PreparedWavenet {
    /// Prepares `weights` for the best instruction set of this machine.
    ///
    /// # Errors
    ///
    /// As [`WavenetWeights::check`]: a config out of bounds, or weights that do not fit it or are not finite.
    pub fn new(config: &WavenetConfig, weights: &WavenetWeights) -> Result<PreparedWavenet> {
        PreparedWavenet::for_isa(config, weights, Isa::detect())
    }

    /// As [`new`](Self::new), for a given instruction set.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn for_isa(config: &WavenetConfig, weights: &WavenetWeights, isa: Isa) -> Result<PreparedWavenet> {
        weights.check(config)?;
        let c = config.channels;
        let layer = |(layer, dilation): (&LayerWeights, usize)| {
            let shape = AffineShape { taps: config.kernel_size, dilation, ..AffineShape::pointwise(c, c) };
            Affine::new(&shape, &layer.weight, &layer.bias, &[], isa)
        };
        let pointwise = |inputs, outputs, weight: &[f32], bias: &[f32]| {
            Affine::new(&AffineShape::pointwise(inputs, outputs), weight, bias, &[], isa)
        };
        Ok(PreparedWavenet {
            config: *config,
            input: pointwise(1, c, &weights.input_weight, &weights.input_bias)?,
            layers: weights.layers.iter().zip(config.dilations()).map(layer).collect::<Result<_, _>>()?,
            output: pointwise(c, 1, &weights.output_weight, &[weights.output_bias])?,
            isa,
        })
    }

    /// The shape of the model.
    #[must_use]
    pub fn config(&self) -> &WavenetConfig {
        &self.config
    }

    /// The instruction set that the weights are arranged for.
    #[must_use]
    pub fn isa(&self) -> Isa {
        self.isa
    }
}

/// One stream through an amp model: the past of every layer, and a share in the weights.
///
/// The state after construction, and after [`reset`](StreamingModel::reset), is that of a model which has heard silence
/// for ever, so there is no click at the start. It is found in closed form: on silence each layer settles on one
/// constant frame, so one frame is computed for each layer and its whole past is filled with it.
///
/// The output is the same bit for bit however the input is cut into blocks. NaN or infinity in the input reaches the
/// output for one receptive field at most. Denormal numbers count as zero while a block is processed. Once the input has
/// been silent for a receptive field nothing is computed until it sounds again; what comes out then is, to the bit, what
/// would have been computed.
///
/// # Examples
///
/// ```
/// use neurdsp_models::StreamingModel;
/// use neurdsp_models::wavenet::{LayerWeights, Wavenet, WavenetConfig, WavenetWeights};
///
/// let config = WavenetConfig { channels: 1, num_layers: 1, kernel_size: 2, dilation_base: 2 };
/// let weights = WavenetWeights {
///     input_weight: vec![1.0],
///     input_bias: vec![0.0],
///     layers: vec![LayerWeights { weight: vec![0.5, 0.0], bias: vec![0.0] }],
///     output_weight: vec![1.0],
///     output_bias: 0.0,
/// };
/// let mut amp = Wavenet::new(&config, &weights)?;
/// let mut output = [0.0; 2];
/// amp.process(&[1.0, 0.0], &mut output); // y[t] = x[t] + tanh(0.5 x[t - 1])
/// assert!((output[0] - 1.0).abs() < 1e-6);
/// assert!((output[1] - 0.5f32.tanh()).abs() < 1e-6);
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
#[derive(Debug)]
pub struct Wavenet {
    prepared: Arc<PreparedWavenet>,
    /// One row each: the block that goes in, and what comes out.
    input: PlanarBlock,
    output: PlanarBlock,
    /// The past of each layer's input.
    rings: Vec<PlanarRing>,
    /// What the last layer puts out.
    last: PlanarBlock,
    /// Scratch: the current layer before its residual.
    z: PlanarBlock,
    silence: Silence,
    /// The output on silence.
    rest: f32,
}

/// What a run through the network is for.
#[derive(Clone, Copy)]
enum Pass {
    /// Plays so many frames.
    Play(usize),
    /// Makes the past of every layer the frame that it puts out now.
    Settle,
}

impl Wavenet {
    /// A stream with weights of its own.
    ///
    /// # Errors
    ///
    /// As [`PreparedWavenet::new`].
    pub fn new(config: &WavenetConfig, weights: &WavenetWeights) -> Result<Wavenet> {
        Wavenet::from_prepared(Arc::new(PreparedWavenet::new(config, weights)?))
    }

    /// A stream that shares `prepared` with others.
    ///
    /// # Errors
    ///
    /// A history that cannot be addressed; the bounds of [`WavenetConfig::validate`] exclude it.
    pub fn from_prepared(prepared: Arc<PreparedWavenet>) -> Result<Wavenet> {
        let c = prepared.config.channels;
        let rings = prepared.layers.iter().map(|layer| PlanarRing::new(c, layer.shape().history()));
        let mut stream = Wavenet {
            input: PlanarBlock::new(1),
            output: PlanarBlock::new(1),
            rings: rings.collect::<Result<_, _>>()?,
            last: PlanarBlock::new(c),
            z: PlanarBlock::new(c),
            silence: Silence::new(Some(prepared.config.receptive_field())),
            rest: 0.0,
            prepared,
        };
        stream.prewarm();
        Ok(stream)
    }

    /// The weights, to be shared with another stream.
    #[must_use]
    pub fn prepared(&self) -> &Arc<PreparedWavenet> {
        &self.prepared
    }

    /// Runs the network on what `input` holds.
    fn run(&mut self, pass: Pass) {
        let isa = self.prepared.isa;
        let frames = match pass {
            Pass::Play(frames) => frames,
            Pass::Settle => 1,
        };
        if let Some(first) = self.rings.first_mut() {
            let input = Input::Rows(self.input.rows());
            self.prepared.input.run(input, None, Base::Zero, &mut first.incoming(), frames);
        }
        let mut rings = &mut self.rings[..];
        let mut z = self.z.rows_mut();
        for layer in &self.prepared.layers {
            let Some((ring, later)) = rings.split_first_mut() else { break };
            match pass {
                Pass::Play(frames) => ring.commit(frames),
                Pass::Settle => ring.settle(),
            }
            layer.run(Input::Ring(ring), None, Base::Zero, &mut z, frames);
            let mut next = match later.first_mut() {
                Some(next) => next.incoming(),
                None => self.last.rows_mut(),
            };
            let residual = Base::Rows(ring.present());
            Activation::Tanh.run(isa, &mut z, Some((residual, &mut next)), frames);
            ring.advance(frames);
            rings = later;
        }
        let last = Input::Rows(self.last.rows());
        self.prepared.output.run(last, None, Base::Zero, &mut self.output.rows_mut(), frames);
    }
}

impl StreamingModel for Wavenet {
    fn reset(&mut self) {
        self.prewarm();
    }

    fn prewarm(&mut self) {
        let _guard = FlushDenormals::new();
        self.input.rows_mut().row_mut(0)[0] = 0.0;
        self.run(Pass::Settle);
        self.rest = self.output.rows().row(0)[0];
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
            let frames = input.len();
            if self.silence.skips(is_silent(input), frames) {
                output.fill(self.rest);
                continue;
            }
            self.input.rows_mut().row_mut(0)[..frames].copy_from_slice(input);
            self.run(Pass::Play(frames));
            output.copy_from_slice(&self.output.rows().row(0)[..frames]);
        }
    }
}

/// Cuts both to the shorter of the two and into blocks of [`MAX_FRAMES`].
fn zip_blocks<'a>(
    input: &'a [f32],
    output: &'a mut [f32],
) -> impl Iterator<Item = (&'a [f32], &'a mut [f32])> {
    let len = input.len().min(output.len());
    input[..len].chunks(MAX_FRAMES).zip(output[..len].chunks_mut(MAX_FRAMES))
}
