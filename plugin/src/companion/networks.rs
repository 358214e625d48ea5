//! The music networks inside the plugin. All instances share them.

use std::sync::{Arc, LazyLock};

use neurdsp_models::music::groove::Residuals;
use neurdsp_models::music::tunes::Mixture;
use neurdsp_models::music::{MusicNetwork, MusicPart};
use neurdsp_models::{Header, ModelFile};

/// What ships, by name.
const SHIPPED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/music.rs"));
/// The key of a model file under which the groove network says how much is chance.
const RESIDUALS: &str = "groove.residuals";
/// The key under which the melody network says how much the memory of a piece counts.
const WEIGHTS: &str = "melody.memory_weights";

/// A network and what its file says beside it.
pub(super) struct Network {
    pub(super) weights: Arc<MusicNetwork>,
    /// The config of its architecture, as JSON.
    pub(super) config: String,
    metadata: std::collections::BTreeMap<String, String>,
}

static NETWORKS: LazyLock<Vec<Network>> = LazyLock::new(|| {
    // Tests open each of them; one that does not open is a network that is missing.
    SHIPPED.iter().filter_map(|(_, bytes)| open(bytes).ok()).collect()
});

fn open(bytes: &[u8]) -> neurdsp_models::Result<Network> {
    let file = ModelFile::from_bytes(bytes)?;
    let header = Header::from_metadata(&file.metadata)?;
    let weights = Arc::new(MusicNetwork::from_file(&file, &header)?);
    Ok(Network { weights, config: header.config, metadata: file.metadata })
}

/// A network, if it ships.
pub(super) fn network(part: MusicPart) -> Option<&'static Network> {
    NETWORKS.iter().find(|network| network.weights.part() == part)
}

impl Network {
    /// How much of a groove is chance, if its file says so.
    pub(super) fn residuals(&self) -> Option<Residuals> {
        Residuals::from_json(self.metadata.get(RESIDUALS)?).ok()
    }

    /// How much the memory of a piece counts beside the melody network; as usual if its file says nothing of it.
    pub(super) fn mixture(&self) -> Mixture {
        let weights = self.metadata.get(WEIGHTS).and_then(|text| serde_json::from_str::<Vec<f32>>(text).ok());
        weights.and_then(|weights| Mixture::new(&weights).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use neurdsp_models::music::MusicPart;

    use super::{SHIPPED, network, open};

    #[test]
    fn every_network_that_ships_opens_and_the_groove_network_knows_its_chance() {
        for (name, bytes) in SHIPPED {
            assert_eq!(open(bytes).unwrap().weights.part().name(), *name);
        }
        assert!(network(MusicPart::Groove).unwrap().residuals().is_some());
    }
}
