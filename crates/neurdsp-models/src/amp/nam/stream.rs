//! One stream through a network of one input and one output.

use std::sync::Arc;

use neurdsp_simd::FlushDenormals;

use super::frame_model::{FrameModel, FrameModelSource};
use crate::error::Result;
use crate::kinds::StreamingModel;

/// A network of one input and one output as a [`StreamingModel`].
#[derive(Debug)]
pub struct MonoStream {
    model: Box<dyn FrameModel>,
    receptive_field: usize,
}

impl MonoStream {
    /// A stream in the state after silence for ever, through a network of one input and one output channel.
    ///
    /// # Errors
    /// As [`FrameModelSource::build`].
    pub fn new(source: &Arc<dyn FrameModelSource>, receptive_field: usize) -> Result<MonoStream> {
        let _guard = FlushDenormals::new();
        Ok(MonoStream { model: Arc::clone(source).build()?, receptive_field })
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
        self.model.process_frames(input, output);
    }
}
