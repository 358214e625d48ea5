//! What a project keeps beside the parameters: the network.

use serde::{Deserialize, Serialize};

use crate::state::{Resource, SavedSession};

/// Version of [`Session`]. A newer one is refused with a message.
pub(super) const VERSION: u32 = 1;

/// What is loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Session {
    /// The version that wrote it.
    pub(super) version: u32,
    /// The network; none in an instance that has never played, which takes the one that comes with the plugin.
    pub(super) model: Option<Resource>,
}

impl SavedSession for Session {
    const VERSION: u32 = VERSION;
    const PURPOSE: &'static str = "load its network";

    fn version(&self) -> u32 {
        self.version
    }
}

impl Default for Session {
    fn default() -> Session {
        Session { version: VERSION, model: None }
    }
}

#[cfg(test)]
mod tests {
    use super::Session;
    use crate::state::SavedSession;

    #[test]
    fn sessions_of_later_versions_are_recognised() {
        let later: Session = serde_json::from_str(r#"{"version": 2, "model": null, "more": 1}"#).unwrap();
        assert!(later.check().is_err() && Session::default().check().is_ok());
    }
}
