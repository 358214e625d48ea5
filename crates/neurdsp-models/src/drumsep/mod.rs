//! Drum separators: TFC-TDF v3 networks, which MDX23C is one of, and causal band-split networks, which play live.

mod bandsplit;
mod config;
mod network;
mod separator;
mod spectrum;

pub use bandsplit::{BAND_SPLIT, BandSplit, BandSplitConfig, BandSplitStream};
pub use config::{TFC_TDF, TfcTdfConfig};
pub use neurdsp_nn::image::Precision;
pub use separator::TfcTdfSeparator;

use std::sync::Arc;

use crate::container::file::ModelFile;
use crate::container::header::Header;
use crate::error::Result;
use crate::family::Family;
use crate::kinds::AnyModel;

/// The line of the registry.
pub(crate) const FAMILY: Drumsep = Drumsep;

/// See [`FAMILY`].
pub(crate) struct Drumsep;

impl Family for Drumsep {
    fn name(&self) -> &'static str {
        "drumsep"
    }

    fn architectures(&self) -> &'static [&'static str] {
        &[TFC_TDF, BAND_SPLIT]
    }

    fn load(&self, file: &ModelFile, header: &Header) -> Result<AnyModel> {
        if header.architecture == BAND_SPLIT {
            return Ok(AnyModel::Stream(Arc::new(BandSplit::from_file(file, header)?)));
        }
        Ok(AnyModel::Separator(Arc::new(TfcTdfSeparator::from_file(file, header)?)))
    }
}
