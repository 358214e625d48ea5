//! From a network that was read to one that can be played.

use std::sync::Arc;

use neurdsp_simd::Isa;

use super::frame_model::FrameModelSource;
use super::{Conventions, Network, PreparedConvNet, PreparedLinear, PreparedLstm, PreparedWavenet};
use crate::error::{Error, Result};

/// Arranges the weights of a network for `isa`; of a container those of its last model.
///
/// # Errors
/// A layer that the kernels refuse: more channels or a longer history than their bounds.
pub fn prepare(network: &Network, conventions: Conventions, isa: Isa) -> Result<Arc<dyn FrameModelSource>> {
    match network {
        Network::Wavenet(network) => Ok(Arc::new(Arc::new(PreparedWavenet::new(network, conventions, isa)?))),
        Network::Lstm(network) => Ok(Arc::new(Arc::new(PreparedLstm::new(network, isa)?))),
        Network::ConvNet(network) => Ok(Arc::new(Arc::new(PreparedConvNet::new(network, isa)?))),
        Network::Linear(network) => Ok(Arc::new(Arc::new(PreparedLinear::new(network, isa)))),
        Network::Slimmable(submodels) => match submodels.last() {
            Some(last) => prepare(last.model.network(), conventions, isa),
            None => Err(Error::malformed("a container", "it is empty")),
        },
    }
}
