//! What a project keeps beside the parameters: the model and the cabinet.

use serde::{Deserialize, Serialize};

use crate::state::{Resource, SavedSession};

/// Version of [`Session`]. A newer one is refused with a message, an older one is read: up to version 1 projects had no knobs
/// of models, which were at the models' defaults.
pub(super) const VERSION: u32 = 2;
/// The first version with knobs.
const WITH_KNOBS: u32 = 2;

/// What is loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Session {
    /// The version that wrote it.
    pub(super) version: u32,
    pub(super) model: Option<Resource>,
    pub(super) cabinet: Option<Resource>,
}

impl Session {
    /// Whether the parameters saved with it say where the model's knobs are.
    pub(super) fn has_knobs(&self) -> bool {
        self.version >= WITH_KNOBS
    }
}

impl SavedSession for Session {
    const VERSION: u32 = VERSION;
    const PURPOSE: &'static str = "load its model";

    fn version(&self) -> u32 {
        self.version
    }
}

impl Default for Session {
    fn default() -> Session {
        Session { version: VERSION, model: None, cabinet: None }
    }
}

#[cfg(test)]
mod tests {
    use super::{Session, VERSION};
    use crate::state::SavedSession;

    #[test]
    fn sessions_of_later_versions_are_recognised() {
        let later = r#"{"version": 3, "model": null, "cabinet": null, "second_model": null}"#;
        let session: Session = serde_json::from_str(later).unwrap();
        assert!(session.version > VERSION && session.check().is_err());
        assert!(Session::default().check().is_ok());
    }
}
