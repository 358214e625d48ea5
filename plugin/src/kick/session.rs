//! What a project keeps beside the parameters: the kick, as a code, and the name of the generator.

use serde::{Deserialize, Serialize};

use super::codes::Kicks;
use crate::state::{Resource, SavedSession};

/// Version of [`Session`]. A newer one is refused with a message.
pub(super) const VERSION: u32 = 1;

/// The kick that plays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The version that wrote it.
    pub(super) version: u32,
    /// None in an instance that has never made one.
    pub(super) kicks: Option<Kicks>,
    /// The file of a generator of the user's own; none for the one inside the plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) model: Option<Resource>,
}

impl SavedSession for Session {
    const VERSION: u32 = VERSION;
    const PURPOSE: &'static str = "play its kick";

    fn version(&self) -> u32 {
        self.version
    }
}

impl Default for Session {
    fn default() -> Session {
        Session { version: VERSION, kicks: None, model: None }
    }
}

#[cfg(test)]
mod tests {
    use super::Session;
    use crate::state::SavedSession;

    #[test]
    fn sessions_of_later_versions_are_recognised() {
        let later: Session = serde_json::from_str(r#"{"version": 2, "kicks": null, "more": 1}"#).unwrap();
        assert!(later.check().is_err() && Session::default().check().is_ok());
    }
}
