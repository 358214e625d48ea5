//! Kick drums: codes of partials, noise and a transient, which are rendered without convolutions, and networks that make
//! such codes of keywords ([`Hybrid`]; `docs/decisions/0014-the-kick-code.md` is its contract); and latent diffusion of mel
//! spectrograms ([`MelDiffusion`]).

mod hybrid;
mod mel;

pub use hybrid::{
    Attribute, CODE_SIZE, Candidates, DecoderShape, HYBRID, Hybrid, HybridConfig, Keyword, KickCode,
    KickRenderer, PACKED_SIZE, Part, Quantity, RenderSpec, Side, kick_key,
};
pub use mel::{
    KeywordShape, MEL_DIFFUSION, MelDiffusion, MelDiffusionConfig, MelRequest, MelShape, NoiseShape, Sampler,
    UnetShape, VaeShape, VocoderShape,
};

use std::sync::Arc;

use crate::container::file::ModelFile;
use crate::container::header::Header;
use crate::error::Result;
use crate::family::Family;
use crate::kinds::AnyModel;

/// The line of the registry.
pub(crate) const FAMILY: Kick = Kick;

/// See [`FAMILY`].
pub(crate) struct Kick;

impl Family for Kick {
    fn name(&self) -> &'static str {
        "kick"
    }

    fn architectures(&self) -> &'static [&'static str] {
        &[HYBRID, MEL_DIFFUSION]
    }

    fn load(&self, file: &ModelFile, header: &Header) -> Result<AnyModel> {
        if header.architecture == MEL_DIFFUSION {
            return Ok(AnyModel::Generator(Arc::new(MelDiffusion::from_file(file, header)?)));
        }
        Ok(AnyModel::Generator(Arc::new(Hybrid::from_file(file, header)?)))
    }
}
