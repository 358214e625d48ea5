//! What every network of the format can do once it is prepared to play, whatever its number of channels.

use std::sync::Arc;

use neurdsp_nn::MAX_FRAMES;
use neurdsp_simd::FlushDenormals;

use crate::error::Result;

/// A network that plays frames of several channels.
///
/// A condition of a WaveNet may be any network with any number of outputs, so this is what its engine holds; a network of
/// one input and one output becomes a [`StreamingModel`](crate::StreamingModel) in a
/// [`MonoStream`](super::MonoStream).
///
/// Once it is built, nothing here allocates, locks or panics, and the output is the same bit for bit however the input is
/// cut into calls.
pub trait FrameModel: Send + std::fmt::Debug {
    /// Values of an input frame.
    fn in_channels(&self) -> usize;

    /// Values of an output frame.
    fn out_channels(&self) -> usize;

    /// Frames of silence after which more of them leave the state as it is to the bit, so that they need not be played;
    /// `None` for a network that never forgets entirely, or counts frames.
    fn memory(&self) -> Option<usize>;

    /// Makes the state that of silence for ever, and writes the frame that the network then puts out: `[out_channels]`.
    ///
    /// Denormal numbers must count as zero, as in [`process_block`](Self::process_block).
    fn settle(&mut self, frame: &mut [f32]);

    /// Plays a block of at most [`MAX_FRAMES`] frames: `[frames][in_channels]` in, `[frames][out_channels]` out, the same
    /// number in both.
    ///
    /// The caller sets [`FlushDenormals`], so that denormal numbers count as zero.
    fn process_block(&mut self, input: &[f32], output: &mut [f32]);

    /// Plays as many frames as both slices hold, with denormal numbers as zero.
    fn process_frames(&mut self, input: &[f32], output: &mut [f32]) {
        let _guard = FlushDenormals::new();
        let (inputs, outputs) = (self.in_channels(), self.out_channels());
        let frames = (input.len() / inputs).min(output.len() / outputs);
        let input = input[..frames * inputs].chunks(MAX_FRAMES * inputs);
        let output = output[..frames * outputs].chunks_mut(MAX_FRAMES * outputs);
        for (input, output) in input.zip(output) {
            self.process_block(input, output);
        }
    }
}

/// Prepared weights that streams are built from.
pub trait FrameModelSource: Send + Sync + std::fmt::Debug {
    /// A new stream, in the state after silence for ever.
    ///
    /// # Errors
    /// The state cannot be addressed; the bounds of the reader exclude it.
    fn build(self: Arc<Self>) -> Result<Box<dyn FrameModel>>;
}
