//! What a project keeps beside the parameters: the kick, as a code, and the name of the generator.

use serde::{Deserialize, Serialize};

use super::codes::Kicks;
use crate::state::Resource;

/// Version of [`Session`]. A newer one is refused with a message.
pub(super) const VERSION: u32 = 1;

/// The kick that plays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Session {
    /// The version that wrote it.
    pub(super) version: u32,
    /// None in an instance that has never made one.
    pub(super) kicks: Option<Kicks>,
    /// The file of a generator of the user's own; none for the one inside the plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) model: Option<Resource>,
}

impl Session {
    /// Whether this version of the plugin understands it.
    ///
    /// # Errors
    ///
    /// A sentence for the user.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.version <= VERSION {
            return Ok(());
        }
        Err("the project was saved by a newer neurdsp; update this one to play its kick".to_owned())
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

    #[test]
    fn sessions_of_later_versions_are_recognised() {
        let later: Session = serde_json::from_str(r#"{"version": 2, "kicks": null, "more": 1}"#).unwrap();
        assert!(later.check().is_err() && Session::default().check().is_ok());
    }
}
