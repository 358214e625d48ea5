//! The amp model in real time: one stream of it, and the prepared weights that streams share.

use crate::StreamingModel;
use crate::error::Result;
use crate::wavenet::{WavenetConfig, WavenetWeights};
use neurdsp_nn::{Expand, FrameRing, MAX_FRAMES, Reduce, ResidualConv1d, frame_stride};
use neurdsp_simd::{AlignedBuf, FlushDenormals, Isa};
use std::sync::Arc;

/// The weights of an amp model, in the order in which the kernels of one instruction set read them.
///
/// Immutable: any number of [`Wavenet`] streams, on any threads, play one copy.
#[derive(Debug)]
pub struct PreparedWavenet {
    config: WavenetConfig,
    input: Expand,
    layers: Vec<ResidualConv1d>,
    output: Reduce,
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
        let layers = weights
            .layers
            .iter()
            .zip(config.dilations())
            .map(|(layer, dilation)| {
                let (channels, taps) = (config.channels, config.kernel_size);
                ResidualConv1d::new(channels, taps, dilation, &layer.weight, &layer.bias, isa)
            })
            .collect::<Result<_, _>>()?;
        Ok(PreparedWavenet {
            config: *config,
            input: Expand::new(&weights.input_weight, &weights.input_bias, isa)?,
            layers,
            output: Reduce::new(&weights.output_weight, weights.output_bias, isa)?,
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
/// output for one receptive field at most. Denormal numbers count as zero while a block is processed.
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
    /// The past of each layer's input.
    rings: Vec<FrameRing>,
    /// What the last layer puts out, up to [`MAX_FRAMES`] frames.
    last: AlignedBuf,
    /// Scratch: where each tap of the current layer begins.
    offsets: Vec<usize>,
    stride: usize,
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
        let stride = frame_stride(prepared.config.channels, prepared.isa);
        let rings = prepared
            .layers
            .iter()
            .map(|layer| FrameRing::new(stride, layer.history()))
            .collect::<Result<_, _>>()?;
        let offsets = vec![0; prepared.config.kernel_size];
        let mut stream =
            Wavenet { prepared, rings, last: AlignedBuf::zeroed(MAX_FRAMES * stride), offsets, stride };
        stream.prewarm();
        Ok(stream)
    }

    /// The weights, to be shared with another stream.
    #[must_use]
    pub fn prepared(&self) -> &Arc<PreparedWavenet> {
        &self.prepared
    }

    /// One block of at most [`MAX_FRAMES`] samples.
    fn process_frames(&mut self, input: &[f32], output: &mut [f32]) {
        let frames = input.len();
        let values = frames * self.stride;
        if let Some(first) = self.rings.first_mut() {
            self.prepared.input.run(input, first.incoming(frames));
        }
        let mut rings = &mut self.rings[..];
        let mut layers = self.prepared.layers.iter();
        while let (Some((ring, later)), Some(layer)) = (rings.split_first_mut(), layers.next()) {
            ring.commit(frames);
            let target = match later.first_mut() {
                Some(next) => next.incoming(frames),
                None => &mut self.last[..values],
            };
            layer.run(ring, &mut self.offsets, target);
            ring.advance(frames);
            rings = later;
        }
        self.prepared.output.run(&self.last[..values], output);
    }
}

impl StreamingModel for Wavenet {
    fn reset(&mut self) {
        self.prewarm();
    }

    fn prewarm(&mut self) {
        let _guard = FlushDenormals::new();
        let stride = self.stride;
        let frame = &mut self.last[..2 * stride];
        let (now, next) = frame.split_at_mut(stride);
        self.prepared.input.run(&[0.0], now);
        for (layer, ring) in self.prepared.layers.iter().zip(&mut self.rings) {
            ring.fill(now);
            layer.run(ring, &mut self.offsets, next);
            now.copy_from_slice(next);
        }
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
            self.process_frames(input, output);
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
