//! A `.nam` model at one size, prepared for any number of streams.

use std::sync::Arc;

use neurdsp_simd::Isa;

use super::file::NamFile;
use super::frame_model::FrameModelSource;
use super::options::NamOptions;
use super::prepare::prepare;
use super::stream::MonoStream;
use crate::amp::playable::Playable;
use crate::container::file::ModelFile;
use crate::container::header::Header;
use crate::error::{Error, Result};
use crate::kinds::StreamingModel;

/// A `.nam` model at one size, with its weights prepared.
#[derive(Debug)]
pub(crate) struct NamModel {
    file: Arc<NamFile>,
    source: Arc<dyn FrameModelSource>,
    receptive_field: usize,
    n_parameters: usize,
}

/// Takes a `.nam` model out of a model file.
///
/// # Errors
/// As [`NamFile::from_model_file`] and [`NamModel::new`].
pub(crate) fn read(file: &ModelFile, _: &Header, options: &NamOptions) -> Result<Arc<dyn Playable>> {
    Ok(Arc::new(NamModel::new(Arc::new(NamFile::from_model_file(file)?), options)?))
}

impl NamModel {
    /// Prepares a model.
    ///
    /// # Errors
    /// A size outside 0 to 1, a model that is not mono, or one that the kernels refuse.
    pub(crate) fn new(file: Arc<NamFile>, options: &NamOptions) -> Result<NamModel> {
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
        Ok(NamModel { source, receptive_field, n_parameters, file: Arc::clone(&file) })
    }
}

impl Playable for NamModel {
    fn architecture(&self) -> &'static str {
        self.file.architecture()
    }

    fn receptive_field(&self) -> usize {
        self.receptive_field
    }

    fn n_parameters(&self) -> usize {
        self.n_parameters
    }

    fn build_stream(self: Arc<Self>) -> Result<Box<dyn StreamingModel>> {
        Ok(Box::new(MonoStream::new(&self.source, self.receptive_field)?))
    }

    fn prepared(&self, options: &NamOptions) -> Result<Option<Arc<dyn Playable>>> {
        Ok(Some(Arc::new(NamModel::new(Arc::clone(&self.file), options)?)))
    }

    fn nam(&self) -> Option<&NamFile> {
        Some(&self.file)
    }
}
