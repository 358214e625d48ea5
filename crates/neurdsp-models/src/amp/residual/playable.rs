//! The residual network as an architecture of a model file.

use std::sync::Arc;

use super::config::ResidualConfig;
use super::engine::{PreparedResidual, ResidualStream};
use super::weights::ResidualWeights;
use crate::amp::nam::{NamFile, NamOptions};
use crate::amp::playable::Playable;
use crate::container::file::ModelFile;
use crate::container::header::Header;
use crate::error::{Error, Result};
use crate::kinds::StreamingModel;

/// The name of the architecture in a model file.
pub const AMP_WAVENET: &str = "amp.wavenet";

/// Takes the network out of a model file.
///
/// # Errors
/// Audio that is not mono; see [`ResidualWeights::from_tensors`].
pub(crate) fn read(file: &ModelFile, header: &Header, _: &NamOptions) -> Result<Arc<dyn Playable>> {
    let config: ResidualConfig = header.typed_config()?;
    if header.audio.channels != 1 {
        return Err(Error::OutOfRange {
            name: "channels in neurdsp.audio".to_owned(),
            got: header.audio.channels.to_string(),
            expected: format!("1, because {AMP_WAVENET} is mono"),
        });
    }
    let weights = ResidualWeights::from_tensors(&config, &file.tensors)?;
    Ok(Arc::new(PreparedResidual::new(&config, &weights)?))
}

impl Playable for PreparedResidual {
    fn architecture(&self) -> &'static str {
        AMP_WAVENET
    }

    fn receptive_field(&self) -> usize {
        self.config().receptive_field()
    }

    fn n_parameters(&self) -> usize {
        self.config().n_parameters()
    }

    fn build_stream(self: Arc<Self>) -> Result<Box<dyn StreamingModel>> {
        Ok(Box::new(ResidualStream::from_prepared(self)?))
    }

    fn prepared(&self, _: &NamOptions) -> Result<Option<Arc<dyn Playable>>> {
        Ok(None)
    }

    fn nam(&self) -> Option<&NamFile> {
        None
    }
}
