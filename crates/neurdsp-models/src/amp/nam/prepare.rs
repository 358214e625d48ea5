//! From a network that was read to one that can be played.

use std::sync::Arc;

use neurdsp_simd::Isa;

use super::conventions::Conventions;
use super::convnet::PreparedConvNet;
use super::engine::PreparedWavenet;
use super::file::Network;
use super::frame_model::FrameModelSource;
use super::linear::PreparedLinear;
use super::lstm::PreparedLstm;
use super::wavenet::WavenetNetwork;
use crate::error::{Error, Result};

/// Arranges the weights of a network for `isa`; of a container those of its last model.
///
/// # Errors
/// A layer that the kernels refuse: more channels or a longer history than their bounds.
pub fn prepare(network: &Network, conventions: Conventions, isa: Isa) -> Result<Arc<dyn FrameModelSource>> {
    match network {
        Network::Wavenet(network) => prepare_wavenet(network, conventions, isa),
        Network::Lstm(network) => Ok(Arc::new(PreparedLstm::new(network, isa)?)),
        Network::ConvNet(network) => Ok(Arc::new(PreparedConvNet::new(network, isa)?)),
        Network::Linear(network) => Ok(Arc::new(PreparedLinear::new(network, isa))),
        Network::Slimmable(submodels) => match submodels.last() {
            Some(last) => prepare(last.model.network(), conventions, isa),
            None => Err(Error::malformed("a container", "it is empty")),
        },
    }
}

/// As [`prepare`], for a WaveNet and the model that makes its condition, if it has one.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_wavenet(
    network: &WavenetNetwork,
    conventions: Conventions,
    isa: Isa,
) -> Result<Arc<dyn FrameModelSource>> {
    let condition = match &network.condition {
        Some(model) => Some(prepare(model.at_size(None)?.1.as_ref(), conventions, isa)?),
        None => None,
    };
    Ok(Arc::new(PreparedWavenet::new(network, condition, conventions, isa)?))
}
