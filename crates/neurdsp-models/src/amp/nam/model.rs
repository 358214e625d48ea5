//! A `.nam` model at one size, prepared for any number of streams.

use std::sync::Arc;

use neurdsp_simd::Isa;

use super::engine::Conventions;
use super::file::NamFile;
use super::frame_model::FrameModelSource;
use super::prepare::prepare;
use super::stream::MonoStream;
use crate::error::{Error, Result};
use crate::streaming::StreamingModel;

/// How a `.nam` model is to be played.
///
/// # Example
/// ```no_run
/// use neurdsp_models::{NamOptions, load_with};
/// let smallest = NamOptions { size: Some(0.0), ..NamOptions::default() };
/// let model = load_with("amp.nam", &smallest)?;
/// # Ok::<(), neurdsp_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct NamOptions {
    /// Of a model with several sizes, the one to play, from 0 (smallest) to 1 (full, also where nothing is said). Other
    /// models play the same at every size.
    pub size: Option<f64>,
    /// Whose reading to follow where NAM Core and NAM's trainer differ.
    pub conventions: Conventions,
}

/// A `.nam` model at one size, with its weights prepared.
#[derive(Debug, Clone)]
pub(crate) struct NamModel {
    pub(crate) file: Arc<NamFile>,
    source: Arc<dyn FrameModelSource>,
    pub(crate) receptive_field: usize,
    pub(crate) n_parameters: usize,
}

impl NamModel {
    /// Prepares a model.
    ///
    /// # Errors
    /// A size outside 0 to 1, a model that is not mono, or one that the kernels refuse.
    pub(crate) fn new(file: NamFile, options: &NamOptions) -> Result<NamModel> {
        let (model, network) = file.at_size(options.size)?;
        if (network.in_channels(), network.out_channels()) != (1, 1) {
            return Err(Error::Unsupported {
                what: format!(
                    "a model of {} input and {} output channels",
                    network.in_channels(),
                    network.out_channels()
                ),
                reason: "neurdsp plays mono models; such a model serves as the condition of another"
                    .to_owned(),
            });
        }
        let source = prepare(&network, options.conventions, Isa::detect())?;
        let (receptive_field, n_parameters) = (model.receptive_field(), network.n_parameters());
        Ok(NamModel { source, receptive_field, n_parameters, file: Arc::new(file) })
    }

    /// A new stream, in the state after silence for ever.
    ///
    /// # Errors
    /// The state cannot be addressed; the bounds of the reader exclude it.
    pub(crate) fn stream(&self) -> Result<Box<dyn StreamingModel>> {
        Ok(Box::new(MonoStream::new(self.source.build()?, self.receptive_field)))
    }
}
