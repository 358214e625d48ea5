//! One stream through a network of one input and one output, at any block length.

use neurdsp_nn::MAX_FRAMES;
use neurdsp_simd::FlushDenormals;

use super::frame_model::FrameModel;
use crate::StreamingModel;

/// A network as a [`StreamingModel`].
#[derive(Debug)]
pub(crate) struct MonoStream {
    model: Box<dyn FrameModel>,
    receptive_field: usize,
}

impl MonoStream {
    /// A stream in the state after silence for ever. The model must have one input and one output channel.
    pub(crate) fn new(model: Box<dyn FrameModel>, receptive_field: usize) -> MonoStream {
        let mut stream = MonoStream { model, receptive_field };
        stream.prewarm();
        stream
    }
}

impl StreamingModel for MonoStream {
    fn reset(&mut self) {
        self.prewarm();
    }

    fn prewarm(&mut self) {
        let _guard = FlushDenormals::new();
        self.model.settle(&mut [0.0]);
    }

    fn receptive_field(&self) -> usize {
        self.receptive_field
    }

    fn latency(&self) -> usize {
        0
    }

    fn process(&mut self, input: &[f32], output: &mut [f32]) {
        let _guard = FlushDenormals::new();
        let length = input.len().min(output.len());
        let blocks = input[..length].chunks(MAX_FRAMES).zip(output[..length].chunks_mut(MAX_FRAMES));
        for (input, output) in blocks {
            self.model.process_frames(input, output);
        }
    }
}
